// dense(): keys and values of every frame, the upper bound of implicit context management (full causal attention with a KV cache).
// State: 2 T N D numbers a layer. Read: c = T N tokens.
#pragma once
#include "state/frame_cache.h"

namespace orrery {

class DenseMemory : public Memory {
 public:
  explicit DenseMemory(const MemoryGeometry& geometry) : geometry_(geometry), cache_(geometry) {}

  static Facts Describe();
  MemoryFacts Declared() const override;
  std::string Spec() const override { return "dense()"; }
  Parts Reset(int64_t batch, at::Device device, at::ScalarType dtype, uint64_t seed) const override { return cache_.Reset(); }
  AttentionContext Context(const Parts& state, const ReadPlan& plan, int64_t layer, const at::Tensor& query) const override;
  void Commit(Parts& state, const ReadPlan& plan, const CleanFrame& frame) const override { cache_.Append(state, frame.layers); }
  std::unique_ptr<MemoryReader> OpenClip(const ClipQuery&) const override { return std::make_unique<WindowReader>(-1); }
  size_t StateBytes(int64_t frames, at::ScalarType dtype) const override { return cache_.Bytes(frames, dtype); }
  MemoryCost Cost(int64_t frames) const override;
  Json Audit(const Parts& state, const ReadPlan& plan) const override;

 private:
  MemoryGeometry geometry_;
  FrameCache cache_;
};

}  // namespace orrery
