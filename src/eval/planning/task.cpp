#include "eval/planning/task.h"

#include <algorithm>
#include <numeric>

namespace orrery {

double PlannedEpisode::Return(int64_t limit) const {
  return reached ? 1 - 0.5 * static_cast<double>(steps) / static_cast<double>(limit) : 0;
}

std::vector<double> ScorePlans(World& begun, const Goal& goal, const std::vector<ActionPlan>& plans) {
  std::vector<size_t> order(plans.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return plans[a] < plans[b]; });
  std::vector<std::string> trail = {begun.Snapshot()};  // along the plan that was last: what two plans share is imagined once
  std::span<const std::vector<float>> last;
  std::vector<double> scores(plans.size());
  for (const size_t i : order) {
    const ActionPlan& plan = plans[i];
    const auto shared = static_cast<size_t>(std::mismatch(plan.begin(), plan.end(), last.begin(), last.end()).first - plan.begin());
    trail.resize(shared + 1);
    begun.Restore(trail.back());
    for (size_t t = shared; t < plan.size(); ++t) {
      begun.Step(plan[t]);
      trail.push_back(begun.Snapshot());
    }
    scores[i] = goal.Score(begun);
    last = plan;
  }
  begun.Restore(trail.front());
  return scores;
}

namespace {

// Plans with idle frames (action 0 of both worlds) up to the longest: scores at different times would tell plans apart where actions do
// not.
std::vector<ActionPlan> OneHorizon(std::vector<ActionPlan> plans) {
  size_t longest = 0;
  for (const ActionPlan& plan : plans) longest = std::max(longest, plan.size());
  for (ActionPlan& plan : plans) plan.resize(longest, {0.0f});
  return plans;
}

}  // namespace

PlannedEpisode RunPlanned(const PlanningTask& task, const PlanningEpisode& episode, uint64_t seed, const Imaginer& imagine) {
  PlannedEpisode out;
  const auto truth = ContextEnd(episode.start);
  Scenario now = episode.start;
  for (int64_t p = 0; p < task.plans; ++p) {
    Rng rng(DeriveSeed(seed, static_cast<uint64_t>(p)), "plan");
    const std::vector<ActionPlan> candidates = task.propose(rng);
    size_t best = 0;
    if (imagine) {
      const auto world = imagine(now);
      const std::vector<double> scores = ScorePlans(*world, *episode.goal, OneHorizon(candidates));
      best = static_cast<size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
      out.rollouts += static_cast<int64_t>(scores.size());
      if (p == 0) out.promised = scores, out.taken = best;
    }
    for (const auto& action : candidates[best]) {
      truth->Step(action);
      now.actions[static_cast<size_t>(now.context - 1)] = action;
      ++now.context;
      ++out.steps;
      out.reached = episode.goal->Reached(*truth) && !episode.goal->Spoilt(*truth);
      if (out.reached || episode.goal->Spoilt(*truth) || out.steps >= task.steps) return out;
    }
  }
  return out;
}

}  // namespace orrery
