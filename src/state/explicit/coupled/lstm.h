// lstm(): a long short-term memory cell at every position of the frame as a branch, its weights shared over positions: RAD (arXiv
// 2511.12940). [i, f, g, o] = W x + U h + b;  c' = s(f) c + s(i) tanh(g);  h' = s(o) tanh(c'). A pass over the noisy frame tries the cell
// on it and reads h'; Commit of the finished frame keeps h' and c'. The frame's action is in its tokens already. The state is tied to
// positions in the image: later layers must move what it says. State: 2 N W numbers a branch. Read and write N 4 W (D + W) each.
#pragma once
#include "state/explicit/branch_memory.h"

namespace orrery {

class LstmMemory : public BranchMemory {
 public:
  LstmMemory(const BranchOptions& options, const MemoryGeometry& geometry);

  static Facts Describe();
  static std::shared_ptr<Memory> Make(const Json& params, const MemoryGeometry& geometry);
  std::string Spec() const override;

 protected:
  Tensors Query(int64_t i, const at::Tensor& y, int64_t first) const override;
  Tensors Write(int64_t i, const at::Tensor& y, int64_t first) const override { return Query(i, y, first); }
  Tensors Advance(int64_t i, const Tensors& write, Tensors& state) const override;
  at::Tensor Read(int64_t i, const Tensors& query, const Tensors& states) const override;
  std::vector<Piece> Layout(int64_t i) const override;
  Macs Count(int64_t i) const override;

 private:
  std::vector<torch::nn::Linear> input_;  // W and b, gates in the order i, f, g, o
  Tensors hidden_;                        // U [4 W, W]
};

}  // namespace orrery
