#include "eval/persistence/update.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "eval/quality/frames.h"

namespace orrery {

std::optional<Recall> CompareRecall(const at::Tensor& made, const at::Tensor& changed, const at::Tensor& unchanged) {
  CheckFilms(made, changed, "recall");
  CheckFilms(changed, unchanged, "recall");
  const at::Tensor m = made.to(at::kDouble), n = changed.to(at::kDouble), o = unchanged.to(at::kDouble);
  const at::Tensor differ = ((n - o).abs() >= kDifferentLevels).any(-1);
  if (differ.sum().item<int64_t>() < kLeastPixels) return std::nullopt;
  const auto mse = [&](const at::Tensor& a, const at::Tensor& b) {
    return (a - b).square().mean(-1).index({differ}).mean().item<double>();
  };
  const double apart = mse(n, o), to_new = mse(m, n), to_old = mse(m, o);
  const auto psnr = [](double error) { return error > 0 ? std::min(100.0, 10 * std::log10(255.0 * 255.0 / error)) : 100.0; };
  return Recall{to_new < apart / 4 ? 1.0 : 0.0, to_old < apart / 4 ? 1.0 : 0.0, psnr(to_new) - psnr(to_old)};
}

}  // namespace orrery
