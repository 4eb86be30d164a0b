// Features of a latent's cells, from which their depth and content are read. R frames, C x h x w latents.
#pragma once
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>

#include "state/memory.h"

namespace orrery {

// Of a cell, the whole column it stands in (where a wall begins tells how far it is) and its row.
class CellEncoder : public torch::nn::Module {
 public:
  static constexpr int64_t kWidth = 64;

  explicit CellEncoder(const MemoryGeometry& geometry);
  at::Tensor Encode(const at::Tensor& latent) const;  // [R, C, h, w] -> [R, h, w, kWidth]
  double Macs() const;                                // a frame

 private:
  MemoryGeometry geometry_;
  torch::nn::Linear cell_{nullptr}, column_{nullptr};
  at::Tensor row_;  // [h, 1, kWidth]
};

}  // namespace orrery
