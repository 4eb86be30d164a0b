// Every built-in world by name.
#pragma once
#include "core/registry.h"
#include "worlds/world.h"

namespace orrery {

const Registry<std::unique_ptr<World>>& Worlds();

// From a spec string: "maze", "maze(size=15, step=continuous)". Throws Error that lists the worlds or parameters.
std::unique_ptr<World> MakeWorld(std::string_view spec);

}  // namespace orrery
