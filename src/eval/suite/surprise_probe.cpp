// surprise: is the impossible less expected than the possible? (evaluation 2.8; after IntPhys, arXiv 1803.07616)
#include <ATen/ATen.h>

#include <algorithm>

#include "eval/persistence/surprise.h"
#include "eval/persistence/surprise_scenes.h"
#include "eval/suite/once.h"

namespace orrery {

namespace {

constexpr uint64_t kSeeds = 4000;  // tried for each scene

std::span<uint8_t> Bytes(const at::Tensor& frame) { return {frame.mutable_data_ptr<uint8_t>(), static_cast<size_t>(frame.numel())}; }

// Frames that a world expects, each from all that were shown before it: those of `shown` [frames, H, W, 3], the first of which comes after
// frame `now`, where the world is. One that cannot be shown pictures (a simulator) goes on from its own state.
at::Tensor Expected(const Subject& subject, World& world, const Scenario& s, int64_t now, const at::Tensor& shown) {
  at::Tensor film = at::empty_like(shown);
  for (int64_t i = 0; i < shown.size(0); ++i) {
    const auto& action = s.actions[static_cast<size_t>(now + i)];
    const std::string before = world.Snapshot();
    world.Step(action);
    world.Render(Bytes(film[i]));
    if (subject.Kind() != SubjectKind::kModel) continue;
    world.Restore(before);
    ORRERY_CHECK(subject.Observe(world, Bytes(shown[i]), action));
  }
  return film;
}

// Surprises of the four films, as the mean and as the largest of the frames after the hidden moment: squared error in [0, 1] units.
struct SceneScores {
  Quadruplet mean{}, largest{};
};

const std::vector<SurpriseScene>& Scenes(const ProbePlan& plan) {
  return OncePerPlan<std::vector<SurpriseScene>>(plan, "surprise", [&] {
    const std::vector<std::string> kinds = Violations(plan.world);
    std::vector<SurpriseScene> scenes;
    for (int64_t i = 0; i < plan.scenarios; ++i)
      scenes.push_back(MakeSurpriseScene(plan.world, kinds[static_cast<size_t>(i) % kinds.size()], i % 2 == 0, plan.frames,
                                         plan.seed + kSeeds * static_cast<uint64_t>(i), kSeeds));
    return scenes;
  });
}

SceneScores Watch(const Subject& subject, const SurpriseScene& scene) {
  SceneScores scores;
  for (size_t b = 0; b < 2; ++b) {
    const Scenario& s = scene.beginnings[b];
    const auto world = subject.Begin(s, 0);
    Expected(subject, *world, s, s.context - 1, scene.hidden);
    const std::string start = world->Snapshot();
    for (size_t e = 0; e < 2; ++e) {
      world->Restore(start);
      const at::Tensor expected = Expected(subject, *world, s, s.context - 1 + scene.hidden.size(0), scene.ends[e]);
      const at::Tensor error = ((expected.to(at::kDouble) - scene.ends[e].to(at::kDouble)) / 255.0).square().mean({1, 2, 3});
      scores.mean[b][e] = error.mean().item<double>();
      scores.largest[b][e] = error.max().item<double>();
    }
  }
  return scores;
}

Estimate Percent(Estimate e) {
  return Mapped(std::move(e), [](double share) { return 100 * share; });
}

}  // namespace

ProbeResult ProbeSurprise(const Subject& subject, const ProbePlan& plan) {
  std::vector<Quadruplet> mean, largest;
  std::map<std::string, std::vector<double>> by;
  std::vector<double> late;  // hidden for long
  for (const SurpriseScene& scene : Scenes(plan)) {
    const SceneScores scores = Watch(subject, scene);
    mean.push_back(scores.mean);
    largest.push_back(scores.largest);
    const double right = RelativeAccuracy(scores.mean);
    by["violation=" + scene.violation].push_back(right);
    if (scene.violation == "pass") continue;  // hidden as long as the post lets it
    by[scene.brief ? "hidden=brief" : "hidden=long"].push_back(right);
    if (!scene.brief) late.push_back(right);
  }
  const SurpriseScores scores = ScoreSurprise(mean);
  const std::map<std::string, double> percent = {{"perfect", 100}, {"chance", 50}}, share = {{"perfect", 1}, {"chance", 0.5}};
  const char* source = "arXiv 1803.07616, 2502.11831; evaluation 2.8";
  const auto metric = [&](const char* name, const Estimate& e, const auto& anchors, const char* unit, const char* note) {
    return MetricOf(plan, fmt::format("persistence.surprise.{}", name), e, "higher", anchors, unit, source, note);
  };
  Metric relative =
      metric("relative", Percent(scores.relative), percent, "%",
             "Share of quadruplets whose impossible films are more surprising in sum; surprise: mean squared error of the next "
             "frame, after the hidden moment.");
  for (const auto& [name, values] : by) {
    const Estimate e = Percent(ShareEstimate(values));
    relative.by[name] = {e.value, e.interval, e.count};
  }
  Metric relative_largest =
      metric("relative-max", Percent(ScoreSurprise(largest).relative), percent, "%", "The same by the most surprising frame of each film.");
  ProbeResult result{{std::move(relative), std::move(relative_largest),
                      metric("absolute", Percent(scores.absolute), percent, "%",
                             "Share of films told right by one threshold, the 90th percentile of the possible ones."),
                      metric("auroc", scores.auroc, share, "1", "Chance that an impossible film surprises more than a possible one."),
                      metric("auprc", scores.auprc, share, "1", "Average precision of finding the impossible films.")},
                     {}};
  if (!late.empty()) {
    result.metrics.push_back(metric("relative-long", Percent(ShareEstimate(late)), percent, "%",
                                    "Relative accuracy where things were hidden for 34 frames or more."));
  }
  return result;
}

}  // namespace orrery
