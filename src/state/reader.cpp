#include "state/reader.h"

#include <ATen/ATen.h>

#include "nn/fused.h"

namespace orrery {

at::Tensor GatedBias(const at::Tensor& there, const at::Tensor& gate) {
  return at::where(there, gate.expand(there.sizes()), at::full({}, kAbsent, gate.options()));
}

at::Tensor RotateKeys(const at::Tensor& key, const at::Tensor& coord) {
  return Rotate(key, MakeRope(coord.reshape({-1, 3}).to(key.device()), {.head_dim = key.size(3)}));
}

}  // namespace orrery
