#include "dynamics/mask.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.h"

namespace orrery {

namespace {

// The narrower of two windows; < 0: none.
int64_t Narrower(int64_t a, int64_t b) { return a < 0 || b < 0 ? std::max(a, b) : std::min(a, b); }

}  // namespace

at::Tensor FrameMask(const ClipMask& mask, int64_t frames, int64_t reach) {
  ORRERY_CHECK(mask.block >= 1 && mask.sink >= 0);
  if (mask.kind == ClipMask::Kind::kFull) return at::ones({frames, frames}, at::kBool);
  const at::Tensor query = at::arange(frames, at::kLong).unsqueeze(1), key = query.t();
  const at::Tensor first = query.floor_divide(mask.block) * mask.block;  // of the query's block
  const int64_t window = Narrower(mask.window, reach);
  at::Tensor past = key < first;
  if (window >= 0) past = past & ((query - key <= window) | (key < mask.sink));
  const at::Tensor own = key.floor_divide(mask.block) == query.floor_divide(mask.block);
  const at::Tensor seen = past | own;
  if (!mask.Twins()) return seen;
  return at::cat({at::cat({seen, at::zeros_like(seen)}, 1), at::cat({past, own}, 1)}, 0);
}

at::Tensor TokenMask(const at::Tensor& frame_mask, int64_t tokens) {
  return frame_mask.repeat_interleave(tokens, 0).repeat_interleave(tokens, 1);
}

}  // namespace orrery
