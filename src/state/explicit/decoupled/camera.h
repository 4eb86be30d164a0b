// A level camera that moves in the plane. A pose is x, y, heading (radians, counter-clockwise from +x); depth is distance along the
// heading, in the pose's units; columns of an image run from left to right.
#pragma once
#include <ATen/core/Tensor.h>

namespace orrery {

// How far left of the heading a ray goes a unit of depth, [columns * rays]: `rays` spread evenly over each of the columns, which together
// span `fov` degrees.
at::Tensor RaySlopes(int64_t columns, int64_t rays, double fov);
// `bins` depths from `near` to `far`, each the same factor beyond the last, [bins].
at::Tensor RayDepths(int64_t bins, double near, double far);
// Points of every ray at every depth: pose [..., 3], slope [n], depth [K] -> x, y [..., n * K, 2].
at::Tensor RayPoints(const at::Tensor& pose, const at::Tensor& slope, const at::Tensor& depth);

// Throws Error unless 0 < fov < 180 degrees; `owner` is the mechanism's name.
void CheckFov(double fov, const char* owner);
// Throws Error when there is none.
void NeedPose(const at::Tensor& pose, const char* owner);

}  // namespace orrery
