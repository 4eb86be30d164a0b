// moba: every head of a layer reads the k old frames whose mean key answers the frame's mean query best (Mixture of Block Attention,
// arXiv 2502.13189, a block being a frame); no parameters. With `anchor` the first frame is always read and does not use up k, and old
// frames are chosen beside the newest ones, which a window holds: the rules of Mixture of Contexts (arXiv 2508.21058).
// State: 2 T N D numbers and T D of mean keys a layer. Select: T D a layer. Read: c = k N tokens.
#pragma once
#include "state/frame_cache.h"

namespace orrery {

class MobaMemory : public Memory {
 public:
  MobaMemory(int64_t k, bool anchor, const MemoryGeometry& geometry);

  static Facts Describe();
  MemoryFacts Declared() const override;
  std::string Spec() const override { return FormatSpec("moba", {{"k", k_}, {"anchor", anchor_}}); }
  Parts Reset(int64_t, at::Device, at::ScalarType, uint64_t) const override { return cache_.Reset(); }
  AttentionContext Context(const Parts& state, const ReadPlan& plan, int64_t layer, const at::Tensor& query) const override;
  bool ReadsQueries() const override { return true; }
  void Commit(Parts& state, const ReadPlan& plan, const CleanFrame& frame) const override;
  std::unique_ptr<MemoryReader> OpenClip(const ClipQuery& clip) const override { return std::make_unique<Reader>(*this, clip); }
  size_t StateBytes(int64_t frames, at::ScalarType dtype) const override;
  MemoryCost Cost(int64_t frames) const override;
  Json Audit(const Parts& state, const ReadPlan& plan) const override;

 private:
  class Reader : public MemoryReader {
   public:
    Reader(const MobaMemory& memory, const ClipQuery& clip) : memory_(memory), frames_(clip.frames) {}
    LayerRead Read(int64_t layer, const LayerActivation& own, const at::Tensor& query) override;
    bool WantsTokens() const override { return true; }

   private:
    const MobaMemory& memory_;
    int64_t frames_;
  };

  double FarTime() const { return static_cast<double>(geometry_.recent + 1); }
  // gates [..., T] of frames, best k of the first `candidates` (frame 0 apart with an anchor) -> [..., T] bool.
  at::Tensor Select(const at::Tensor& gates, int64_t candidates) const;

  int64_t k_;
  bool anchor_;
  MemoryGeometry geometry_;
  FrameCache cache_;
};

}  // namespace orrery
