// Keys and values of all committed frames, for memories that keep everything and choose what to read.
// L layers, B batch, H heads, N tokens a frame, d head width.
#pragma once
#include "state/memory.h"

namespace orrery {

// Parts: "key/i", "value/i" [L, B, H, kChunk, N, d] for frames i kChunk .. (i + 1) kChunk - 1, added as they are needed, and
// "committed" [] int64. A fork copies the chunk it writes to, no other.
class FrameCache {
 public:
  static constexpr int64_t kChunk = 64;  // frames

  explicit FrameCache(const MemoryGeometry& geometry) : geometry_(geometry) {}

  Parts Reset() const;
  static int64_t Committed(const Parts& state);
  void Append(Parts& state, const std::vector<LayerActivation>& layers) const;
  // Frames [first, first + count) of one layer, [B, H, count N, d].
  at::Tensor Keys(const Parts& state, int64_t layer, int64_t first, int64_t count) const;
  at::Tensor Values(const Parts& state, int64_t layer, int64_t first, int64_t count) const;
  // Given frames, [B, H, frames.size() N, d].
  at::Tensor Keys(const Parts& state, int64_t layer, const std::vector<int64_t>& frames) const;
  at::Tensor Values(const Parts& state, int64_t layer, const std::vector<int64_t>& frames) const;
  size_t Bytes(int64_t frames, at::ScalarType dtype) const;  // of one session

 private:
  at::Tensor Pick(const Parts& state, const char* part, int64_t layer, const std::vector<int64_t>& frames) const;
  at::Tensor Slice(const Parts& state, const char* part, int64_t layer, int64_t first, int64_t count) const;
  MemoryGeometry geometry_;
};

}  // namespace orrery
