// ssm(): a state-space branch with Mamba2's recurrence (SSD, arXiv 2405.21060), one state a block of the image:
//   h <- exp(A mean_n dt_n) h + sum_n dt_n B_n x_n^T,  read C^T h,  dt = softplus(.), A = -exp(.); B and C are shared by the heads.
// All tokens of a frame are written at once, with one decay a frame, block and head. Block-wise layout of Po et al. (arXiv 2505.20171):
// branches cycle through 1, 2, .. `blocks` blocks a side, so that a block's scan is short and its content stays its own.
// Left out: the short convolution, and the term D x, which the residual stream carries already.
// State: nb n W numbers a branch of nb blocks. Read and write N W n beside the projections.
#pragma once
#include "state/explicit/branch_memory.h"

namespace orrery {

struct SsmOptions {
  BranchOptions branch{.heads = 4, .dim = 32};
  int64_t state = 64;  // n, width of B and C
  int64_t blocks = 1;  // most blocks a side: 1, 2 or 4
  bool cycle = true;   // branches have 1, 2, .. blocks a side, in turn; else all have the most
};

class SsmMemory : public BranchMemory {
 public:
  SsmMemory(const SsmOptions& options, const MemoryGeometry& geometry);

  static Facts Describe();
  static std::shared_ptr<Memory> Make(const Json& params, const MemoryGeometry& geometry);
  std::string Spec() const override;
  int64_t Side(int64_t i) const { return sides_[static_cast<size_t>(i)]; }  // blocks a side of branch i

 protected:
  Tensors Query(int64_t i, const at::Tensor& y, int64_t first) const override;
  Tensors Write(int64_t i, const at::Tensor& y, int64_t first) const override;
  Tensors Advance(int64_t i, const Tensors& write, Tensors& state) const override;
  at::Tensor Read(int64_t i, const Tensors& query, const Tensors& states) const override;
  at::Tensor Merge(int64_t i, const at::Tensor& read) const override;
  std::vector<Piece> Layout(int64_t i) const override;
  Macs Count(int64_t i) const override;
  Json Rates(int64_t i) const override;

 private:
  // [B, T, N, w] -> [B, nb, T, N / nb, w], and the inverse.
  at::Tensor Split(int64_t i, const at::Tensor& x) const;
  at::Tensor Join(int64_t i, const at::Tensor& x) const;

  SsmOptions options_;
  std::vector<int64_t> sides_;
  std::vector<torch::nn::Linear> read_, write_, step_;
  Tensors decay_;  // [H] log of -A
};

}  // namespace orrery
