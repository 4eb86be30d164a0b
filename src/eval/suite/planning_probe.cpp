// planning: what is a subject worth to somebody who plans in it and acts in the true world? (evaluation 3.8, 3.9)
#include "eval/suite/planning_probe.h"

#include <algorithm>
#include <limits>

#include "eval/planning/task.h"
#include "eval/regret.h"
#include "eval/suite/once.h"

namespace orrery {

namespace {

constexpr const char* kSource = "own";

uint64_t EpisodeSeed(const ProbePlan& plan, int64_t i) { return DeriveSeed(plan.seed, static_cast<uint64_t>(i)); }

using PolicyScores = std::vector<std::vector<double>>;  // by episode, then by policy

// What is so whoever is judged.
struct Played {
  std::vector<PlanningEpisode> episodes;
  std::vector<PlannedEpisode> oracle, blind;
  std::vector<std::vector<ActionPlan>> policies;  // by episode
  PolicyScores worth;                             // of where they end in truth
};

// The expert's plan, or what planning in the true world did; then those with slips.
std::vector<ActionPlan> PoliciesOf(const PlanningTask& task, const PlanningEpisode& episode, const PlannedEpisode& oracle, uint64_t seed) {
  const ActionSpace actions = ContextEnd(episode.start)->Facts().actions;
  return PolicyPlans(task, episode.expert.empty() ? oracle.done : episode.expert, actions, seed);
}

const Played& PlayedOnce(const ProbePlan& plan, const PlanningTask& task) {
  return OncePerPlan<Played>(plan, "planning", [&] {
    Played played;
    for (int64_t i = 0; i < plan.scenarios; ++i) {
      const uint64_t seed = EpisodeSeed(plan, i);
      played.episodes.push_back(task.make(plan.world, seed, plan.context));
      played.oracle.push_back(RunPlanned(task, played.episodes.back(), seed, ContextEnd));
      played.blind.push_back(RunPlanned(task, played.episodes.back(), seed, {}));
      played.policies.push_back(PoliciesOf(task, played.episodes.back(), played.oracle.back(), seed));
      const auto truth = ContextEnd(played.episodes.back().start);
      played.worth.push_back(ScorePlans(*truth, *played.episodes.back().goal, played.policies.back()));
    }
    return played;
  });
}

std::vector<double> Returns(const PlanningTask& task, const std::vector<PlannedEpisode>& episodes) {
  std::vector<double> returns;
  for (const PlannedEpisode& e : episodes) returns.push_back(e.Return(task.steps));
  return returns;
}

// Success weighted by path length (Anderson et al., arXiv 1807.06757).
std::vector<double> Spl(const Played& played, const std::vector<PlannedEpisode>& episodes) {
  std::vector<double> spl;
  for (size_t i = 0; i < episodes.size(); ++i) {
    const auto known = static_cast<double>(*played.episodes[i].known);
    spl.push_back(episodes[i].reached ? known / std::max(known, static_cast<double>(episodes[i].steps)) : 0);
  }
  return spl;
}

double Successes(const std::vector<PlannedEpisode>& episodes) {
  return static_cast<double>(std::count_if(episodes.begin(), episodes.end(), [](const PlannedEpisode& e) { return e.reached; }));
}

Estimate Rate(const std::vector<PlannedEpisode>& episodes) {
  Estimate e;
  e.count = static_cast<int64_t>(episodes.size());
  e.value = Successes(episodes) / static_cast<double>(e.count);
  e.interval = Wilson(static_cast<int64_t>(Successes(episodes)), e.count);
  e.method = "wilson";
  return e;
}

Estimate RegretOf(const PlanningTask& task, const Played& played, const std::vector<PlannedEpisode>& mine) {
  Estimate e;
  e.count = static_cast<int64_t>(mine.size());
  try {
    const Regret regret = NormalizedRegret(Returns(task, played.oracle), Returns(task, played.blind), Returns(task, mine));
    e.value = regret.value;
    e.interval = regret.interval;
    e.method = "scenario-bootstrap-2000-bca";
  } catch (const Error& error) {
    e.cause = error.what();
  }
  return e;
}

// `measure` of the policies' mean scores in the subject and in truth.
template <class Measure>
Estimate OverPolicies(const PolicyScores& promised, const PolicyScores& truth, const Measure& measure) {
  const auto means = [](const PolicyScores& scores, std::span<const int64_t> rows) {
    std::vector<double> sums(kPolicies);
    for (const int64_t row : rows)
      for (size_t i = 0; i < kPolicies; ++i) sums[i] += scores[static_cast<size_t>(row)][i] / static_cast<double>(rows.size());
    return sums;
  };
  return EstimateOf(
      std::ssize(truth), [&](std::span<const int64_t> rows) { return measure(means(promised, rows), means(truth, rows)); }, "no episode");
}

Estimate MeanOf(const std::vector<double>& values) {
  return MeanEstimate(std::vector<std::optional<double>>(values.begin(), values.end()), "no episode");
}

// Whether a subject tells policies apart by their true worth.
std::vector<Metric> PolicyMetrics(const ProbePlan& plan, const std::string& prefix, const PolicyScores& promised,
                                  const PolicyScores& truth) {
  using Means = const std::vector<double>&;
  const auto metric = [&](const char* name, const Estimate& e, const char* direction, std::map<std::string, double> anchors,
                          const char* note) {
    return MetricOf(plan, prefix + name, e, direction, std::move(anchors), "1", "evaluation 3.9", note);
  };
  return {metric("policy-spearman", OverPolicies(promised, truth, [](Means p, Means t) { return Spearman(p, t); }), "higher",
                 {{"perfect", 1}, {"ignore", 0}},
                 "Rank correlation of imagined and true worth of six policies: an expert's plan with ever more slips."),
          metric("policy-kendall", OverPolicies(promised, truth, [](Means p, Means t) { return Kendall(p, t); }), "higher",
                 {{"perfect", 1}, {"ignore", 0}}, "The same by pairs of policies: those in the right order less those in the wrong one."),
          metric("policy-violation", OverPolicies(promised, truth, [](Means p, Means t) { return EvaluationFidelity(p, t).violation; }),
                 "lower", {{"perfect", 0}}, "Mean maximal rank violation (arXiv 2405.05941): worth that a wrong order can cost."),
          metric("policy-bias", OverPolicies(promised, truth, [](Means p, Means t) { return EvaluationFidelity(p, t).bias; }), "neither",
                 {{"perfect", 0}}, "Worth promised less the true one, mean over policies.")};
}

const std::vector<const char*> kNames = {"success",         "return",         "regret",           "fidelity-spearman", "exploitation-gap",
                                         "policy-spearman", "policy-kendall", "policy-violation", "policy-bias",       "spl"};

}  // namespace

ProbeResult ProbePlanning(const Subject& subject, const ProbePlan& plan) {
  const PlanningTask& task = TaskOf(plan.world);
  const auto id = [&](const char* name) { return fmt::format("causality.planning.{}.{}", task.name, name); };
  const Played& played = PlayedOnce(plan, task);
  const bool reads = task.objects && subject.Kind() == SubjectKind::kModel;
  if (std::string cause; reads && !ReaderOf(task, *ContextEnd(played.episodes.front().start), &cause)) {
    std::vector<std::string> ids;
    for (const char* name : kNames) ids.push_back(id(name));
    return {Missing(plan, ids, cause), {}};
  }
  std::vector<PlannedEpisode> mine;
  std::vector<double> fidelity, gap;
  PolicyScores promised;
  int64_t rollouts = 0;
  for (size_t i = 0; i < played.episodes.size(); ++i) {
    const PlanningEpisode& episode = played.episodes[i];
    mine.push_back(RunPlanned(
        task, episode, EpisodeSeed(plan, static_cast<int64_t>(i)), [&](const Scenario& now) { return subject.Begin(now, 0); }, reads));
    const PlannedEpisode& e = mine.back();
    fidelity.push_back(Spearman(e.promised, played.oracle[i].promised));
    gap.push_back(e.promised[e.taken] - played.oracle[i].promised[e.taken]);
    rollouts += e.rollouts;
    const auto world = subject.Begin(episode.start, 0);
    const auto reader = reads ? ReaderOf(task, *ContextEnd(episode.start)) : nullptr;
    promised.push_back(ScorePlans(*world, *episode.goal, played.policies[i], reader.get()));
  }
  const auto n = static_cast<double>(mine.size());
  const auto mean = [](const std::vector<double>& values) { return Mean(values); };
  const auto metric = [&](const char* name, const Estimate& e, const char* direction, std::map<std::string, double> anchors,
                          const char* source,
                          const char* note) { return MetricOf(plan, id(name), e, direction, std::move(anchors), "1", source, note); };
  ProbeResult result;
  result.metrics = {
      metric("success", Rate(mine), "higher", {{"oracle", Successes(played.oracle) / n}, {"random", Successes(played.blind) / n}}, kSource,
             "Share of true episodes that reach the goal by plans made in the subject."),
      metric("return", MeanOf(Returns(task, mine)), "higher",
             {{"oracle", mean(Returns(task, played.oracle))}, {"random", mean(Returns(task, played.blind))}}, "own",
             "1 less half of the share of steps used; 0 where the goal is not reached."),
      metric("regret", RegretOf(task, played, mine), "lower", {{"oracle", 0}, {"random", 1}}, "own",
             "Return lost against planning in the true world, as a share of what that gains over blind plans."),
      metric("fidelity-spearman", MeanOf(fidelity), "higher", {{"perfect", 1}, {"ignore", 0}}, "evaluation 3.9",
             "Rank correlation of imagined and true scores over the candidates of the first plan."),
      metric("exploitation-gap", MeanOf(gap), "neither", {{"perfect", 0}}, "own",
             "Score that the first plan promised less what it would bring in the true world.")};
  for (Metric& m : PolicyMetrics(plan, id(""), promised, played.worth)) result.metrics.push_back(std::move(m));
  if (played.episodes.front().known)
    result.metrics.push_back(metric("spl", MeanOf(Spl(played, mine)), "higher",
                                    {{"oracle", mean(Spl(played, played.oracle))}, {"random", mean(Spl(played, played.blind))}},
                                    "arXiv 1807.06757", "Success times the known way's length over that of the way taken, at most 1."));
  result.metrics[0].notes.push_back(fmt::format("{:.0f} plans imagined an episode.", static_cast<double>(rollouts) / n));
  return result;
}

}  // namespace orrery
