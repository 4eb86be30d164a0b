#include "eval/pixels.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/error.h"

namespace orrery {

at::Tensor ImageMse(const at::Tensor& a, const at::Tensor& b) {
  ORRERY_CHECK(a.sizes() == b.sizes());
  const at::Tensor difference = (a.to(at::kDouble) - b.to(at::kDouble)) / 255.0;
  return difference.square().mean({-3, -2, -1});
}

double Psnr(double mse) { return mse <= 1e-10 ? 100 : -10 * std::log10(mse); }

}  // namespace orrery
