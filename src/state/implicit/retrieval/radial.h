// radial: attention whose spatial width halves each time the distance in frames doubles (Radial Attention, arXiv 2506.19852): a static
// mask of O(log T) tokens a query. Frame distance delta, g = 2^floor(log2 delta), N tokens a frame: g <= N sees tokens n' with
// |n - n'| + 1 <= N / g; farther frames only where delta mod (g / N) = 0 and n = n'. The first frame is always seen (a sink).
// Nothing can be evicted, for a token comes back at other distances: state 2 T N D numbers a layer.
#pragma once
#include "state/frame_cache.h"

namespace orrery {

class RadialMemory : public Memory {
 public:
  RadialMemory(bool sink, const MemoryGeometry& geometry) : sink_(sink), geometry_(geometry), cache_(geometry) {}

  static Facts Describe();
  MemoryFacts Declared() const override;
  std::string Spec() const override { return FormatSpec("radial", {{"sink", sink_}}); }
  Parts Reset(int64_t, at::Device, at::ScalarType, uint64_t) const override { return cache_.Reset(); }
  ReadPlan BeginFrame(const Parts& state, const FrameQuery& query) const override;
  AttentionContext Context(const Parts& state, const ReadPlan& plan, int64_t layer, const at::Tensor& query) const override;
  void Commit(Parts& state, const ReadPlan& plan, const CleanFrame& frame) const override { cache_.Append(state, frame.layers); }
  std::unique_ptr<MemoryReader> OpenClip(const ClipQuery& clip) const override;
  size_t StateBytes(int64_t frames, at::ScalarType dtype) const override { return cache_.Bytes(frames, dtype); }
  MemoryCost Cost(int64_t frames) const override;
  Json Audit(const Parts& state, const ReadPlan& plan) const override;

  // [N, N] bool, query by key: what a frame sees of one `distance` frames before it; `first`: that one is frame 0.
  at::Tensor Seen(int64_t distance, bool first) const;
  // Past frames of which anything is seen after `frames` frames, oldest first.
  std::vector<int64_t> Frames(int64_t frames) const;

 private:
  int64_t Every(int64_t distance) const;

  bool sink_;
  MemoryGeometry geometry_;
  FrameCache cache_;
};

}  // namespace orrery
