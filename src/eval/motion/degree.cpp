#include "eval/motion/degree.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace orrery {

namespace {

int64_t Allowed(double steps_of_16, int64_t frames) {
  return static_cast<int64_t>(std::nearbyint(steps_of_16 * static_cast<double>(frames) / 16));  // halves to even, as Python rounds
}

int64_t Faster(std::span<const double> speeds, double limit) {
  return std::count_if(speeds.begin(), speeds.end(), [&](double speed) { return speed > limit; });
}

double Scaled(double pixels_of_256, int64_t side) { return pixels_of_256 * static_cast<double>(side) / 256; }

}  // namespace

double TopSpeed(const at::Tensor& flow, double share) {
  const at::Tensor lengths = flow.norm(2, -1).flatten();
  const auto count = std::max<int64_t>(1, static_cast<int64_t>(share * static_cast<double>(lengths.numel())));
  return std::get<0>(lengths.topk(count)).mean(at::kDouble).item<double>();
}

int64_t DynamicStride(double fps) { return std::max<int64_t>(1, static_cast<int64_t>(std::nearbyint(fps / kDynamicRate))); }

bool IsDynamic(std::span<const double> speeds, int64_t side, int64_t frames) {
  ORRERY_CHECK(std::ssize(speeds) == frames - 1);
  const int64_t fast = Faster(speeds, Scaled(6, side));
  return fast > 0 && fast >= Allowed(4, frames);
}

bool IsStatic(std::span<const double> speeds, double first_to_last, double last_to_first, int64_t side, int64_t frames) {
  ORRERY_CHECK(std::ssize(speeds) == frames - 1);
  const double limit = Scaled(3, side);
  const int64_t allowed = Allowed(2, frames);
  return Faster(speeds, limit) <= allowed && std::max(first_to_last, last_to_first) <= 2 * limit * static_cast<double>(allowed);
}

}  // namespace orrery
