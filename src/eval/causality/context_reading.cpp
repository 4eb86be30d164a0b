#include "eval/causality/context_reading.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.h"
#include "eval/memory/one_thread.h"

namespace orrery {

namespace {

at::Tensor OneOfEach(const at::Tensor& actions, int64_t count) {  // [n, k] -> [n, k * count]
  return at::one_hot(actions, count).to(at::kDouble).flatten(1);
}

at::Tensor Inputs(const at::Tensor& pictures, const at::Tensor& before, int64_t count) {
  constexpr int64_t kSide = 8;
  const at::Tensor planes = pictures.permute({0, 3, 1, 2}).to(at::kDouble) / 255;
  const at::Tensor small = at::adaptive_avg_pool2d(planes, {std::min(kSide, planes.size(2)), std::min(kSide, planes.size(3))});
  if (before.size(1) == 0) return small.flatten(1);
  return at::cat({small.flatten(1), OneOfEach(before, count)}, 1);
}

}  // namespace

ContextReader::ContextReader(const at::Tensor& pictures, const at::Tensor& before, const at::Tensor& after, int64_t count)
    : count_(count),
      often_(at::bincount(after.flatten(), {}, count).to(at::kDouble) / static_cast<double>(after.numel())),
      probe_(Inputs(pictures, before, count), OneOfEach(after, count)) {}

at::Tensor ContextReader::Read(const at::Tensor& pictures, const at::Tensor& before) const {
  const OneThread alone;
  const at::Tensor chance = probe_.Predict(Inputs(pictures, before, count_)).unflatten(1, {-1, count_});
  const at::Tensor known = often_ > 0;
  return at::where(known, chance / at::where(known, often_, at::ones_like(often_)), at::full_like(chance, -1e9)).argmax(2);
}

}  // namespace orrery
