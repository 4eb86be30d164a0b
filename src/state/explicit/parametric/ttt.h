// ttt(): the state of a branch is the weights of a small model a head, trained by one gradient step a frame on a loss of its own and read
// by running it. TTT layers (Sun et al., arXiv 2407.04620), in video arXiv 2504.05298:
//   f(x) = x + LN(g(x)), g linear (x W + b) or an MLP of hidden width 4 d with GELU
//   l = sum_i eta_i / N 0.5 || LN(g(k_i)) - t_i ||^2,  t = v - k standardised with LN's scale and shift,  eta_i = eta sigmoid(w y_i + c) /
//   d
// q and k have unit length and are rotated by their place in the frame. A mini-batch is a frame, and there is one direction of time.
// What a head begins with, LN and the rates are learned; the weights that a session holds are its state.
// State: H (d^2 + d) numbers a branch, MLP: H (8 d^2 + 5 d). Read N W d (MLP 8 N W d), write 2 N W d (MLP 20 N W d) beside the
// projections.
#pragma once
#include "state/explicit/branch_memory.h"
#include "state/explicit/parametric/fast_weights.h"

namespace orrery {

struct TttOptions {
  BranchOptions branch;
  std::string model = "linear";  // or "mlp"
  double eta = 1;                // inner learning rate
};

// The weights after one step on the loss above. key, target [..., n, d]; rate [..., n]: eta_i / N.
FastWeights TttStep(const FastWeights& weights, const FastNorm& norm, const at::Tensor& key, const at::Tensor& target,
                    const at::Tensor& rate);

class TttMemory : public BranchMemory {
 public:
  TttMemory(const TttOptions& options, const MemoryGeometry& geometry);

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
  Tensors Start(int64_t i) const override { return start_[static_cast<size_t>(i)]; }
  Macs Count(int64_t i) const override;
  Json Rates(int64_t i) const override;  // eta_i of a mean token, a head

 private:
  bool Linear() const { return options_.model == "linear"; }
  at::Tensor UnitPlaced(const at::Tensor& x) const;  // [B, T, N, W] -> [B, H, T, N, d] of unit length, rotated
  FastNorm NormOfFrames(int64_t i) const;            // to go with [B, H, T, N, d]

  TttOptions options_;
  std::vector<torch::nn::Linear> query_, key_value_, rate_;
  std::vector<FastNorm> norm_;  // [H, 1, d]
  std::vector<Tensors> start_;
};

}  // namespace orrery
