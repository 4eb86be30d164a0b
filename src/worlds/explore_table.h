// Plays with the balls of a table: aimed pushes, then time to watch.
#pragma once
#include "worlds/policy.h"

namespace orrery {

// Pushes the cue for a few frames towards another ball, or anywhere, and then leaves it alone for a while.
class TableExplorer : public Policy {
 public:
  explicit TableExplorer(double noise) : noise_(noise) {}

  // The world has "position" and "velocity" with the pushed ball first, and the actions of `billiards`.
  static bool Knows(const World& world);

  std::vector<float> Act(const World& world, Rng& rng) override;

 private:
  double noise_;
  int push_ = 0;    // the action
  int pushes_ = 0;  // frames left of it
  int rests_ = 0;   // frames left to watch
};

}  // namespace orrery
