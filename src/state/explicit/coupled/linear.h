// linear(): linear attention as a branch, its history two running sums a head, S = sum rope(phi(k)) v^T and z = sum phi(k); what is read is
// rope(phi(q))^T S / (phi(q)^T z). SANA-Video's block linear attention (arXiv 2509.24695): rotation after phi and not in the denominator,
// which stays positive. With `decay` the sums are forgotten at fixed rates a head, as in retention (arXiv 2307.08621).
// State: H (d^2 + d) numbers a branch. Read N W (d + 1), write N W d beside the projections.
#pragma once
#include "state/explicit/branch_memory.h"

namespace orrery {

struct LinearOptions {
  BranchOptions branch;
  std::string feature = "relu";  // phi: relu or elu (elu + 1)
  double decay = 0;              // share that head 0 forgets a frame, head h 2^-h of it; in [0, 1)
  bool rope = true;
};

class LinearMemory : public BranchMemory {
 public:
  LinearMemory(const LinearOptions& options, const MemoryGeometry& geometry);

  static Facts Describe();
  static std::shared_ptr<Memory> Make(const Json& params, const MemoryGeometry& geometry);
  std::string Spec() const override;

 protected:
  Tensors Query(int64_t i, const at::Tensor& y, int64_t first) const override;
  Tensors Write(int64_t i, const at::Tensor& y, int64_t first) const override;
  Tensors Advance(int64_t i, const Tensors& write, Tensors& state) const override;
  at::Tensor Read(int64_t i, const Tensors& query, const Tensors& states) const override;
  std::vector<Piece> Layout(int64_t i) const override;
  Macs Count(int64_t i) const override;
  Json Rates(int64_t i) const override;

 private:
  at::Tensor Feature(const at::Tensor& x) const;
  at::Tensor Rotate(const at::Tensor& x, int64_t first) const;
  at::Tensor Forgetting() const;  // [H] log decays

  LinearOptions options_;
  std::vector<torch::nn::Linear> query_, key_value_;
};

}  // namespace orrery
