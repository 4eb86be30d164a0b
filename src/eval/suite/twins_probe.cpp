// twins: what a hand's change does, in pixels and things (evaluation 3.5).
#include "eval/causality/pixel_effects.h"
#include "eval/suite/films.h"
#include "eval/suite/probe.h"
#include "eval/suite/seen_objects.h"

namespace orrery {

namespace {

constexpr double kDelta = 1;  // px by which a thing differs between twins when it is affected

// What is found in the twins of all scenarios.
struct Found {
  std::vector<PixelEffects> pixels;
  std::vector<ObjectEffects> objects;
  std::vector<std::optional<double>> null;
  std::vector<SeenObjects> films;
  std::string unread;  // why there are no objects
};

void Compare(const Subject& subject, const Scenario& s, const Scenario& changed, Found& found) {
  const Truth truth = MakeTruth(s), truth_changed = MakeTruth(changed);
  const Film made = Imagine(subject, s, 0), again = Imagine(subject, s, 0), made_changed = Imagine(subject, changed, 0);
  found.null.push_back(static_cast<double>(DifferingPixels(Span(made.frames), Span(again.frames))) /
                       (static_cast<double>(made.frames.numel()) / 3));
  const at::Tensor t = Future(truth, s), tc = Future(truth_changed, s);
  const int64_t first = std::max<int64_t>(0, s.at + 1 - s.context);
  found.pixels.push_back(ComparePixelEffects(Span(t), Span(tc), Span(made.frames), Span(made_changed.frames), first));
  const auto tail = [&](const ObjectFilm& film) { return ObjectFilm(film.begin() + s.context, film.end()); };
  const ObjectFilm things = tail(truth.film.objects), things_changed = tail(truth_changed.film.objects);
  const SeenObjects seen = ObjectsIn(made, s), seen_changed = ObjectsIn(made_changed, changed);
  found.unread = seen.cause;
  if (!seen.cause.empty()) return;
  found.objects.push_back(CompareObjectEffects(things, things_changed, seen.objects, seen_changed.objects, {.delta = kDelta}));
  found.films.insert(found.films.end(), {seen, seen_changed});
}

struct Row {
  const char* name;
  const Estimate& estimate;
  const char* direction;
  std::map<std::string, double> anchors;
  const char *unit, *note;
};

std::vector<Row> PixelRows(const PixelEffectSummary& p) {
  return {{"precision", p.precision, "higher", {{"perfect", 1}}, "1", "Share of the model's effect that is true, in pixels."},
          {"recall", p.recall, "higher", {{"perfect", 1}, {"ignore", 0}}, "1", "Share of the true effect that the model shows."},
          {"light-cone",
           p.ahead,
           "lower",
           {{"perfect", 0}},
           "1",
           "Share of the model's effect, in pixels, where the true one has not "
           "been until two frames later."},
          {"false-effects", p.false_rate, "lower", {{"perfect", 0}}, "1", "Share of pixels that change where nothing should."},
          {"leak", p.leak, "lower", {{"perfect", 0}}, "1", "Share of pixels that change before the intervention."}};
}

std::vector<Row> ObjectRows(const ObjectEffectSummary& o) {
  return {{"cne", o.cne, "lower", {{"perfect", 0}, {"ignore", 1}}, "1", "Squared error of displacements over squared true displacements."},
          {"onset-error", o.onset_error, "lower", {{"perfect", 0}}, "1", "Frames between true and shown onset."},
          {"objects-precision",
           o.precision,
           "higher",
           {{"perfect", 1}},
           "1",
           "Share of the things that change in the model's twins that change "
           "in the true ones."},
          {"objects-recall",
           o.recall,
           "higher",
           {{"perfect", 1}, {"ignore", 0}},
           "1",
           "Share of the things that change in the true twins that change in "
           "the model's."}};
}

}  // namespace

ProbeResult ProbeTwins(const Subject& subject, const ProbePlan& plan) {
  if (plan.interventions.empty()) Fail("twins: a plan with at least one intervention expected, for {}", plan.world);
  Found found;
  std::string reading;  // who read the things
  size_t turn = 0;
  for (Scenario s : MakeScenarios(plan)) {
    s.at = HandAt(subject.Kind() != SubjectKind::kModel, s);
    Scenario changed = s;
    changed.intervention = plan.interventions[turn++ % plan.interventions.size()];
    Compare(subject, s, changed, found);
    if (static_cast<int64_t>(turn) == plan.scenarios && found.unread.empty())
      reading = ReadingNote(found.films, s, Future(MakeTruth(s), s));
  }
  const auto id = [&](const char* name) {
    return fmt::format("causality.twin.{}.{}", plan.interventions[0].substr(0, plan.interventions[0].find('(')), name);
  };
  ProbeResult result;
  const auto add = [&](const Row& row, const Estimate& estimate) -> Metric& {
    result.metrics.push_back(MetricOf(plan, id(row.name), estimate, row.direction, row.anchors, row.unit, "own", row.note));
    return result.metrics.back();
  };
  const PixelEffectSummary pixels = SummarizePixelEffects(found.pixels);
  const ObjectEffectSummary objects = SummarizeObjectEffects(found.objects);
  for (const Row& row : PixelRows(pixels)) add(row, row.estimate);
  const Estimate null = MeanEstimate(found.null, "no film");
  add({"null", null, "lower", {{"perfect", 0}}, "1", "Share of pixels in which two runs without intervention differ."}, null);
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
