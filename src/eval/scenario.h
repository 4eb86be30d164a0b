// What is filmed: a world, a seed, actions, and perhaps a hand's change; and the truth of it.
#pragma once
#include <ATen/core/Tensor.h>

#include <functional>

#include "worlds/world.h"

namespace orrery {

// Frame 0 is the beginning of the world; actions[t] leads from frame t to frame t + 1.
struct Scenario {
  std::string world;                        // spec
  uint64_t seed = 0;                        // of the world
  int64_t context = 8;                      // frames 0 .. context - 1 are shown to the subject, with the actions between them
  std::vector<std::vector<float>> actions;  // T of them, of the whole film
  std::string intervention;                 // spec; empty: none
  int64_t at = 0;                           // before which action it happens, 0 .. T; the first frame that can show it is at + 1
  uint64_t take = 0;                        // World::Perturb at frame 0

  int64_t Last() const { return static_cast<int64_t>(actions.size()); }  // index of the last frame
  // Whether the context shows what the intervention did.
  bool InContext() const { return !intervention.empty() && at < context - 1; }
  uint64_t Id() const;  // a hash of all of it
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Scenario, world, seed, context, actions, intervention, at, take)

// The seed of sample number `sample`. It does not depend on intervention and actions: twins share their noise.
uint64_t SampleSeed(const Scenario& scenario, uint64_t sample);

// What was shown and was so at N frames in a row.
struct Film {
  at::Tensor frames;                              // [N, H, W, 3] uint8
  std::vector<std::vector<WorldObject>> objects;  // sorted by id; empty lists from a world without
  std::vector<std::vector<WorldEvent>> events;    // of the step that led there
  std::vector<Pose> poses;                        // N, or none

  int64_t Count() const { return frames.defined() ? frames.size(0) : 0; }
};

struct Truth {
  Film film;                // frames 0 .. T
  std::string context_end;  // World::Snapshot at frame context - 1, before an intervention that happens there
};

// Throws Error unless context lies in 1 .. T + 1, `at` in 0 .. T, and the world can be made.
std::unique_ptr<World> StartWorld(const Scenario& scenario);  // at frame 0
// Steps a world from frame 0 to frame context - 1, with the intervention if it belongs there; `look` sees every frame, 0 included.
void RunContext(World& world, const Scenario& scenario, const std::function<void(const World&)>& look = {});
std::unique_ptr<World> ContextEnd(const Scenario& scenario);  // both

// Frames first + 1 .. last of a world that shows frame `first` now. Throws Error when it does not take the intervention.
Film RecordFilm(World& world, const Scenario& scenario, int64_t first, int64_t last);

// The same scenario gives the same truth to the bit.
Truth MakeTruth(const Scenario& scenario);

}  // namespace orrery
