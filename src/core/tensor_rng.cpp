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

DefaultGeneratorScope::DefaultGeneratorScope(uint64_t seed) {
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  before_ = generator.get_state();
  generator.set_current_seed(seed);
}

DefaultGeneratorScope::~DefaultGeneratorScope() { at::Generator(at::detail::getDefaultCPUGenerator()).set_state(before_); }

}  // namespace orrery
