// delta(): the gated delta rule as a branch (arXiv 2412.06464), VideoSSM's global memory (arXiv 2512.04519):
//   S <- alpha_t S a frame, then a token: S <- S + beta k (v - S^T k)^T, read S^T q; q and k of unit length.
// A key written again replaces its value, which plain linear attention cannot do. alpha is one number a frame and head, of the frame's
// mean token (the paper: a token's), beta one a token and head. order = tokens scans the tokens of a frame row by row; order = mean writes
// them at once with beta / N, for at once and with beta the rule overshoots when keys are alike. State: H d^2 numbers a branch. Read N W d,
// write 2 N W d + 2 N^2 W (order = mean: 2 N W d) beside the projections.
#pragma once
#include "state/explicit/branch_memory.h"

namespace orrery {

struct DeltaOptions {
  BranchOptions branch;
  std::string order = "tokens";  // or "mean"
};

class DeltaMemory : public BranchMemory {
 public:
  DeltaMemory(const DeltaOptions& options, const MemoryGeometry& geometry);

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
  DeltaOptions options_;
  std::vector<torch::nn::Linear> query_, key_value_, forget_, strength_;
  Tensors decay_;  // [H] log
};

}  // namespace orrery
