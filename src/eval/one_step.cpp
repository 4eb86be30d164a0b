#include "eval/one_step.h"

#include "data/windows.h"
#include "eval/pixels.h"
#include "eval/statistics.h"

namespace orrery {

namespace {

at::Tensor Head(const at::Tensor& t, int64_t count) { return t.defined() ? t.narrow(1, 0, count) : t; }
at::Tensor At(const at::Tensor& t, int64_t index) { return t.defined() ? t.select(1, index) : t; }

}  // namespace

Json ScoreOneStep(const std::shared_ptr<const WorldModel>& model, const Dataset& dataset, const std::vector<int64_t>& episodes,
                  const OneStepOptions& options) {
  const at::NoGradGuard guard;
  Rng rng(options.seed, "one-step windows");
  const Episode windows = SampleWindows(dataset, episodes, options.windows, options.context + 1, rng);
  std::vector<double> ours, copied, ceiling, gain;
  for (int64_t begin = 0; begin < options.windows; begin += options.batch) {
    const int64_t end = std::min(options.windows, begin + options.batch);
    const auto part = [&](const at::Tensor& t) { return t.defined() ? t.narrow(0, begin, end - begin) : t; };
    const at::Tensor frames = part(windows.frames), actions = part(windows.actions), pose = part(windows.pose);
    std::vector<uint64_t> seeds;
    for (int64_t i = begin; i < end; ++i) seeds.push_back(DeriveSeed(options.seed, static_cast<uint64_t>(i)));
    Session session(model, options.rollout);
    session.Reset(Head(frames, options.context), Head(actions, options.context), Head(pose, options.context), seeds);
    session.Step(At(actions, options.context), At(pose, options.context));

    const at::Tensor truth = frames.select(1, options.context), last = frames.select(1, options.context - 1);
    const at::Tensor decoded =
        FramesToBytes(model->GetCodec().Decode(model->GetCodec().Encode(BytesToFrames(truth).to(model->Device())))).cpu();
    const at::Tensor own = ImageMse(session.Frame(), truth), copy = ImageMse(last, truth), codec = ImageMse(decoded, truth);
    for (int64_t i = 0; i < own.size(0); ++i) {
      if (copy[i].item<double>() < options.moved) continue;
      ours.push_back(Psnr(own[i].item<double>()));
      copied.push_back(Psnr(copy[i].item<double>()));
      ceiling.push_back(Psnr(codec[i].item<double>()));
      gain.push_back(ours.back() - copied.back());
    }
  }
  const bool enough = gain.size() >= 2;
  const Interval interval = enough ? MeanInterval(gain) : Interval{};
  const auto number = [&](double value) { return enough ? Json(value) : Json(); };
  return {{"windows", options.windows},
          {"moving", gain.size()},
          {"psnr", Mean(ours)},
          {"psnr_copy", Mean(copied)},
          {"psnr_codec", Mean(ceiling)},
          {"gain", Mean(gain)},
          {"gain_low", number(interval.low)},
          {"gain_high", number(interval.high)}};
}

}  // namespace orrery
