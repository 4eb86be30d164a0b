// What happened to things while nobody saw them: progress out of sight, identity, error (after STEVO-Bench, arXiv 2603.13215).
#pragma once
#include <span>
#include <vector>

#include "eval/causality/object_effects.h"

namespace orrery {

// A thing that was seen, showed no pixel for a while, and came back.
struct Occlusion {
  int64_t object = 0;
  int64_t seen = 0;    // last frame in which it showed before
  int64_t back = 0;    // first frame in which it shows at least half of the most pixels that it ever shows
  int64_t length = 0;  // frames without a pixel in between
  bool operator==(const Occlusion&) const = default;
};
// From id buffers [frames, H, W] (RecordIds), by `seen`. Things that never come back, or show no half before they go again, are left out.
std::vector<Occlusion> FindOcclusions(std::span<const int32_t> ids, int64_t frames);

// Sums over the things of one film. s is a thing's place; one that is missing from the film has made no progress and is off by its whole
// way and `missing` pixels.
struct ReturnSums {
  double product = 0;     // <s_made - s_seen, s_true - s_seen>
  double square = 0;      // |s_true - s_seen|^2
  double error = 0;       // |s_made - s_true|
  double take_error = 0;  // of a second take
  int64_t things = 0;
  int64_t same = 0;    // of them of the right kind, colour and shape (WorldObject::kind and more)
  int64_t moved = 0;   // of them whose true way is at least kMovedPixels
  int64_t paused = 0;  // of those, whose own product / square lies within +-kPausedShare
  ReturnSums& operator+=(const ReturnSums& other);
};
constexpr double kMovedPixels = 8, kPausedShare = 0.2, kMissingPixels = 8;

// Films of all frames from frame 0 on (`truth`, `take`), and of frames `first` .. (`made`). Throws Error when an occlusion ends outside.
ReturnSums CompareReturns(std::span<const Occlusion> occlusions, const ObjectFilm& truth, const ObjectFilm& take, const ObjectFilm& made,
                          int64_t first);

}  // namespace orrery
