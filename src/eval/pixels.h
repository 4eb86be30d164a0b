// Measures on bytes that several scores share.
#pragma once
#include <ATen/core/Tensor.h>

namespace orrery {

// Mean squared error in [0, 1] units of every image: a, b [..., H, W, 3] uint8 -> [...] fp64.
at::Tensor ImageMse(const at::Tensor& a, const at::Tensor& b);
double Psnr(double mse);  // dB, data range 1, at most 100

}  // namespace orrery
