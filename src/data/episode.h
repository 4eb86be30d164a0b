// Episodes in memory and the facts of a data set.
#pragma once
#include <ATen/core/Tensor.h>

#include <optional>
#include <span>
#include <string>

#include "core/action_space.h"

namespace orrery {

// An episode that shares its beginning with an earlier one of the same set, then goes on under other actions: what differs afterwards is
// what those actions did. Its frames 0 .. at are frames begin .. begin + at of that episode.
struct TwinMark {
  int64_t of = 0;     // index of the earlier episode, which is no twin itself
  int64_t begin = 0;  // its frame that frame 0 of the twin repeats
  int64_t at = 0;     // frame of the twin, the last that both share
  bool operator==(const TwinMark&) const = default;
  // Why it cannot be the mark of an episode of `count` frames in a set whose earlier episodes have `frames` (0 for a twin); empty: it can.
  std::string Fault(int64_t count, std::span<const int64_t> frames) const;
};

// T+1 frames joined by T actions. In memory action[t] leads *to* frame t, so row 0 is a dummy (zeros) and every tensor
// has T+1 rows. On disk (Minari's convention) row t is the action taken while frame t is on screen.
struct Episode {
  at::Tensor frames;   // [T+1, H, W, 3] uint8, RGB
  at::Tensor actions;  // [T+1, A] float32: A = ActionSpace::Width(); a discrete action is its index; undefined when A = 0
  at::Tensor pose;     // [T+1, 3] float32 x, y, angle (radians); undefined when the set has none
  uint64_t seed = 0;   // world seed, when recorded from a world
  std::optional<TwinMark> twin = std::nullopt;

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
