// anchor: the first frame of a session as a fixed point of appearance, mixed into every token by cross-attention with a gate that begins
// shut in effect (StreamingT2V's appearance preservation, arXiv 2403.14773; its short-term part, attention to the last frames, is
// window(n)). Tokens of frame 0 are pooled to m tokens by a two-layer network.
// State: 2 m W numbers a branch and one that says whether they are set. Read 2 N m W beside the projections.
#pragma once
#include "state/explicit/branch_memory.h"

namespace orrery {

struct AnchorOptions {
  BranchOptions branch{.heads = 2, .dim = 64, .every = 1, .router = 0, .gated = false};
  int64_t pool = 1;  // p x p tokens of the frame become one
};

class AnchorMemory : public BranchMemory {
 public:
  AnchorMemory(const AnchorOptions& options, const MemoryGeometry& geometry);

  static Facts Describe();
  static std::shared_ptr<Memory> Make(const Json& params, const MemoryGeometry& geometry);
  MemoryFacts Declared() const override;
  std::string Spec() const override;

 protected:
  Tensors Query(int64_t i, const at::Tensor& y, int64_t first) const override;
  Tensors Write(int64_t i, const at::Tensor& y, int64_t first) const override;
  Tensors Advance(int64_t i, const Tensors& write, Tensors& state) const override;
  at::Tensor Read(int64_t i, const Tensors& query, const Tensors& states) const override;
  std::vector<Piece> Layout(int64_t i) const override;
  Macs Count(int64_t i) const override;

 private:
  int64_t Kept() const { return geometry_.Tokens() / (anchor_.pool * anchor_.pool); }  // m

  AnchorOptions anchor_;
  std::vector<torch::nn::Linear> query_, hidden_, key_value_;
};

}  // namespace orrery
