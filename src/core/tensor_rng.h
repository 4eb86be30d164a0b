// Tensors of random numbers from an Rng: the same on every device, since they are drawn on the CPU.
#pragma once
#include <ATen/core/Tensor.h>

#include "core/rng.h"

namespace orrery {

// fp32, on the CPU. Each call consumes one 64-bit draw of `rng`, whatever the size.
at::Tensor NormalTensor(at::IntArrayRef sizes, Rng& rng);
at::Tensor UniformTensor(at::IntArrayRef sizes, Rng& rng);  // [0, 1)

// PyTorch's default CPU generator, from which module constructors draw, starts at `seed` for the scope and goes on where it was after.
class DefaultGeneratorScope {
 public:
  explicit DefaultGeneratorScope(uint64_t seed);
  DefaultGeneratorScope(const DefaultGeneratorScope&) = delete;
  DefaultGeneratorScope& operator=(const DefaultGeneratorScope&) = delete;
  ~DefaultGeneratorScope();

 private:
  at::Tensor before_;
};

}  // namespace orrery
