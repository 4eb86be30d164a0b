// What the play server serves: how to make a world, where it may start, and what to say about it.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/config.h"
#include "worlds/world.h"

namespace orrery {

// A place to begin: World::Reset(seed) goes there.
struct PlayStart {
  uint64_t seed = 0;
  std::string label;  // "episode 12, frame 40"
  std::string png;    // thumbnail, the bytes of a PNG file; may be empty
};

struct PlayWorld {
  std::string title;  // "doom"
  std::string model;  // "models/doom" or "the simulator itself"
  Json facts;         // an object of plain values, shown on the page as it is
  // One world a session. Called, and the world used, on worker threads.
  std::function<std::unique_ptr<World>()> make;
  std::vector<PlayStart> starts;  // a new session begins at the first; when empty, at seed 0
};

}  // namespace orrery
