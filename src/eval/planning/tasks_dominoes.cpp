// dominoes: two waves that shall meet at a given place.
#include <algorithm>
#include <cmath>

#include "eval/planning/plans.h"

namespace orrery {

namespace {

const std::vector<float> kNone = {0}, kFirst = {1}, kLast = {2};
constexpr int64_t kSteps = 72;                  // of a plan: the slower wave has gone through
constexpr int64_t kMostDelay = 40, kApart = 4;  // frames between the pushes
constexpr double kLeans = 0.5;                  // pixels that a domino's upper end is off its middle

// One end is pushed, the other some frames later, or never.
std::vector<ActionPlan> Pushes(World&, Rng& rng) {
  std::vector<ActionPlan> plans;
  for (const auto& [first, second] : {std::pair{kFirst, kLast}, std::pair{kLast, kFirst}}) {
    for (int64_t delay = 0; delay <= kMostDelay; delay += kApart)
      plans.push_back(Repeated(Repeated(Repeated({}, first, 1), kNone, delay), second, 1));
    plans.push_back({first});
  }
  for (ActionPlan& plan : plans) plan.resize(static_cast<size_t>(kSteps), kNone);
  Shuffle(plans, rng);
  return plans;
}

class MeetGoal : public Goal {
 public:
  // The first `right` of `count` dominoes shall fall to the right, the others to the left.
  MeetGoal(int64_t count, int64_t right) : count_(count), right_(right) {}

  // Share of dominoes that lean as they should less that of those that lean otherwise or are not there.
  double Score(const World&, const std::vector<WorldObject>& objects) const override {
    int64_t sum = std::ssize(objects) - count_;
    for (const WorldObject& domino : objects) sum += Right(domino) - Wrong(domino);
    return static_cast<double>(sum) / static_cast<double>(count_);
  }
  bool Reached(const World& truth) const override {
    const auto objects = truth.Objects();
    return std::all_of(objects.begin(), objects.end(), [&](const WorldObject& domino) { return Right(domino); });
  }
  bool Spoilt(const World& truth) const override {
    const auto objects = truth.Objects();
    return std::any_of(objects.begin(), objects.end(), [&](const WorldObject& domino) { return Wrong(domino); });
  }

 private:
  // The angle, as the way of the upper end in pixels, counts to the left.
  double Lean(const WorldObject& domino) const { return domino.id <= right_ ? -domino.more[0] : domino.more[0]; }
  bool Right(const WorldObject& domino) const { return Lean(domino) > kLeans; }
  bool Wrong(const WorldObject& domino) const { return Lean(domino) < -kLeans; }

  int64_t count_, right_;
};

// Steps until the goal is reached by a plan that leaves it so to its end; none: it is not.
std::optional<int64_t> StepsOf(const Scenario& start, const Goal& goal, const ActionPlan& plan) {
  const auto world = ContextEnd(start);
  std::optional<int64_t> steps;
  for (size_t t = 0; t < plan.size(); ++t) {
    world->Step(plan[t]);
    if (goal.Spoilt(*world)) return std::nullopt;
    if (!steps && goal.Reached(*world)) steps = static_cast<int64_t>(t) + 1;
  }
  return goal.Reached(*world) ? steps : std::nullopt;
}

// A place at least two dominoes from either end that some candidate meets; the fastest one is the expert's.
PlanningEpisode MeetEpisode(const std::string& world, uint64_t seed, int64_t context) {
  for (uint64_t k = 0; k < kPlanningSeeds; ++k) {
    PlanningEpisode episode;
    episode.start = PlanningStart(MeetTask(), world, DeriveSeed(seed, k), context, kSteps);
    const auto now = ContextEnd(episode.start);
    const int64_t count = std::ssize(now->Objects());
    Rng rng(DeriveSeed(seed, k), "goal");
    const auto goal = std::make_shared<MeetGoal>(count, 2 + rng.Below(count - 3));
    for (const ActionPlan& plan : Pushes(*now, rng)) {
      const auto steps = StepsOf(episode.start, *goal, plan);
      if (!steps || (episode.known && *episode.known <= *steps)) continue;
      episode.known = steps;
      episode.expert = plan;
    }
    episode.goal = goal;
    if (episode.known) return episode;
  }
  Fail("planning: in none of {} chains of {} do two waves meet where they should", kPlanningSeeds, world);
}

}  // namespace

const PlanningTask& MeetTask() {
  static const PlanningTask task = {"meet", kSteps, 1, true, kNone, {0, 0.01, 0.03, 0.08, 0.25, 1}, Pushes, MeetEpisode};
  return task;
}

}  // namespace orrery
