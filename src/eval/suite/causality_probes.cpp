// physics-iq and twins.
#include <ATen/ATen.h>

#include <algorithm>

#include "eval/causality/object_effects.h"
#include "eval/causality/physics_iq.h"
#include "eval/causality/pixel_effects.h"
#include "eval/suite/films.h"
#include "eval/suite/once.h"
#include "eval/suite/probe.h"
#include "eval/suite/seen_objects.h"

namespace orrery {

namespace {

// What physics-iq asks of a subject: the truth, in which something moves, against which its film is held, and what a second take scores.
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
      Fail("physics-iq: {} scenarios in which something moves expected, {} has {} among {}", plan.scenarios, plan.world, moving.all.size(),
           kTries * plan.scenarios);
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
  if (moving.still)
    result.metrics[0].notes.push_back(fmt::format("{} seeds in which the truth does not move were passed over.", moving.still));
  if (!score.doubt.empty()) result.metrics[0].notes.push_back(score.doubt);
  return result;
}

ProbeResult ProbeTwins(const Subject& subject, const ProbePlan& plan) {
  const bool learned = subject.Kind() == SubjectKind::kModel;
  std::vector<PixelEffects> pixels;
  std::vector<ObjectEffects> objects;
  std::vector<std::optional<double>> null;
  std::vector<SeenObjects> films;
  std::string unread, reading;  // why there are no objects; who read them
  if (plan.interventions.empty()) Fail("twins: a plan with at least one intervention expected, for {}", plan.world);
  size_t turn = 0;
  for (Scenario s : MakeScenarios(plan)) {
    // A simulator can be told; a learned model must see it happen, in the last frames of its context.
    s.at = learned ? std::max<int64_t>(0, s.context - 3) : s.context;
    Scenario changed = s;
    changed.intervention = plan.interventions[turn++ % plan.interventions.size()];
    const Truth truth = MakeTruth(s), truth_changed = MakeTruth(changed);
    const Film made = Imagine(subject, s, 0), again = Imagine(subject, s, 0), made_changed = Imagine(subject, changed, 0);
    null.push_back(static_cast<double>(DifferingPixels(Span(made.frames), Span(again.frames))) /
                   (static_cast<double>(made.frames.numel()) / 3));
    const at::Tensor t = Future(truth, s), tc = Future(truth_changed, s);
    const int64_t first = std::max<int64_t>(0, s.at + 1 - s.context);
    pixels.push_back(ComparePixelEffects(Span(t), Span(tc), Span(made.frames), Span(made_changed.frames), first));
    const auto tail = [&](const ObjectFilm& film) { return ObjectFilm(film.begin() + s.context, film.end()); };
    const SeenObjects seen = ObjectsIn(made, s), seen_changed = ObjectsIn(made_changed, changed);
    unread = seen.cause;
    if (!seen.cause.empty()) continue;
    objects.push_back(CompareObjectEffects(tail(truth.film.objects), tail(truth_changed.film.objects), seen.objects, seen_changed.objects));
    films.insert(films.end(), {seen, seen_changed});
    if (static_cast<int64_t>(turn) == plan.scenarios) reading = ReadingNote(films, s, t);
  }
  const PixelEffectSummary p = SummarizePixelEffects(pixels);
  const ObjectEffectSummary o = SummarizeObjectEffects(objects);
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
  ProbeResult result{
      {MetricOf(plan, id("precision"), p.precision, "higher", {{"perfect", 1}}, "1", "own",
                "Share of the model's effect that is true, in pixels."),
       MetricOf(plan, id("recall"), p.recall, "higher", {{"perfect", 1}, {"ignore", 0}}, "1", "own",
                "Share of the true effect that the model shows."),
       MetricOf(plan, id("false-effects"), p.false_rate, "lower", {{"perfect", 0}}, "1", "own",
                "Share of pixels that change where nothing should."),
       MetricOf(plan, id("leak"), p.leak, "lower", {{"perfect", 0}}, "1", "own", "Share of pixels that change before the intervention."),
       MetricOf(plan, id("null"), MeanEstimate(null, "no film"), "lower", {{"perfect", 0}}, "1", "own",
                "Share of pixels in which two runs without intervention differ."),
       MetricOf(plan, id("cne"), read(o.cne), "lower", {{"perfect", 0}, {"ignore", 1}}, "1", "own",
                "Squared error of displacements over squared true displacements."),
       MetricOf(plan, id("onset-error"), read(o.onset_error), "lower", {{"perfect", 0}}, "1", "own",
                "Frames between true and shown onset.")},
      {}};
  if (!reading.empty())
    for (Metric& m : result.metrics)
      if (m.id == id("cne") || m.id == id("onset-error")) m.notes.push_back(reading);
  return result;
}

}  // namespace orrery
