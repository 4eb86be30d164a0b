#include "eval/planning/plans.h"

#include <algorithm>
#include <numeric>

#include "worlds/policy.h"

namespace orrery {

double PlannedEpisode::Return(int64_t limit) const {
  return reached ? 1 - 0.5 * static_cast<double>(steps) / static_cast<double>(limit) : 0;
}

namespace {

std::vector<WorldObject> ObjectsIn(const World& shown, ObjectReader* reader) {
  if (!reader) return shown.Objects();
  std::vector<uint8_t> rgb(static_cast<size_t>(3 * shown.Facts().height * shown.Facts().width));
  shown.Render(rgb);
  std::vector<WorldObject> objects;
  for (Reading& reading : reader->Read(rgb))
    if (reading.sighting == Sighting::kSeen) objects.push_back(std::move(reading.object));
  return objects;
}

}  // namespace

std::vector<double> ScorePlans(World& begun, const Goal& goal, const std::vector<ActionPlan>& plans, ObjectReader* reader) {
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
    scores[i] = goal.Score(begun, ObjectsIn(begun, reader));
    last = plan;
  }
  begun.Restore(trail.front());
  return scores;
}

std::vector<ActionPlan> OneHorizon(const PlanningTask& task, std::vector<ActionPlan> plans) {
  size_t longest = 0;
  for (const ActionPlan& plan : plans) longest = std::max(longest, plan.size());
  for (ActionPlan& plan : plans) plan.resize(longest, task.idle);
  return plans;
}

std::vector<ActionPlan> Candidates(const PlanningTask& task, World& truth, uint64_t seed, int64_t plan) {
  Rng rng(DeriveSeed(seed, static_cast<uint64_t>(plan)), "plan");
  const std::string before = truth.Snapshot();
  std::vector<ActionPlan> candidates = task.propose(truth, rng);
  truth.Restore(before);
  return candidates;
}

std::vector<ActionPlan> PolicyPlans(const PlanningTask& task, const ActionPlan& expert, const ActionSpace& actions, uint64_t seed) {
  std::vector<ActionPlan> plans;
  for (size_t i = 0; i < kPolicies; ++i) {
    Rng rng(DeriveSeed(seed, i), "slips");
    plans.push_back(expert);
    for (std::vector<float>& action : plans.back())
      if (rng.Bernoulli(task.slips[i])) action = RandomAction(actions, rng);
  }
  return plans;
}

std::unique_ptr<ObjectReader> ReaderOf(const PlanningTask& task, const World& truth, std::string* cause) {
  if (!task.objects) return nullptr;
  auto reader = MakeReader(truth, cause);
  if (!reader || reader->Name() == "tiles") return reader;
  if (cause)
    *cause = fmt::format("the task is scored by where things are, and the reader `{}` must see every frame on the way", reader->Name());
  return nullptr;
}

Scenario PlanningStart(const PlanningTask& task, const std::string& world, uint64_t seed, int64_t context, int64_t longest) {
  Scenario s;
  s.world = world;
  s.seed = seed;
  s.context = context;
  s.actions.assign(static_cast<size_t>(context - 1), task.idle);
  const auto now = ContextEnd(s);
  Rng rng(seed, "way");
  while (static_cast<int64_t>(s.actions.size()) < context + task.steps + longest) {
    const std::string before = now->Snapshot();
    ActionPlan plan = task.propose(*now, rng)[0];
    now->Restore(before);
    if (plan.empty()) plan.push_back(task.idle);
    for (const auto& action : plan) {
      now->Step(action);
      s.actions.push_back(action);
    }
  }
  return s;
}

const PlanningTask& TaskOf(const std::string& world) {
  const std::string name = world.substr(0, world.find('('));
  if (name == "maze") return PictureTask();
  if (name == "billiards") return HitTask();
  if (name == "dominoes") return MeetTask();
  if (name == "keys") return DoorTask();
  if (name == "pair") return PassTask();
  Fail("planning: maze, billiards, dominoes, keys or pair expected, got {}", world);
}

PlannedEpisode RunPlanned(const PlanningTask& task, const PlanningEpisode& episode, uint64_t seed, const Imaginer& imagine, bool reads) {
  PlannedEpisode out;
  const auto truth = ContextEnd(episode.start);
  Scenario now = episode.start;
  for (int64_t p = 0; p < task.plans; ++p) {
    const std::vector<ActionPlan> candidates = Candidates(task, *truth, seed, p);
    size_t best = 0;
    if (imagine) {
      const auto world = imagine(now);
      const auto reader = reads ? ReaderOf(task, *truth) : nullptr;
      const std::vector<double> scores = ScorePlans(*world, *episode.goal, OneHorizon(task, candidates), reader.get());
      best = static_cast<size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
      out.rollouts += static_cast<int64_t>(scores.size());
      if (p == 0) out.promised = scores, out.taken = best;
    }
    for (const auto& action : candidates[best]) {
      truth->Step(action);
      now.actions[static_cast<size_t>(now.context - 1)] = action;
      ++now.context;
      ++out.steps;
      out.done.push_back(action);
      out.reached = episode.goal->Reached(*truth) && !episode.goal->Spoilt(*truth);
      if (out.reached || episode.goal->Spoilt(*truth) || out.steps >= task.steps) return out;
    }
  }
  return out;
}

}  // namespace orrery
