#include "state/explicit/decoupled/camera.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

#include "core/error.h"

namespace orrery {

at::Tensor RaySlopes(int64_t columns, int64_t rays, double fov) {
  const double edge = std::tan(fov * std::numbers::pi / 360), count = static_cast<double>(columns * rays);
  return (1 - (at::arange(columns * rays, at::kFloat) + 0.5) * (2 / count)) * edge;
}

at::Tensor RayDepths(int64_t bins, double near, double far) {
  if (bins == 1) return at::full({1}, far, at::kFloat);
  return near * at::pow(far / near, at::arange(bins, at::kFloat) / static_cast<double>(bins - 1));
}

at::Tensor RayPoints(const at::Tensor& pose, const at::Tensor& slope, const at::Tensor& depth) {
  const at::Tensor d = depth.to(pose.device()), left = slope.to(pose.device()).unsqueeze(1) * d;  // [n, K]
  const at::Tensor forward = d.expand_as(left);
  const auto at = [&](int64_t i) { return pose.select(-1, i).unsqueeze(-1).unsqueeze(-1); };  // [..., 1, 1]
  const at::Tensor c = at(2).cos(), s = at(2).sin();
  return at::stack({at(0) + forward * c - left * s, at(1) + forward * s + left * c}, -1).flatten(-3, -2);
}

void CheckFov(double fov, const char* owner) {
  if (!(fov > 0 && fov < 180)) Fail("{}: fov in (0, 180) degrees expected, got {}", owner, fov);
}

void NeedPose(const at::Tensor& pose, const char* owner) {
  if (!pose.defined()) Fail("{}: the pose of every frame expected; this data or world has none, use a state without poses", owner);
}

}  // namespace orrery
