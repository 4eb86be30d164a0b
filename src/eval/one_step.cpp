#include "eval/one_step.h"

#include "eval/pixels.h"

namespace orrery {

namespace {

struct Window {
  at::Tensor frames, actions, pose;  // [context + 1, ...]
};

std::vector<Window> PickWindows(const Dataset& dataset, const std::vector<int64_t>& episodes, const OneStepOptions& options) {
  std::vector<int64_t> usable;
  for (const int64_t e : episodes)
    if (dataset.Frames(e) > options.context) usable.push_back(e);
  if (usable.empty()) Fail("one-step score: no held-out episode has more than {} frames", options.context);
  Rng rng(options.seed, "one-step windows");
  std::vector<Window> windows;
  for (int64_t i = 0; i < options.windows; ++i) {
    const int64_t e = usable[i % usable.size()], length = options.context + 1;
    const Episode part = dataset.Read(e, rng.Below(dataset.Frames(e) - length + 1), length);
    windows.push_back({part.frames, part.actions, part.pose});
  }
  return windows;
}

at::Tensor Stack(const std::vector<Window>& windows, size_t begin, size_t end, at::Tensor Window::*field) {
  if (!(windows[begin].*field).defined()) return {};
  std::vector<at::Tensor> rows;
  for (size_t i = begin; i < end; ++i) rows.push_back(windows[i].*field);
  return at::stack(rows);
}

at::Tensor Head(const at::Tensor& t, int64_t count) { return t.defined() ? t.narrow(1, 0, count) : t; }
at::Tensor At(const at::Tensor& t, int64_t index) { return t.defined() ? t.select(1, index) : t; }

}  // namespace

Json ScoreOneStep(const std::shared_ptr<const WorldModel>& model, const Dataset& dataset, const std::vector<int64_t>& episodes,
                  const OneStepOptions& options) {
  const at::NoGradGuard guard;
  const std::vector<Window> windows = PickWindows(dataset, episodes, options);
  std::vector<double> ours, copied, ceiling, gain;
  for (size_t begin = 0; begin < windows.size(); begin += options.batch) {
    const size_t end = std::min(windows.size(), begin + static_cast<size_t>(options.batch));
    const at::Tensor frames = Stack(windows, begin, end, &Window::frames), actions = Stack(windows, begin, end, &Window::actions),
                     pose = Stack(windows, begin, end, &Window::pose);
    std::vector<uint64_t> seeds;
    for (size_t i = begin; i < end; ++i) seeds.push_back(DeriveSeed(options.seed, i));
    Session session(model, options.rollout);
    session.Reset(Head(frames, options.context), Head(actions, options.context), Head(pose, options.context), seeds);
    session.Step(At(actions, options.context), At(pose, options.context));

    const at::Tensor truth = frames.select(1, options.context), last = frames.select(1, options.context - 1);
    const at::Tensor decoded = FramesToBytes(model->GetCodec().Decode(model->GetCodec().Encode(BytesToFrames(truth).to(model->Device())))).cpu();
    const at::Tensor own = ImageMse(session.Frame(), truth), copy = ImageMse(last, truth), codec = ImageMse(decoded, truth);
    for (int64_t i = 0; i < own.size(0); ++i) {
      if (copy[i].item<double>() < options.moved) continue;
      ours.push_back(Psnr(own[i].item<double>()));
      copied.push_back(Psnr(copy[i].item<double>()));
      ceiling.push_back(Psnr(codec[i].item<double>()));
      gain.push_back(ours.back() - copied.back());
    }
  }
  const auto [low, high] = MeanInterval(gain);
  return {{"windows", windows.size()}, {"moving", gain.size()}, {"psnr", Mean(ours)}, {"psnr_copy", Mean(copied)}, {"psnr_codec", Mean(ceiling)},
          {"gain", Mean(gain)}, {"gain_low", low}, {"gain_high", high}};
}

}  // namespace orrery
