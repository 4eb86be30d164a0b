// titans(): as ttt, with momentum over the gradients (surprise) and learned forgetting. Titans (arXiv 2501.00663), a head a model
//   M(x) = x + gelu(x W1) W2,   l = mean_i || M(k_i) - v_i ||^2 over the tokens of a frame
//   S_t = eta_t S_{t-1} - theta_t grad l(M_{t-1}),   M_t = (1 - alpha_t) M_{t-1} + S_t,   read M_{t-1}(q)
// theta, eta, alpha are sigmoids of the frame's mean token, a head; the norm of a head's gradient is clipped. q and k have unit length.
// Attached as a gate (the paper's MAG): what is read is normalised, gated and added beside attention.
// State: 4 H d m numbers a branch (m hidden width; 2 H d m without momentum). Read 2 N W m, write 5 N W m beside the projections.
#pragma once
#include "state/explicit/branch_memory.h"
#include "state/explicit/parametric/fast_weights.h"

namespace orrery {

struct TitansOptions {
  BranchOptions branch;
  int64_t hidden = 2;      // m / d
  bool momentum = true;    // false: eta = 0
  bool forgetting = true;  // false: alpha = 0
  double rate = 1;         // theta is at most this; 0: nothing is written
  double clip = 3;         // largest norm of a head's gradient
};

struct TitansState {
  FastWeights memory;    // without biases
  FastWeights surprise;  // undefined: none is kept
};
// Of one frame, [..., 1, 1] each; undefined: 0.
struct TitansRates {
  at::Tensor theta, eta, alpha;
};
// M(x) of x [..., n, d].
at::Tensor TitansRead(const FastWeights& memory, const at::Tensor& x);
// grad l, not clipped; key, value [..., n, d]. Its norm over both matrices, [..., 1, 1], is how much the frame surprises.
FastWeights TitansGradient(const FastWeights& memory, const at::Tensor& key, const at::Tensor& value);
at::Tensor TitansNorm(const FastWeights& gradient);
TitansState TitansStep(const TitansState& state, const at::Tensor& key, const at::Tensor& value, const TitansRates& rates, double clip);

class TitansMemory : public BranchMemory {
 public:
  TitansMemory(const TitansOptions& options, const MemoryGeometry& geometry);

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
  Json Rates(int64_t i) const override;  // theta, eta, alpha of a mean token, a head

 private:
  // sigmoid of a projection of the frames' mean tokens [B, T, 1, D] -> [B, H, T, 1, 1]; undefined without the projection.
  at::Tensor Gate(const std::vector<torch::nn::Linear>& gate, int64_t i, const at::Tensor& mean) const;

  TitansOptions options_;
  std::vector<torch::nn::Linear> query_, key_value_, theta_, momentum_, forget_;
  std::vector<Tensors> start_;
};

}  // namespace orrery
