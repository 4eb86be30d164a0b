#include "core/tensor_rng.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>

namespace orrery {

at::Tensor NormalTensor(at::IntArrayRef sizes, Rng& rng) {
  at::Generator generator = at::detail::createCPUGenerator(rng.U64());
  return at::empty(sizes, at::kFloat).normal_(0, 1, generator);
}

at::Tensor UniformTensor(at::IntArrayRef sizes, Rng& rng) {
  at::Generator generator = at::detail::createCPUGenerator(rng.U64());
  return at::empty(sizes, at::kFloat).uniform_(0, 1, generator);
}

}  // namespace orrery
