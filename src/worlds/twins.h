// Intervention twins: one scene run twice from the same state under the same actions, once with a hand's change in between. What
// differs afterwards is what the change caused.
#pragma once
#include <set>

#include "worlds/world.h"

namespace orrery {

struct TwinPlan {
  std::vector<std::vector<float>> actions;  // one a frame
  std::string intervention;                 // empty: none, the null twin
  int64_t at = 0;                           // before which action it happens, 0..actions.size()
};

// What was so after every action; index 0 is the common start.
struct TwinRun {
  std::vector<std::vector<WorldObject>> objects;  // sorted by id
  std::vector<std::vector<WorldEvent>> events;    // of the step that led there
  std::vector<uint8_t> frames;                    // [T + 1, H, W, 3]
};

// Runs the plan from the world's present state; the world is left at the end. `change` false: without the intervention.
TwinRun RunTwin(World& world, const TwinPlan& plan, bool change);

// How far one object is from where the other twin has it: the largest difference of its numbers; infinite when only one has it.
double ObjectDistance(const WorldObject& a, const WorldObject& b);

// Objects that differ by more than `delta` in some frame up to `last` (inclusive; < 0: all), or exist in one twin only.
std::set<int64_t> CausalSet(const TwinRun& factual, const TwinRun& changed, double delta, int64_t last = -1);

}  // namespace orrery
