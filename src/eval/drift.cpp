#include "eval/drift.h"

#include "core/progress.h"
#include "core/signals.h"

namespace orrery {

namespace {

constexpr int64_t kBlock = 32;

struct BlockStats {
  double brightness, contrast, motion, saturated;
};

// film [S, T, H, W, 3] uint8
BlockStats Measure(const at::Tensor& film) {
  const at::Tensor x = film.to(at::kFloat) / 255.0;
  const at::Tensor saturated = ((film == 0) | (film == 255)).to(at::kFloat);
  return {x.mean().item<double>(), x.flatten(2).std(2).mean().item<double>(),
          (x.narrow(1, 1, x.size(1) - 1) - x.narrow(1, 0, x.size(1) - 1)).abs().mean().item<double>(), saturated.mean().item<double>()};
}

Json Describe(const BlockStats& s) {
  return {{"brightness", s.brightness}, {"contrast", s.contrast}, {"motion", s.motion}, {"saturated", s.saturated}};
}

}  // namespace

Json ScoreDrift(const std::shared_ptr<const WorldModel>& model, const Dataset& dataset, const std::vector<int64_t>& episodes,
                const DriftOptions& options, at::Tensor* films) {
  const at::NoGradGuard guard;
  const int64_t S = options.rollouts;
  std::vector<Episode> truth;
  for (int64_t i = 0; i < S; ++i) {
    const int64_t e = episodes[i % episodes.size()];
    if (dataset.Frames(e) < options.context + 2)
      Fail("drift score: episode {} has {} frames, more than {} needed", e, dataset.Frames(e), options.context + 1);
    truth.push_back(dataset.Read(e, 0, dataset.Frames(e)));
  }
  std::vector<at::Tensor> frames, actions, pose;
  std::vector<uint64_t> seeds;
  for (int64_t i = 0; i < S; ++i) {
    frames.push_back(truth[i].frames.narrow(0, 0, options.context));
    if (truth[i].actions.defined()) actions.push_back(truth[i].actions.narrow(0, 0, options.context));
    if (truth[i].pose.defined()) pose.push_back(truth[i].pose.narrow(0, 0, options.context));
    seeds.push_back(DeriveSeed(options.seed, static_cast<uint64_t>(i)));
  }
  const auto stack = [](const std::vector<at::Tensor>& t) { return t.empty() ? at::Tensor() : at::stack(t); };
  // Row t of an episode, going round after its end (row 0 is a dummy).
  const auto row = [&](at::Tensor Episode::*field, int64_t t) {
    std::vector<at::Tensor> rows;
    for (const Episode& e : truth)
      if ((e.*field).defined()) rows.push_back((e.*field)[1 + (t - 1) % (e.Frames() - 1)]);
    return stack(rows);
  };

  Session session(model, options.rollout);
  session.Reset(stack(frames), stack(actions), stack(pose), seeds);
  at::Tensor film = at::empty({S, options.frames, dataset.Facts().height, dataset.Facts().width, 3}, at::kByte);
  Progress progress("rolling out", options.frames, "frames");
  for (int64_t t = 0; t < options.frames; ++t) {
    ThrowIfStopRequested();
    session.Step(row(&Episode::actions, options.context + t), row(&Episode::pose, options.context + t));
    film.select(1, t).copy_(session.Frame());
    progress.Update(t + 1);
  }
  progress.Finish();

  std::vector<at::Tensor> real;
  const int64_t common = std::min(options.frames, [&] {
    int64_t shortest = truth[0].Frames();
    for (const Episode& e : truth) shortest = std::min(shortest, e.Frames());
    return shortest;
  }());
  for (const Episode& e : truth) real.push_back(e.frames.narrow(0, 0, common));
  const BlockStats expected = Measure(at::stack(real));
  Json blocks = Json::array();
  BlockStats last{};
  for (int64_t begin = 0; begin + 2 <= options.frames; begin += kBlock) {
    last = Measure(film.narrow(1, begin, std::min(kBlock, options.frames - begin)));
    blocks.push_back(Describe(last));
  }
  const bool frozen = last.motion < expected.motion / 3, flat = last.contrast < expected.contrast / 3;
  const bool shifted = std::abs(last.brightness - expected.brightness) > 0.25,
             saturated = last.saturated > 0.5 && expected.saturated < 0.25;
  if (films) *films = film;
  return {{"rollouts", S},
          {"frames", options.frames},
          {"truth", Describe(expected)},
          {"blocks", blocks},
          {"collapsed", frozen || flat || shifted || saturated}};
}

}  // namespace orrery
