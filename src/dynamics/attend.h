// Attention of a layer that reads a memory: frames of a clip (or one frame of a session) and context tokens of their own.
// B batch, T frames, S = T N tokens, R = B T rows, H heads, d head width, c context tokens.
#pragma once
#include "dynamics/mask.h"
#include "nn/rope.h"
#include "state/reader.h"

namespace orrery {

struct ClipTokens {
  at::Tensor q, k, v;  // [B, H, S, d], q and k rotated by `rope`
  at::Tensor k_plain;  // un-rotated; needed for far sight only
  int64_t frames, tokens;
  const RopeTable& rope;    // [S]
  const at::Tensor& coord;  // [S, 3] of the tokens
};

// Un-rotated queries.
at::Tensor PlainQueries(const ClipTokens& own);

// -> [B, H, S, d]. The fused product where a window is all there is to see. Under a mask that shows later frames there is no context.
at::Tensor Attend(const ClipTokens& own, const ClipSight& sight, const LayerContext& context, const ClipMask& mask = {});

// -> [B, H, S, d] of noisy frames: block by block each sees itself and what `sight` and `context` say of the clean frames before it.
at::Tensor AttendTwins(const ClipTokens& noisy, const ClipTokens& clean, const ClipSight& sight, const LayerContext& context,
                       const ClipMask& mask);

}  // namespace orrery
