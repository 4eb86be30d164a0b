// One player's world: steps, pictures, kept states and the frames of the film.
#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "serve/protocol.h"
#include "worlds/world.h"

namespace orrery {

struct Picture {
  uint32_t sequence = 0, tick = 0;
  bool jump = false;
  float step_ms = 0;
  Action action;
  std::vector<uint8_t> rgb;  // [H, W, 3]
};
using PicturePtr = std::shared_ptr<const Picture>;

struct PlayLimits {
  size_t film_bytes = size_t{64} << 20;
  size_t keep_bytes = size_t{256} << 20;
  size_t keep_count = 12;
};

// Used by one thread at a time. Every call that moves the world returns the picture after it.
class PlaySession {
 public:
  struct Kept {
    int64_t id = 0;
    uint32_t tick = 0;
    uint64_t seed = 0;
    std::string snapshot;
  };

  PlaySession(std::unique_ptr<World> world, const PlayLimits& limits);

  PicturePtr Reset(uint64_t seed);
  PicturePtr Step(std::span<const float> action);

  // Keeps the present state; returns its id. The oldest are dropped when limits are passed. Throws Error when a
  // single state is larger than the limit.
  int64_t Keep();
  // Throws Error when `id` is not kept (any more).
  PicturePtr Rewind(int64_t id);
  void Forget(int64_t id);

  const WorldFacts& Facts() const { return world_->Facts(); }
  const std::deque<Kept>& KeptStates() const { return kept_; }
  uint64_t Seed() const { return seed_; }  // of the last reset, or of the state rewound to
  // The newest frames within film_bytes, oldest first.
  std::vector<PicturePtr> Film() const { return {film_.begin(), film_.end()}; }

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  PicturePtr Show(TimePoint since, std::optional<Action> action);  // no action: a jump
  std::deque<Kept>::iterator Find(int64_t id);

  std::unique_ptr<World> world_;
  PlayLimits limits_;
  uint32_t sequence_ = 0, tick_ = 0;
  uint64_t seed_ = 0;
  int64_t next_id_ = 1;
  std::deque<Kept> kept_;
  std::deque<PicturePtr> film_;
};

}  // namespace orrery
