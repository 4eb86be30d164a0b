#include "worlds/explore_table.h"

#include <cmath>
#include <numbers>

namespace orrery {

bool TableExplorer::Knows(const World& world) {
  const std::vector<StateVariable> state = world.TrueState();
  return world.Facts().actions.count == 9 && state.size() >= 2 && state[0].name == "position" && state[1].name == "velocity";
}

std::vector<float> TableExplorer::Act(const World& world, Rng& rng) {
  if (rng.Bernoulli(noise_)) return RandomAction(world.Facts().actions, rng);
  if (rests_ > 0) {
    --rests_;
    return {0};
  }
  if (pushes_ == 0) {
    const StateVariable position = world.TrueState()[0];
    push_ = 1 + static_cast<int>(rng.Below(8));
    if (position.shape[0] > 1 && rng.Bernoulli(0.7)) {
      const size_t target = 1 + static_cast<size_t>(rng.Below(position.shape[0] - 1));
      const double dx = position.values[2 * target] - position.values[0], dy = position.values[2 * target + 1] - position.values[1];
      const int eighth = static_cast<int>(std::lround(std::atan2(dy, dx) / (std::numbers::pi / 4)));
      push_ = 1 + (eighth + 8) % 8;
    }
    pushes_ = 1 + static_cast<int>(rng.Below(6));
  }
  if (--pushes_ == 0) rests_ = static_cast<int>(rng.Below(30));
  return {static_cast<float>(push_)};
}

}  // namespace orrery
