// rules: whether every step of a film is one that the rules of the rooms allow (evaluation 3.10).
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "eval/causality/grid_rules.h"
#include "eval/suite/films.h"
#include "eval/suite/probe.h"
#include "eval/suite/survival_metric.h"

namespace orrery {

namespace {

const char* const kSource = "evaluation 3.10";

// Counts of one film.
struct FilmSteps {
  double steps = 0, legal = 0, impossible = 0, unreadable = 0;
  std::map<std::string, std::pair<double, double>> rules;  // asked, kept
};

FilmSteps CountSteps(const std::vector<GridStep>& steps) {
  FilmSteps film;
  for (const GridStep& step : steps) {
    ++film.steps;
    film.legal += step.legal;
    film.impossible += !step.possible;
    film.unreadable += !step.readable;
    auto& [asked, kept] = film.rules[step.rule];
    ++asked;
    kept += step.legal;
  }
  return film;
}

Estimate Share(const std::vector<FilmSteps>& films, const std::function<std::pair<double, double>(const FilmSteps&)>& of,
               const std::string& cause) {
  std::vector<double> above, below;
  for (const FilmSteps& film : films) {
    const auto [a, b] = of(film);
    above.push_back(a);
    below.push_back(b);
  }
  return RatioEstimate(above, below, cause);
}

Estimate GoalShare(const std::vector<bool>& reached) {
  Estimate e;
  e.count = static_cast<int64_t>(reached.size());
  if (reached.empty()) {
    e.cause = "in no scenario the truth ends on the goal";
    return e;
  }
  const int64_t hits = std::count(reached.begin(), reached.end(), true);
  e.value = static_cast<double>(hits) / static_cast<double>(e.count);
  e.interval = Wilson(hits, e.count);
  e.method = "wilson";
  return e;
}

bool TruthEndsOnGoal(const Scenario& s) {
  const auto world = StartWorld(s);
  for (const std::vector<float>& action : s.actions) world->Step(action);
  return dynamic_cast<const Keys&>(*world).State().agents[0].done == 1;
}

}  // namespace

ProbeResult ProbeRules(const Subject& subject, const ProbePlan& plan) {
  std::vector<FilmSteps> films;
  Lifetimes lifetimes;
  std::vector<bool> reached;
  for (const Scenario& s : MakeScenarios(plan)) {
    const auto world = ContextEnd(s);
    const auto* start = dynamic_cast<const Keys*>(world.get());
    if (!start) Fail("rules: the world keys expected, got {}", plan.world);
    std::vector<Keys::Action> actions;
    for (auto t = static_cast<size_t>(s.context - 1); t < s.actions.size(); ++t)
      actions.push_back(static_cast<Keys::Action>(std::lround(s.actions[t][0])));
    const at::Tensor made = Imagine(subject, s, 0).frames;
    const GridFilm film = JudgeSteps(*start, Span(made), actions);
    const std::vector<GridStep>& steps = film.steps;
    films.push_back(CountSteps(steps));
    const auto broken = std::find_if(steps.begin(), steps.end(), [](const GridStep& step) { return !step.legal; });
    lifetimes.Add(broken == steps.end() ? std::nullopt : std::optional<int64_t>(broken - steps.begin()), s.Last() + 1 - s.context);
    if (TruthEndsOnGoal(s)) reached.push_back(film.done.value_or(false));
  }
  const auto share = [&](double FilmSteps::*field) {
    return Share(
        films,
        [field](const FilmSteps& f) {
          return std::pair{f.*field, f.steps};
        },
        "no step");
  };
  ProbeResult result;
  result.metrics = {MetricOf(plan, "causality.rules.legality", share(&FilmSteps::legal), "higher", {{"perfect", 1}}, "of steps", kSource,
                             "The state after is what the rules make of the state before and the action, both read off the film."),
                    MetricOf(plan, "causality.rules.impossible", share(&FilmSteps::impossible), "lower", {{"perfect", 0}}, "of steps",
                             kSource, "No action at all leads from the state before to the state after, or one of them cannot be read."),
                    MetricOf(plan, "causality.rules.unreadable", share(&FilmSteps::unreadable), "lower", {{"perfect", 0}}, "of steps",
                             kSource, "A picture that is no state of the rooms."),
                    SurvivalMetric(plan, "causality.rules.lasting", lifetimes, kSource, "share of films without an illegal step",
                                   "Films in which no step breaks a rule."),
                    MetricOf(plan, "causality.rules.goal", GoalShare(reached), "higher", {{"perfect", 1}}, "of films", kSource,
                             "The agent ends on the goal, as in truth.")};
  for (const std::string& rule : GridRules())
    result.metrics.push_back(
        MetricOf(plan, "causality.rules.rule." + rule,
                 Share(
                     films,
                     [&](const FilmSteps& f) {
                       const auto found = f.rules.find(rule);
                       return found == f.rules.end() ? std::pair{0.0, 0.0} : std::pair{found->second.second, found->second.first};
                     },
                     "no step asks for this rule"),
                 "higher", {{"perfect", 1}}, "of its steps", kSource, "Legal steps among those that this rule decides."));
  return result;
}

}  // namespace orrery
