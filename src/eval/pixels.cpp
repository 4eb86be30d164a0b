#include "eval/pixels.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/rng.h"

namespace orrery {

at::Tensor ImageMse(const at::Tensor& a, const at::Tensor& b) {
  ORRERY_CHECK(a.sizes() == b.sizes());
  const at::Tensor difference = (a.to(at::kDouble) - b.to(at::kDouble)) / 255.0;
  return difference.square().mean({-3, -2, -1});
}

double Psnr(double mse) { return mse <= 1e-10 ? 100 : -10 * std::log10(mse); }

double Mean(const std::vector<double>& values) {
  return values.empty() ? NAN : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::pair<double, double> MeanInterval(const std::vector<double>& values) {
  if (values.size() < 2) return {NAN, NAN};
  Rng rng(0, "bootstrap");
  const auto n = static_cast<int64_t>(values.size());
  std::vector<double> means;
  for (int resample = 0; resample < 2000; ++resample) {
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += values[rng.Below(n)];
    means.push_back(sum / static_cast<double>(n));
  }
  std::sort(means.begin(), means.end());
  return {means[49], means[1949]};
}

}  // namespace orrery
