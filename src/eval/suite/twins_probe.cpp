// twins: what a hand's change does, in pixels and things (evaluation 3.5).
#include <ATen/ATen.h>

#include "eval/causality/instances.h"
#include "eval/causality/pixel_effects.h"
#include "eval/suite/films.h"
#include "eval/suite/once.h"
#include "eval/suite/probe.h"
#include "eval/suite/seen_objects.h"

namespace orrery {

namespace {

constexpr double kDelta = 1;  // px by which a thing differs between twins when it is affected

// What is found in the twins of all scenarios.
struct Found {
  std::vector<PixelEffects> pixels;
  std::vector<ObjectEffects> objects;
  std::vector<std::optional<double>> null, invariance;
  std::vector<SeenObjects> films;
  std::string unread;  // why there are no objects
};

// Whose each pixel of the true frames context .. T is.
std::vector<int32_t> IdsOf(const Scenario& s) {
  const auto world = StartWorld(s);
  const std::vector<int32_t> all = RecordIds(*world, {s.actions, s.intervention, s.at}, true);
  return {all.begin() + s.context * (std::ssize(all) / (s.Last() + 1)), all.end()};
}

// The true twins of a scenario, frames context .. T.
struct TrueTwins {
  Scenario scenario, with_change;
  at::Tensor film, changed;
  ObjectFilm things, things_changed;
  std::vector<int32_t> alone;  // ids of what the intervention leaves alone, where both films show it alike; else 0
};

TrueTwins MakeTwins(const Scenario& s, const Scenario& with_change) {
  const Truth truth = MakeTruth(s), changed = MakeTruth(with_change);
  const auto tail = [&](const ObjectFilm& film) { return ObjectFilm(film.begin() + s.context, film.end()); };
  TrueTwins twins{s, with_change, Future(truth, s), Future(changed, s), tail(truth.film.objects), tail(changed.film.objects), IdsOf(s)};
  const std::vector<int32_t> ids = IdsOf(with_change);
  const at::Tensor differ = (twins.film != twins.changed).any(3).contiguous();
  const auto* differs = differ.const_data_ptr<bool>();
  const auto affected = Onsets(twins.things, twins.things_changed, kDelta);
  for (size_t i = 0; i < ids.size();
       ++i)  // an edge takes on the colours beside it: pixels that are not alike to the last digit do not count
    if (differs[i] || ids[i] != twins.alone[i] || affected.contains(ids[i])) twins.alone[i] = 0;
  return twins;
}

// Of a plan; `told`: whether the hand interferes after the context.
const std::vector<TrueTwins>& AllTwins(const ProbePlan& plan, bool told) {
  return OncePerPlan<std::vector<TrueTwins>>(plan, told ? "twins of who is told" : "twins of who is shown", [&] {
    std::vector<TrueTwins> all;
    for (Scenario s : MakeScenarios(plan)) {
      s.at = HandAt(told, s);
      Scenario changed = s;
      changed.intervention = plan.interventions[all.size() % plan.interventions.size()];
      all.push_back(MakeTwins(s, changed));
    }
    return all;
  });
}

void Compare(const Subject& subject, const TrueTwins& truth, Found& found) {
  const Scenario& s = truth.scenario;
  const Film made = Imagine(subject, s, 0), again = Imagine(subject, s, 0), made_changed = Imagine(subject, truth.with_change, 0);
  found.null.push_back(static_cast<double>(DifferingPixels(Span(made.frames), Span(again.frames))) /
                       (static_cast<double>(made.frames.numel()) / 3));
  const int64_t first = std::max<int64_t>(0, s.at + 1 - s.context);
  found.pixels.push_back(ComparePixelEffects(Span(truth.film), Span(truth.changed), Span(made.frames), Span(made_changed.frames), first));
  found.invariance.push_back(InvariancePsnr(Span(made.frames), Span(made_changed.frames), truth.alone, truth.alone, {}, first).value);
  const SeenObjects seen = ObjectsIn(made, s), seen_changed = ObjectsIn(made_changed, truth.with_change);
  found.unread = seen.cause;
  if (!seen.cause.empty()) return;
  found.objects.push_back(CompareObjectEffects(truth.things, truth.things_changed, seen.objects, seen_changed.objects, {.delta = kDelta}));
  found.films.insert(found.films.end(), {seen, seen_changed});
}

// Of all pairs together, by frames since the first that could show a change; frames without an effect are left out.
Curve OverTime(const std::vector<PixelEffects>& pairs, std::optional<double> (EffectCounts::*get)() const, const char* label) {
  std::vector<EffectCounts> sums;
  for (const PixelEffects& pair : pairs)
    for (auto t = static_cast<size_t>(pair.first); t < pair.frames.size(); ++t) {
      const size_t since = t - static_cast<size_t>(pair.first);
      if (since == sums.size()) sums.emplace_back();
      sums[since] += pair.frames[t];
    }
  Curve curve;
  curve.x_label = "frames since the intervention";
  curve.y_label = std::move(label);
  for (size_t since = 0; since < sums.size(); ++since)
    if (const auto value = (sums[since].*get)()) {
      curve.x.push_back(static_cast<double>(since));
      curve.y.push_back(*value);
    }
  return curve;
}

struct Row {
  const char* name;
  const Estimate& estimate;
  const char* direction;
  std::map<std::string, double> anchors;
  const char* note;
  const char* unit = "1";
};

std::vector<Row> PixelRows(const PixelEffectSummary& p) {
  return {{"precision", p.precision, "higher", {{"perfect", 1}}, "Share of the model's effect that is true, in pixels."},
          {"recall", p.recall, "higher", {{"perfect", 1}, {"ignore", 0}}, "Share of the true effect that the model shows."},
          {"f1", p.f1, "higher", {{"perfect", 1}, {"ignore", 0}}, "Harmonic mean of the two."},
          {"light-cone",
           p.ahead,
           "lower",
           {{"perfect", 0}},
           "Share of the model's effect, in pixels, where the true one has not been until two frames later."},
          {"false-effects", p.false_rate, "lower", {{"perfect", 0}}, "Share of pixels that change where nothing should."},
          {"leak", p.leak, "lower", {{"perfect", 0}}, "Share of pixels that change before the intervention."}};
}

std::vector<Row> ObjectRows(const ObjectEffectSummary& o) {
  return {
      {"cne", o.cne, "lower", {{"perfect", 0}, {"ignore", 1}}, "Squared error of displacements over squared true displacements."},
      {"slope", o.slope, "neither", {{"perfect", 1}, {"ignore", 0}}, "Of shown displacements on true ones, through the origin."},
      {"cosine", o.cosine, "higher", {{"perfect", 1}, {"ignore", 0}}, "Of the angle between shown and true displacements."},
      {"objects-precision",
       o.precision,
       "higher",
       {{"perfect", 1}},
       "Share of the things that change in the model's twins that change in the true ones."},
      {"objects-recall",
       o.recall,
       "higher",
       {{"perfect", 1}, {"ignore", 0}},
       "Share of the things that change in the true twins that change in the model's."},
      {"objects-spill", o.spill, "lower", {{"perfect", 0}}, "Share of the things that are left alone in truth, and change."},
      {"onset-error", o.onset_error, "lower", {{"perfect", 0}}, "Between true and shown onset.", "frames"},
      {"early", o.early, "lower", {{"perfect", 0}}, "Of the things that rightly change: whose change begins over two frames too early."},
      {"order", o.order, "higher", {{"perfect", 1}}, "Kendall's tau of the true and the shown order in which a change reaches things."}};
}

}  // namespace

ProbeResult ProbeTwins(const Subject& subject, const ProbePlan& plan) {
  if (plan.interventions.empty()) Fail("twins: a plan with at least one intervention expected, for {}", plan.world);
  Found found;
  std::string reading;  // who read the things
  for (const TrueTwins& twins : AllTwins(plan, subject.Kind() != SubjectKind::kModel)) {
    Compare(subject, twins, found);
    if (std::ssize(found.null) == plan.scenarios && found.unread.empty()) reading = ReadingNote(found.films, twins.scenario, twins.film);
  }
  const std::string name = plan.interventions[0].substr(0, plan.interventions[0].find('('));
  ProbeResult result;
  const auto add = [&](const Row& row, const Estimate& estimate) -> Metric& {
    result.metrics.push_back(MetricOf(plan, fmt::format("causality.twin.{}.{}", name, row.name), estimate, row.direction, row.anchors,
                                      row.unit, "own", row.note));
    return result.metrics.back();
  };
  const PixelEffectSummary pixels = SummarizePixelEffects(found.pixels);
  const ObjectEffectSummary objects = SummarizeObjectEffects(found.objects);
  for (const Row& row : PixelRows(pixels)) add(row, row.estimate);
  const auto over_time = [&](Metric& m, std::optional<double> (EffectCounts::*get)() const, const char* label) {
    if (Curve curve = OverTime(found.pixels, get, label); !curve.x.empty()) m.curve = std::move(curve);
  };
  over_time(result.metrics[0], &EffectCounts::Precision, "precision");
  over_time(result.metrics[1], &EffectCounts::Recall, "recall");
  const Estimate null = MeanEstimate(found.null, "no film"),
                 invariance = MeanEstimate(found.invariance, "no thing is shown that the intervention leaves alone");
  add({"null", null, "lower", {{"perfect", 0}}, "Share of pixels in which two runs without intervention differ."}, null);
  add({"invariance",
       invariance,
       "higher",
       {{"perfect", 100}},
       "PSNR between twins in the pixels of things that are left alone, where the true twins are alike.",
       "dB"},
      invariance);
  Estimate none;
  none.cause = found.unread;
  none.count = none.failed = plan.scenarios;
  for (const Row& row : ObjectRows(objects)) {
    Metric& m = add(row, found.objects.empty() ? none : row.estimate);
    if (!reading.empty()) m.notes.push_back(reading);
  }
  return result;
}

}  // namespace orrery
