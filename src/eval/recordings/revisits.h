// Places that a recorded way comes back to: what the picture showed there before is the truth that a memory is asked for.
#pragma once
#include "eval/recordings/recording.h"
#include "eval/scenario.h"

namespace orrery {

// Recorded poses never return to the bit. Lengths are in strides: the median way of the recording's steps that move, so that no unit of
// the world is needed (Doom's My Way Home at frame skip 4: 27 units, a room has 112).
struct RevisitOptions {
  double near = 0.3;      // strides within which two frames show the same place, and
  double angle = 3;       // degrees within which they show it from the same side
  double away = 3.5;      // strides from it, or
  double look_away = 90;  // degrees from it, that some frame in between must have been
};

// Of poses [T, 3] x, y, angle: frames `back` that are near an earlier frame, `first` the last such before it; between them the viewer was
// away and no frame was near. `stride`: length of a stride. By `back`.
std::vector<Visit> FindRevisits(const at::Tensor& poses, double stride, const RevisitOptions& options = {});

// Median length of the steps longer than `still` of the longest one, over the recording's episodes; 0 when nothing moves. Throws Error
// when the recording has no pose.
double Stride(const RecordingWorld& recording, double still = 0.1);

constexpr int64_t kSince = 4;  // frames of the context after the place, so that who stands still does not seem to remember

struct RevisitScenario {
  Scenario scenario;  // the context shows the place in its frame `first`
  int64_t first = 0;  // context - 1 - kSince
  int64_t back = 0;   // the frame that is there again; the actions lead up to it
};

// Returns with back - first in gap .. 2 gap - 1, up to `count`, each from an episode of its own, drawn by `seed`. Throws Error when the
// recording has no pose, and on contexts of less than kSince + 1 frames; none where nobody came back.
std::vector<RevisitScenario> RecordedRevisits(std::string_view world, int64_t count, int64_t context, int64_t gap, uint64_t seed);

}  // namespace orrery
