// far: recent frames whole, older ones as a few coarse tokens in the same attention, with projections of their own (FAR, arXiv
// 2503.19325). The coarse tokens are pooled features of the committed frame in each layer, so nothing is run a second time (FAR commits
// the frame again at a larger patch size). Their age is compressed: w + log2(1 + delta - w) beyond the w recent frames.
// State: 2 T n D numbers a layer, n = N / pool^2. Read: c = (T - w) n tokens.
#pragma once
#include <torch/nn/modules/linear.h>

#include "state/frame_cache.h"

namespace orrery {

class FarMemory : public Memory {
 public:
  FarMemory(int64_t pool, const MemoryGeometry& geometry);

  static Facts Describe();
  MemoryFacts Declared() const override;
  std::string Spec() const override { return FormatSpec("far", {{"pool", pool_}}); }
  Parts Reset(int64_t, at::Device, at::ScalarType, uint64_t) const override { return cache_.Reset(); }
  AttentionContext Context(const Parts& state, const ReadPlan& plan, int64_t layer, const at::Tensor& query) const override;
  void Commit(Parts& state, const ReadPlan& plan, const CleanFrame& frame) const override;
  std::unique_ptr<MemoryReader> OpenClip(const ClipQuery& clip) const override { return std::make_unique<Reader>(*this, clip); }
  size_t StateBytes(int64_t frames, at::ScalarType dtype) const override { return cache_.Bytes(frames, at::kFloat); }
  MemoryCost Cost(int64_t frames) const override;
  Json Audit(const Parts& state, const ReadPlan& plan) const override;

 private:
  class Reader : public MemoryReader {
   public:
    Reader(const FarMemory& memory, const ClipQuery& clip);
    LayerRead Read(int64_t layer, const LayerActivation& own, const at::Tensor& query) override;

   private:
    const FarMemory& memory_;
    int64_t batch_, frames_;
    at::Tensor coord_, hidden_, frame_;  // [R, c, 3], [R, 1, 1, c], [c] of every layer
  };

  int64_t Coarse() const { return small_.Tokens(); }
  // features [B, T N, D] -> keys (of unit RMS) and values [B, H, T n, d], fp32.
  LayerActivation Coarsen(int64_t layer, const at::Tensor& features, int64_t frames) const;
  at::Tensor Coordinates(int64_t frames, int64_t now) const;  // [frames * n, 3]

  int64_t pool_;
  MemoryGeometry geometry_, small_;  // small: frames of n tokens
  FrameCache cache_;
  std::vector<torch::nn::Linear> project_;
  at::Tensor gate_;  // [L] bias of coarse tokens
};

}  // namespace orrery
