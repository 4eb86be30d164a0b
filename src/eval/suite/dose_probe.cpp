// dose: whether a stronger hand does more (evaluation 3.5, dose response).
#include <algorithm>
#include <cmath>

#include "eval/causality/object_effects.h"
#include "eval/suite/films.h"
#include "eval/suite/probe.h"
#include "eval/suite/seen_objects.h"

namespace orrery {

namespace {

// How far a hand moves things, px: root of the mean square over things and
// frames.
double Response(double power, int64_t terms) { return terms > 0 ? std::sqrt(power / static_cast<double>(terms)) : 0; }

struct Doses {
  std::vector<double> truth, made;  // responses, one a dose
  double product = 0,
         power = 0;                // sums of shown times true and of squared true displacements
  int64_t terms = 0, missing = 0;  // things x frames; of them without a reading
};

// `cause` says why nobody can tell what is in the films; empty when somebody
// can.
Doses Compare(const Subject& subject, const ProbePlan& plan, const Scenario& s, std::vector<SeenObjects>& films, std::string& cause) {
  const auto tail = [&](const Film& film) { return ObjectFilm(film.objects.begin() + s.context, film.objects.end()); };
  const SeenObjects seen = ObjectsIn(Imagine(subject, s, 0), s);
  Doses doses;
  cause = seen.cause;
  if (!cause.empty()) return doses;
  const ObjectFilm truth = tail(MakeTruth(s).film);
  films.push_back(seen);
  for (const std::string& dose : plan.interventions) {
    Scenario changed = s;
    changed.intervention = dose;
    films.push_back(ObjectsIn(Imagine(subject, changed, 0), changed));
    const ObjectEffects e = CompareObjectEffects(truth, tail(MakeTruth(changed).film), seen.objects, films.back().objects);
    doses.truth.push_back(Response(e.power, e.terms));
    doses.made.push_back(Response(e.read_power, e.terms - e.missing));
    doses.terms += e.terms;
    doses.missing += e.missing;
    doses.product += e.product;
    doses.power += e.power;
  }
  return doses;
}

// Rank correlation; none when the truth does not answer the dose. What cannot
// be read in half of the film answers nothing: 0.
std::optional<double> Ranks(const Doses& doses) {
  const std::optional<double> found = DoseResponse(doses.truth, doses.made).value;
  return found && 2 * doses.missing > doses.terms ? 0 : found;
}

}  // namespace

ProbeResult ProbeDose(const Subject& subject, const ProbePlan& plan) {
  if (plan.interventions.size() < 3)
    Fail(
        "dose: a plan with at least three doses of one intervention expected, "
        "for {}",
        plan.world);
  std::vector<std::optional<double>> ranks;
  std::vector<double> product, power;
  std::vector<SeenObjects> films;
  std::vector<std::pair<double, double>> curve(plan.interventions.size());
  std::string cause, reading;
  for (Scenario s : MakeScenarios(plan)) {
    s.at = HandAt(subject.Kind() != SubjectKind::kModel, s);
    const Doses doses = Compare(subject, plan, s, films, cause);
    if (!cause.empty()) break;
    ranks.push_back(Ranks(doses));
    product.push_back(doses.product);
    power.push_back(doses.power);
    for (size_t i = 0; i < curve.size(); ++i) {
      curve[i].first += doses.truth[i] / static_cast<double>(plan.scenarios);
      curve[i].second += doses.made[i] / static_cast<double>(plan.scenarios);
    }
    if (std::ssize(ranks) == plan.scenarios) reading = ReadingNote(films, s, Future(MakeTruth(s), s));
  }
  const std::string name = plan.interventions[0].substr(0, plan.interventions[0].find('('));
  const std::vector<std::string> ids = {fmt::format("causality.dose.{}.ranks", name), fmt::format("causality.dose.{}.slope", name)};
  if (!cause.empty()) return {Missing(plan, ids, cause), {}};
  ProbeResult result{{MetricOf(plan, ids[0], MeanEstimate(ranks, "the truth answers every dose alike"), "higher",
                               {{"perfect", 1}, {"ignore", 0}}, "1", "own",
                               "Spearman's correlation over doses of how far things are "
                               "moved, in truth and in the films."),
                      MetricOf(plan, ids[1], RatioEstimate(product, power, "no dose moves a thing"), "neither",
                               {{"perfect", 1}, {"ignore", 0}}, "1", "own",
                               "Shown displacements on true ones, through the origin: below 1 "
                               "answers too weakly.")},
                     {}};
  Curve answers;
  answers.x_label = "true displacement, px";
  answers.y_label = "shown displacement, px";
  std::sort(curve.begin(), curve.end());
  for (const auto& [truth, made] : curve) {
    answers.x.push_back(truth);
    answers.y.push_back(made);
  }
  result.metrics[1].curve = std::move(answers);
  if (!reading.empty())
    for (Metric& m : result.metrics) m.notes.push_back(reading);
  return result;
}

}  // namespace orrery
