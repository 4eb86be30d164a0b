#include "state/implicit/dense.h"

#include <ATen/ATen.h>

namespace orrery {

Facts DenseMemory::Describe() {
  return {"dense", "keys and values of every frame", "causal attention over the whole history; baseline", {}};
}

MemoryFacts DenseMemory::Declared() const { return {.bounded = false, .reach = -1, .held = -1, .ports = "K", .family = "baseline"}; }

AttentionContext DenseMemory::Context(const Parts& state, const ReadPlan& plan, int64_t layer, const at::Tensor&) const {
  const int64_t T = FrameCache::Committed(state), N = geometry_.Tokens();
  if (T == 0) return {};
  at::Tensor coord = GridCoordinates(T, geometry_.rows, geometry_.columns);
  coord.select(1, 0).sub_(static_cast<double>(plan.query.frame));
  const at::Tensor key = cache_.Keys(state, layer, 0, T);
  return {key, cache_.Values(state, layer, 0, T), coord.to(key.device()), {}, at::arange(T, at::kLong).repeat_interleave(N)};
}

MemoryCost DenseMemory::Cost(int64_t frames) const {
  const double N = static_cast<double>(geometry_.Tokens());
  return {.read = 2 * N * N * static_cast<double>(frames) * static_cast<double>(geometry_.Dim())};
}

Json DenseMemory::Audit(const Parts& state, const ReadPlan&) const {
  const int64_t T = FrameCache::Committed(state);
  return {{"frames", T}, {"tokens", T * geometry_.Tokens()}};
}

}  // namespace orrery
