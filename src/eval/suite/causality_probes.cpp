// physics-iq and twins.
#include <ATen/ATen.h>

#include <algorithm>

#include "eval/causality/object_effects.h"
#include "eval/causality/physics_iq.h"
#include "eval/causality/pixel_effects.h"
#include "eval/suite/films.h"
#include "eval/suite/probe.h"

namespace orrery {

namespace {

// The switch frame (the last true one) and what follows it.
at::Tensor Watched(const at::Tensor& truth, const Scenario& s, const at::Tensor& made = {}) {
  const at::Tensor first = truth.narrow(0, s.context - 1, 1);
  return made.defined() ? at::cat({first, made}) : truth.narrow(0, s.context - 1, s.Last() + 2 - s.context).contiguous();
}

}  // namespace

ProbeResult ProbePhysicsIq(const Subject& subject, const ProbePlan& plan) {
  std::vector<PhysicsIqCase> cases;
  int64_t still = 0;
  for (const Scenario& s : MakeScenarios(plan)) {
    Scenario second = s;
    second.take = 1;
    const at::Tensor truth = MakeTruth(s).film.frames, other = MakeTruth(second).film.frames;
    const MotionClip real = MakeMotionClip(Span(Watched(truth, s)));
    if (std::none_of(real.masks.on.begin(), real.masks.on.end(), [](uint8_t on) { return on; })) {
      ++still;  // both masks empty would count as agreement
      continue;
    }
    const at::Tensor again = other.narrow(0, s.context, s.Last() + 1 - s.context);  // from the same switch frame, as the subject
    const MotionClip take = MakeMotionClip(Span(Watched(truth, s, again)));
    const MotionClip made = MakeMotionClip(Span(Watched(truth, s, Imagine(subject, s, 0).frames)));
    cases.push_back({fmt::format("{}", s.seed), CompareMotion(real, made), CompareMotion(real, take)});
  }
  if (cases.empty()) Fail("physics-iq: nothing moves in any of {} scenarios of {}", still, plan.world);
  const PhysicsIq score = ScorePhysicsIq(cases);
  const auto mean = [&](double MotionScores::*field) {
    std::vector<std::optional<double>> values;
    for (const PhysicsIqCase& c : cases) values.push_back(c.model.*field);
    return MeanEstimate(values, "no film");
  };
  const char* source = "arXiv 2501.09038";
  ProbeResult result;
  result.metrics = {MetricOf(plan, "causality.physics-iq.score", score.score, "higher", {{"take2", 100}, {"still", 0}}, "1", source,
                             "Ratio of means to the physical variance between two takes, clipped to 0..100."),
                    MetricOf(plan, "causality.physics-iq.spatial", mean(&MotionScores::spatial), "higher", {{"perfect", 1}}, "1", source,
                             "IoU of the pixels that ever move."),
                    MetricOf(plan, "causality.physics-iq.spatiotemporal", mean(&MotionScores::spatiotemporal), "higher", {{"perfect", 1}},
                             "1", source, "Mean over frames of the IoU of what moves; frames in which neither moves count 1."),
                    MetricOf(plan, "causality.physics-iq.weighted", mean(&MotionScores::weighted), "higher", {{"perfect", 1}}, "1", source,
                             "Overlap of the shares of time in which pixels move."),
                    MetricOf(plan, "causality.physics-iq.mse", mean(&MotionScores::mse), "lower", {{"perfect", 0}}, "1", source,
                             "Of colours in [0, 1].")};
  if (still) result.metrics[0].notes.push_back(fmt::format("{} scenarios in which the truth does not move are left out.", still));
  if (!score.doubt.empty()) result.metrics[0].notes.push_back(score.doubt);
  return result;
}

ProbeResult ProbeTwins(const Subject& subject, const ProbePlan& plan) {
  const bool learned = subject.Kind() == SubjectKind::kModel;
  std::vector<PixelEffects> pixels;
  std::vector<ObjectEffects> objects;
  int64_t differing = 0, same_pixels = 0;
  if (plan.interventions.empty()) Fail("twins: a plan with at least one intervention expected, for {}", plan.world);
  size_t turn = 0;
  for (Scenario s : MakeScenarios(plan)) {
    // A simulator can be told; a learned model must see it happen, in the last frames of its context.
    s.at = learned ? std::max<int64_t>(0, s.context - 3) : s.context;
    Scenario changed = s;
    changed.intervention = plan.interventions[turn++ % plan.interventions.size()];
    const Truth truth = MakeTruth(s), truth_changed = MakeTruth(changed);
    const Film made = Imagine(subject, s, 0), again = Imagine(subject, s, 0), made_changed = Imagine(subject, changed, 0);
    differing += DifferingPixels(Span(made.frames), Span(again.frames));
    same_pixels += made.frames.numel() / 3;
    const at::Tensor t = Future(truth, s), tc = Future(truth_changed, s);
    const int64_t first = std::max<int64_t>(0, s.at + 1 - s.context);
    pixels.push_back(ComparePixelEffects(Span(t), Span(tc), Span(made.frames), Span(made_changed.frames), first));
    const auto tail = [&](const ObjectFilm& film) { return ObjectFilm(film.begin() + s.context, film.end()); };
    if (!made.objects.empty() && !made.objects.front().empty())
      objects.push_back(
          CompareObjectEffects(tail(truth.film.objects), tail(truth_changed.film.objects), made.objects, made_changed.objects));
  }
  const PixelEffectSummary p = SummarizePixelEffects(pixels);
  const ObjectEffectSummary o = SummarizeObjectEffects(objects);
  Estimate null;
  null.value = static_cast<double>(differing) / static_cast<double>(same_pixels);
  null.interval = Interval{*null.value, *null.value};
  null.count = plan.scenarios;
  const std::string unread = "this subject's frames carry no objects and no reader of them is fitted";
  const auto read = [&](Estimate e) {
    if (objects.empty()) {
      e = Estimate();
      e.cause = unread;
      e.count = e.failed = plan.scenarios;
    }
    return e;
  };
  const auto id = [&](const char* name) {
    return fmt::format("causality.twin.{}.{}", plan.interventions[0].substr(0, plan.interventions[0].find('(')), name);
  };
  return {
      {MetricOf(plan, id("precision"), p.precision, "higher", {{"perfect", 1}}, "1", "own",
                "Share of the model's effect that is true, in pixels."),
       MetricOf(plan, id("recall"), p.recall, "higher", {{"perfect", 1}, {"ignore", 0}}, "1", "own",
                "Share of the true effect that the model shows."),
       MetricOf(plan, id("false-effects"), p.false_rate, "lower", {{"perfect", 0}}, "1", "own",
                "Share of pixels that change where nothing should."),
       MetricOf(plan, id("leak"), p.leak, "lower", {{"perfect", 0}}, "1", "own", "Share of pixels that change before the intervention."),
       MetricOf(plan, id("null"), null, "lower", {{"perfect", 0}}, "1", "own",
                "Share of pixels in which two runs without intervention differ."),
       MetricOf(plan, id("cne"), read(o.cne), "lower", {{"perfect", 0}, {"ignore", 1}}, "1", "own",
                "Squared error of displacements over squared true displacements."),
       MetricOf(plan, id("onset-error"), read(o.onset_error), "lower", {{"perfect", 0}}, "1", "own",
                "Frames between true and shown onset.")},
      {}};
}

}  // namespace orrery
