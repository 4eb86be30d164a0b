// window(n): keys and values of the last n frames, the baseline of implicit context management (sliding-window KV cache).
// State: 2 n N D numbers a layer once full. Read: c = min(T, n) N tokens.
#pragma once
#include "state/memory.h"

namespace orrery {

class WindowMemory : public Memory {
 public:
  WindowMemory(int64_t frames, const MemoryGeometry& geometry);

  static Facts Describe();
  MemoryFacts Declared() const override;
  std::string Spec() const override;
  Parts Reset(int64_t batch, at::Device device, at::ScalarType dtype, uint64_t seed) const override;
  ReadPlan BeginFrame(const Parts& state, const FrameQuery& query) const override;
  AttentionContext Context(const Parts& state, const ReadPlan& plan, int64_t layer, const at::Tensor& query) const override;
  void Commit(Parts& state, const ReadPlan& plan, const CleanFrame& frame) const override;
  void TakeOlder(Parts&, const Parts&) const override {}  // all its frames are the newest
  std::unique_ptr<MemoryReader> OpenClip(const ClipQuery&) const override { return std::make_unique<WindowReader>(frames_); }
  size_t StateBytes(int64_t frames, at::ScalarType dtype) const override;
  MemoryCost Cost(int64_t frames) const override;
  Json Audit(const Parts& state, const ReadPlan& plan) const override;

 private:
  int64_t frames_;
  MemoryGeometry geometry_;
};

}  // namespace orrery
