// Who acts while a world is recorded.
#pragma once
#include "core/registry.h"
#include "core/rng.h"
#include "worlds/world.h"

namespace orrery {

// May remember what it did; one object an episode.
class Policy {
 public:
  virtual ~Policy() = default;
  // The next action in the world as it is now: Facts().actions.Width() values, valid for its action space. All chance
  // comes from `rng`.
  virtual std::vector<float> Act(const World& world, Rng& rng) = 0;
};

// random, sticky(repeat=...), explore(noise=...).
const Registry<std::unique_ptr<Policy>>& Policies();

// From a spec string. Throws Error that lists the policies or parameters.
std::unique_ptr<Policy> MakePolicy(std::string_view spec);

// Any action of the space alike: a uniform index, or uniform in [low, high] ([-1, 1] where unbounded).
std::vector<float> RandomAction(const ActionSpace& actions, Rng& rng);

}  // namespace orrery
