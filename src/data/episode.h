// Episodes in memory and the facts of a data set.
#pragma once
#include <ATen/core/Tensor.h>

#include <string>

#include "core/action_space.h"

namespace orrery {

// T+1 frames joined by T actions. In memory action[t] leads *to* frame t, so row 0 is a dummy (zeros) and every tensor
// has T+1 rows. On disk (Minari's convention) row t is the action taken while frame t is on screen.
struct Episode {
  at::Tensor frames;   // [T+1, H, W, 3] uint8, RGB
  at::Tensor actions;  // [T+1, A] float32: A = ActionSpace::Width(); a discrete action is its index; undefined when A = 0
  at::Tensor pose;     // [T+1, 3] float32 x, y, angle (radians); undefined when the set has none
  uint64_t seed = 0;   // world seed, when recorded from a world

  int64_t Frames() const { return frames.size(0); }
};

struct DatasetFacts {
  std::string name;    // "doom"
  std::string source;  // world spec ("maze(size=9)"), "gymnasium:VizdoomMyWayHome-v1", "videos:DIR"
  int64_t height = 0, width = 0;
  double fps = 15;
  ActionSpace actions;
  bool has_pose = false;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(DatasetFacts, name, source, height, width, fps, actions, has_pose)

}  // namespace orrery
