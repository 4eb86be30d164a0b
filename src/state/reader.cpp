#include "state/reader.h"

#include <ATen/ATen.h>

namespace orrery {

at::Tensor GatedBias(const at::Tensor& there, const at::Tensor& gate) {
  return at::where(there, gate.expand(there.sizes()), at::full({}, kAbsent, gate.options()));
}

at::Tensor RotateKeys(const at::Tensor& key, const at::Tensor& coord) {
  RopeTable table = MakeRope(coord.reshape({-1, 3}).to(key.device()), {.head_dim = key.size(3)});
  if (coord.dim() == 3) {
    const std::vector<int64_t> shape{coord.size(0), 1, coord.size(1), key.size(3) / 2};
    table = {table.cos.view(shape), table.sin.view(shape)};
  }
  return ApplyRope(key, table);
}

}  // namespace orrery
