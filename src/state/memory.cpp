#include "state/memory.h"

#include <ATen/ATen.h>

namespace orrery {

at::Tensor Memory::BranchOfFlight(const Parts& state, const std::vector<ReadPlan>& plans, int64_t layer, const at::Tensor& x) const {
  const auto T = static_cast<int64_t>(plans.size()), N = x.size(1) / T;
  std::vector<at::Tensor> frames;
  for (int64_t t = 0; t < T; ++t) {
    const at::Tensor one = Branch(state, plans[static_cast<size_t>(t)], layer, x.narrow(1, t * N, N));
    if (!one.defined()) return {};
    frames.push_back(one);
  }
  return at::cat(frames, 1);
}

}  // namespace orrery
