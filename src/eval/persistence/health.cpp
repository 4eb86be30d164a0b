#include "eval/persistence/health.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

#include "core/error.h"
#include "eval/quality/diagnostics.h"

namespace orrery {

namespace {

constexpr double kSharpnessMargin = 2, kDeviationMargin = 1.4142135623730951;
constexpr double kStill = 0.1, kMoving = 0.5;

at::Tensor Outside(const at::Tensor& sign, const Healthy::Range& range) { return (sign < range.low) | (sign > range.high); }

Healthy RangeAt(const at::Tensor& sharpness, const at::Tensor& deviation, double percentile) {
  const auto range = [&](const at::Tensor& sign, double margin) {
    const double p = percentile / 100;
    return Healthy::Range{at::quantile(sign, p).item<double>() / margin, at::quantile(sign, 1 - p).item<double>() * margin};
  };
  return {range(sharpness, kSharpnessMargin), range(deviation, kDeviationMargin), percentile};
}

}  // namespace

FilmSigns SignsOf(const at::Tensor& film) { return {FrameSharpness(film), FrameColors(film).deviation.mean(1)}; }

Healthy HealthyRange(std::span<const FilmSigns> real) {
  std::vector<at::Tensor> sharpness, deviation;
  for (const FilmSigns& film : real) {
    sharpness.push_back(film.sharpness);
    deviation.push_back(film.deviation);
  }
  if (sharpness.empty() || sharpness.front().numel() == 0) Fail("health: at least one real film expected, got none");
  const at::Tensor all_sharpness = at::cat(sharpness), all_deviation = at::cat(deviation);
  for (double percentile = 1; percentile > 0.01; percentile /= 2) {
    const Healthy healthy = RangeAt(all_sharpness, all_deviation, percentile);
    if (std::none_of(real.begin(), real.end(), [&](const FilmSigns& film) { return CollapseFrame(film, healthy).has_value(); }))
      return healthy;
  }
  return RangeAt(all_sharpness, all_deviation, 0);  // no real frame lies outside
}

std::optional<int64_t> CollapseFrame(const FilmSigns& film, const Healthy& healthy) {
  const at::Tensor sick = Outside(film.sharpness, healthy.sharpness) | Outside(film.deviation, healthy.deviation);
  const auto* frame = sick.const_data_ptr<bool>();
  for (int64_t t = 0, run = 0; t < sick.numel(); ++t) {
    run = frame[t] ? run + 1 : 0;
    if (run == kCollapseFrames) return t + 1 - kCollapseFrames;
  }
  return std::nullopt;
}

std::optional<int64_t> StagnationFrame(const at::Tensor& motion, const at::Tensor& true_motion, double usual) {
  if (motion.dim() != 1 || motion.sizes() != true_motion.sizes())
    Fail("stagnation: motions of as many steps expected, got {} and {}", motion.numel(), true_motion.numel());
  for (int64_t t = 0; t + kStagnationFrames <= motion.numel(); ++t) {
    const double made = motion.narrow(0, t, kStagnationFrames).mean().item<double>();
    const double real = true_motion.narrow(0, t, kStagnationFrames).mean().item<double>();
    if (real > 0 && real >= kMoving * usual && made < kStill * real) return t;
  }
  return std::nullopt;
}

}  // namespace orrery
