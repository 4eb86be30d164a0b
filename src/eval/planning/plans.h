// What the tasks are made of.
#pragma once
#include "eval/planning/task.h"

namespace orrery {

constexpr uint64_t kPlanningSeeds = 100;  // tried for an episode

inline ActionPlan Repeated(ActionPlan plan, const std::vector<float>& action, int64_t times) {
  plan.insert(plan.end(), static_cast<size_t>(times), action);
  return plan;
}

template <class T>
void Shuffle(std::vector<T>& list, Rng& rng) {
  for (size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[static_cast<size_t>(rng.Below(static_cast<int64_t>(i)))]);
}

// The context rests; then come blind plans, until there is enough for an episode and one more plan of `longest` steps.
Scenario PlanningStart(const PlanningTask& task, const std::string& world, uint64_t seed, int64_t context, int64_t longest);

const PlanningTask& PictureTask();  // maze
const PlanningTask& HitTask();      // billiards
const PlanningTask& MeetTask();     // dominoes
const PlanningTask& DoorTask();     // keys
const PlanningTask& PassTask();     // pair

}  // namespace orrery
