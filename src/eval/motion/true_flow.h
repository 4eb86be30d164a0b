// The flow that a built-in world knows: what estimated flow is held against.
#pragma once
#include "eval/motion/flow.h"
#include "eval/scenario.h"
#include "worlds/world.h"

namespace orrery {

// Where what the pixels of `before` show is in the picture of `after`, the same world a frame later: [H, W, 2] fp64, pixels. maze: from
// depth and pose, for what stands still (its objects do). billiards: balls move by what their middles do, the table stands still; of
// shadows it knows nothing. NaN where the point is out of the picture then. Not defined (a tensor without storage) for other worlds.
at::Tensor TrueFlow(const World& before, const World& after);

// How far FlowField is off on a scenario's true frames context .. T, over pixels that truly move: length of the difference, px.
struct FlowFloor {
  double median = 0,
         ninth = 0;  // ninth: nine tenths of the pixels are not further off
  double speed = 0;  // median true speed of those pixels, px a frame
  int64_t pixels = 0;
};
// Empty where TrueFlow is not defined, or nothing moves.
std::optional<FlowFloor> MeasureFlow(const Scenario& scenario);

}  // namespace orrery
