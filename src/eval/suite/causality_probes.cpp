// physics-iq: where, when and how much the picture moves (evaluation 3.1).
#include <ATen/ATen.h>

#include <algorithm>

#include "eval/causality/physics_iq.h"
#include "eval/suite/films.h"
#include "eval/suite/once.h"
#include "eval/suite/probe.h"

namespace orrery {

namespace {

// What physics-iq asks of a subject: the truth, in which something moves,
// against which its film is held, and what a second take scores.
struct MovingScenario {
  Scenario scenario;
  MotionClip real;
  MotionScores variance;
};

struct MovingScenarios {
  std::vector<MovingScenario> all;
  int64_t still = 0;  // passed over: two empty masks would count as agreement
};

// Every film is masked by itself, from its own first frame on, as published.
const MovingScenarios& Moving(const ProbePlan& plan) {
  return OncePerPlan<MovingScenarios>(plan, "moving scenarios", [&] {
    constexpr int64_t kTries = 4;  // candidates for each
    MovingScenarios moving;
    ProbePlan more = plan;
    for (more.scenarios = 1; std::ssize(moving.all) < plan.scenarios && more.scenarios <= kTries * plan.scenarios; ++more.scenarios) {
      const Scenario s = MakeScenarios(more).back();
      Scenario second = s;
      second.take = 1;
      MotionClip real = MakeMotionClip(Span(Future(MakeTruth(s), s)));
      if (std::none_of(real.masks.on.begin(), real.masks.on.end(), [](uint8_t on) { return on; })) {
        ++moving.still;
        continue;
      }
      const MotionScores variance = CompareMotion(real, MakeMotionClip(Span(Future(MakeTruth(second), s))));
      moving.all.push_back({s, std::move(real), variance});
    }
    if (std::ssize(moving.all) < plan.scenarios)
      Fail(
          "physics-iq: {} scenarios in which something moves expected, {} has "
          "{} among {}",
          plan.scenarios, plan.world, moving.all.size(), kTries * plan.scenarios);
    return moving;
  });
}

}  // namespace

ProbeResult ProbePhysicsIq(const Subject& subject, const ProbePlan& plan) {
  const MovingScenarios& moving = Moving(plan);
  std::vector<PhysicsIqCase> cases;
  for (const MovingScenario& m : moving.all) {
    const MotionClip made = MakeMotionClip(Span(Imagine(subject, m.scenario, 0).frames));
    cases.push_back({fmt::format("{}", m.scenario.seed), CompareMotion(m.real, made), m.variance});
  }
  const PhysicsIq score = ScorePhysicsIq(cases);
  const auto mean = [&](double MotionScores::*field) {
    std::vector<std::optional<double>> values;
    for (const PhysicsIqCase& c : cases) values.push_back(c.model.*field);
    return MeanEstimate(values, "no film");
  };
  const char* source = "arXiv 2501.09038";
  ProbeResult result;
  result.metrics = {
      MetricOf(plan, "causality.physics-iq.score", score.score, "higher", {{"take2", 100}, {"still", 0}}, "1", source,
               "Ratio of means to the physical variance between two takes, "
               "clipped to 0..100."),
      MetricOf(plan, "causality.physics-iq.spatial", mean(&MotionScores::spatial), "higher", {{"perfect", 1}}, "1", source,
               "IoU of the pixels that ever move."),
      MetricOf(plan, "causality.physics-iq.spatiotemporal", mean(&MotionScores::spatiotemporal), "higher", {{"perfect", 1}}, "1", source,
               "Mean over frames of the IoU of what moves; frames in which "
               "neither moves count 1."),
      MetricOf(plan, "causality.physics-iq.weighted", mean(&MotionScores::weighted), "higher", {{"perfect", 1}}, "1", source,
               "Overlap of the shares of time in which pixels move."),
      MetricOf(plan, "causality.physics-iq.mse", mean(&MotionScores::mse), "lower", {{"perfect", 0}}, "1", source,
               "Of colours in [0, 1].")};
  if (moving.still)
    result.metrics[0].notes.push_back(fmt::format("{} seeds in which the truth does not move were passed over.", moving.still));
  if (!score.doubt.empty()) result.metrics[0].notes.push_back(score.doubt);
  return result;
}

}  // namespace orrery
