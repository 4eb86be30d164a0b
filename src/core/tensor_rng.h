// Tensors of random numbers from an Rng: the same on every device, since they are drawn on the CPU.
#pragma once
#include <ATen/core/Tensor.h>

#include "core/rng.h"

namespace orrery {

// fp32, on the CPU. Each call consumes one 64-bit draw of `rng`, whatever the size.
at::Tensor NormalTensor(at::IntArrayRef sizes, Rng& rng);
at::Tensor UniformTensor(at::IntArrayRef sizes, Rng& rng);  // [0, 1)

}  // namespace orrery
