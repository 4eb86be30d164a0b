// Which frames of a training clip read a memory of whole frames, and frames picked from a clip.
#pragma once
#include "state/memory.h"

namespace orrery {

struct ClipRow {
  int64_t batch, frame;
};

// Frames in the loss that have something older than the `recent` newest frames before them.
std::vector<ClipRow> ReadingRows(const ClipQuery& clip, int64_t recent);
// Their places b T + t in the clip, [R] int64.
at::Tensor RowIndex(const std::vector<ClipRow>& rows, int64_t frames);
// x [B, T, ...], index [...] of places b T + t -> [index..., ...].
at::Tensor PickFrames(const at::Tensor& x, const at::Tensor& index);

}  // namespace orrery
