// Points drawn into an image with a depth buffer. R images of h x w cells, Q points each, C channels.
#pragma once
#include <ATen/core/Tensor.h>

namespace orrery {

struct SplatPoints {
  at::Tensor place;  // [R, Q, 2] fp32: column and row, (0, 0) the middle of the first cell
  at::Tensor depth;  // [R, Q] fp32; points at depth <= 0 are behind the viewer and not drawn
  at::Tensor share;  // [R, Q] fp32, >= 0: how much a point counts
};

// values [R, Q, C] -> [R, h * w, C + 1]: sums of values times bilinear weight times share over the points of each cell, and of the weights
// themselves. In a cell count only points that are at most `slack` (a share of the depth) behind the nearest that covers it, by more than
// a twentieth of its weight. Gradients to values, place and share; who is hidden counts as constant. Computed on the CPU.
at::Tensor Splat(const at::Tensor& values, const SplatPoints& points, int64_t rows, int64_t columns, double slack);

}  // namespace orrery
