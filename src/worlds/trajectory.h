// Planned ways through a world, for tests of memory: to go and come back, to look away, to hide something. They are planned from the
// true state, so that nothing bumps into anything, and tell which frames must look alike.
#pragma once
#include <functional>

#include "core/registry.h"
#include "core/rng.h"
#include "worlds/world.h"

namespace orrery {

using ActionList = std::vector<std::vector<float>>;

// A frame that shows what an earlier one showed: the viewer is in the same pose, having left it in between. Frame 0 is before the first
// action. `first` is the last frame in that pose before it was left; the gap in frames is back - first.
struct Visit {
  int64_t first = 0, back = 0;
  bool operator==(const Visit&) const = default;
};

// Frames [from, to) in which an object that was seen before shows no pixel; `to` may be the number of frames.
struct HiddenSpan {
  int64_t object = 0, from = 0, to = 0;
  bool operator==(const HiddenSpan&) const = default;
};

struct Trajectory {
  ActionList actions;              // one a frame
  std::vector<Visit> visits;       // by `back`; none where the view does not move
  std::vector<HiddenSpan> hidden;  // by `from`; none where the world has no ids
  // The visit with the longest gap, or null.
  const Visit* LongestVisit() const;
};

// The world, in its present state, has no place for what was asked; another seed may have.
class NoRoom : public Error {
 public:
  using Error::Error;
};

// Actions from the world's present state on. The world may be stepped; who calls puts it back.
using Planner = std::function<ActionList(World& world, Rng& rng)>;

// maze (lattice steps): out-and-back, loop, square-loop, figure-eight, full-turn, look-away, gap, palindrome, mirror, waypoints, hunt;
// keys and pair: look-away, solve; keys: try-rules; pair: behind-back; occluder: hide; everywhere: script, policy.
const Registry<Planner>& Trajectories();

// Plans by a spec string and runs the plan once for its visits and hidden spans; the world is left as it was. Throws NoRoom, or Error
// when the world is of another kind than the trajectory knows.
Trajectory PlanTrajectory(std::string_view spec, World& world, uint64_t seed);

// Visits and hidden spans of given actions; the world is left as it was.
Trajectory Follow(World& world, ActionList actions);

// Trajectories of `specs`, drawn alike, one after another from where the last one ended, until there are `frames` actions. The world is
// left as it was. For recordings that keep coming back to what they showed. Throws NoRoom where none of them has room, Error where one
// cannot begin (in the maze off the middle of a cell: a policy leaves one there, waypoints do not).
ActionList PlanWays(const std::vector<std::string>& specs, World& world, uint64_t seed, int64_t frames);

// The first of `tries` seeds from `first` on whose world, after Reset, has room; the world is left reset to it. Throws NoRoom with the
// last reason when none has.
uint64_t SeedWithRoom(std::string_view spec, World& world, uint64_t first, int64_t tries = 1000);

// Of the maze, in trajectory_maze.cpp; of the grids, in trajectory_keys.cpp.
std::vector<Registry<Planner>::Entry> MazeTrajectories();
ActionList SolveKeys(World& world);
// keys: acts at random, tries the other key on the door (twice, in vain), puts it down, solves the rooms, and says done until `frames` are
// over. Throws NoRoom when that is too few.
ActionList TryRules(World& world, int64_t frames, Rng& rng);
// Of the world pair with a view: the agent who looks rests for `before` frames in sight of the lever, turns its back for `hold` frames, in
// which the other agent goes to the lever and throws it, turns round again and rests for `after` frames.
ActionList BehindBack(World& world, int64_t before, int64_t hold, int64_t after);
// Turns away by `degrees`, holds for `hold` frames, turns back. The maze turns by 15 degrees, keys and pair by 90.
ActionList LookAway(World& world, int64_t degrees, int64_t hold);

}  // namespace orrery
