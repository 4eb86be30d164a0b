// Which frames of a clip see which, beside what a memory says: the masks that objectives train with.
// T frames, F = T or 2 T, N tokens a frame.
#pragma once
#include <ATen/core/Tensor.h>

namespace orrery {

struct ClipMask {
  enum class Kind {
    kCausal,         // frames up to its own; with block > 1: up to the end of its own block
    kFull,           // all frames of the clip, later ones too
    kTeacherForced,  // a clip of clean frames, then the same frames noisy (arXiv 2506.08009): clean ones see each other as under kCausal,
                     // a noisy block sees itself and the clean blocks before it
  };
  Kind kind = Kind::kCausal;
  int64_t block = 1;    // frames that are made together
  int64_t window = -1;  // frames before its own that a frame sees; < 0: all
  int64_t sink = 0;     // first frames of the clip that are seen from beyond the window too

  bool Twins() const { return kind == Kind::kTeacherForced; }
  // Each frame sees itself and the past: what memories say as it is, by the fused products.
  bool Plain() const { return kind == Kind::kCausal && block == 1 && window < 0; }
};

// [F, F] bool, query by key, F = 2 T under kTeacherForced. A memory's `reach` (< 0: all) narrows the window.
at::Tensor FrameMask(const ClipMask& mask, int64_t frames, int64_t reach = -1);
// [F N, F N] of a mask of frames.
at::Tensor TokenMask(const at::Tensor& frame_mask, int64_t tokens);

}  // namespace orrery
