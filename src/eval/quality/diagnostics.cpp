#include "eval/quality/diagnostics.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "eval/quality/frames.h"

namespace orrery {

namespace {

constexpr double kDuplicateLevels = 0.5;  // grey levels

void RequireFrames(const at::Tensor& film, int64_t frames, std::string_view name) {
  CheckFilm(film, name);
  if (film.size(0) < frames) Fail("{}: a film of at least {} frames expected, got {}", name, frames, film.size(0));
}

// [T] fp64 mean over the pixels of every frame of |a - b|
at::Tensor MeanAbsolute(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().mean({-3, -2, -1}); }

Measured Ratio(const at::Tensor& generated, const at::Tensor& real, const char* cause) {
  const double below = real.mean().item<double>();
  return below > 0 ? Measured::Of(generated.mean().item<double>() / below) : Measured::None(cause);
}

}  // namespace

at::Tensor FrameSharpness(const at::Tensor& film) {
  CheckFilm(film, "sharpness");
  const int64_t H = film.size(1), W = film.size(2);
  if (H < 3 || W < 3) Fail("sharpness: frames of at least 3 x 3 pixels expected, got {} x {}", H, W);
  const at::Tensor grey = Grey(film);
  const auto shifted = [&](int64_t y, int64_t x) { return grey.narrow(1, 1 + y, H - 2).narrow(2, 1 + x, W - 2); };
  const at::Tensor laplacian = shifted(-1, 0) + shifted(1, 0) + shifted(0, -1) + shifted(0, 1) - 4 * shifted(0, 0);
  return laplacian.var(at::OptionalIntArrayRef({1, 2}), /*unbiased=*/false);
}

Measured SharpnessRatio(const at::Tensor& generated, const at::Tensor& real) {
  return Ratio(FrameSharpness(generated), FrameSharpness(real), "the real film has no edges");
}

at::Tensor FrameSpectrumSlope(const at::Tensor& film) {
  CheckFilm(film, "spectrum");
  const int64_t T = film.size(0), H = film.size(1), W = film.size(2), side = std::min(H, W), rings = side / 2;
  if (side < 16) Fail("spectrum: frames of at least 16 x 16 pixels expected, got {} x {}", H, W);
  const at::Tensor grey = Grey(film) / 255.0;
  const at::Tensor window = at::outer(at::hann_window(H, at::kDouble), at::hann_window(W, at::kDouble));
  const at::Tensor power = at::fft_fft2((grey - grey.mean({1, 2}, true)) * window).abs().square().reshape({T, H * W});
  // Cycles across the smaller side, so that rings are round in pictures that are not square.
  const at::Tensor y = at::fft_fftfreq(H, 1.0, at::kDouble) * side, x = at::fft_fftfreq(W, 1.0, at::kDouble) * side;
  const at::Tensor ring = (y.square().unsqueeze(1) + x.square().unsqueeze(0)).sqrt().add(0.5).floor().to(at::kLong).reshape({H * W});
  const int64_t all = ring.max().item<int64_t>() + 1;
  const at::Tensor sums = at::zeros({T, all}, at::kDouble).index_add(1, ring, power);
  const at::Tensor counts = at::bincount(ring, {}, all).clamp_min(1);
  const at::Tensor log_power = (sums / counts).narrow(1, 1, rings).clamp_min(1e-12).log();
  const at::Tensor log_frequency = at::arange(1, rings + 1, at::kDouble).log(), centred = log_frequency - log_frequency.mean();
  return -at::mv(log_power, centred) / centred.square().sum();
}

double SpectrumSlopeError(const at::Tensor& generated, const at::Tensor& real) {
  CheckFilms(generated, real, "spectrum");
  return (FrameSpectrumSlope(generated) - FrameSpectrumSlope(real)).abs().mean().item<double>();
}

ColorStatistics FrameColors(const at::Tensor& film) {
  CheckFilm(film, "colour");
  const at::Tensor x = film.to(at::kDouble) / 255.0;
  return {x.mean({1, 2}), x.std(at::OptionalIntArrayRef({1, 2}), /*unbiased=*/false)};
}

ColorDrift FrameColorDrift(const at::Tensor& generated, const at::Tensor& real) {
  CheckFilms(generated, real, "colour drift");
  const ColorStatistics a = FrameColors(generated), b = FrameColors(real);
  return {(a.mean - b.mean).abs().mean(1), (a.deviation - b.deviation).abs().mean(1)};
}

at::Tensor FrameMotion(const at::Tensor& film) {
  RequireFrames(film, 2, "motion");
  const at::Tensor x = film.to(at::kDouble);
  return MeanAbsolute(x.narrow(0, 1, x.size(0) - 1), x.narrow(0, 0, x.size(0) - 1));
}

Measured MotionRatio(const at::Tensor& generated, const at::Tensor& real) {
  return Ratio(FrameMotion(generated), FrameMotion(real), "the real film stands still");
}

Measured DuplicateRate(const at::Tensor& generated, const at::Tensor& real) {
  const at::Tensor motion = FrameMotion(generated), truth = FrameMotion(real);
  if (motion.size(0) != truth.size(0))
    Fail("duplicate rate: films of the same length expected, got {} and {} frames", generated.size(0), real.size(0));
  const at::Tensor moves = truth >= kDuplicateLevels;
  const int64_t count = moves.sum().item<int64_t>();
  if (count == 0) return Measured::None("the real film never moves by half a grey level a frame");
  const int64_t repeats = (moves & (motion < kDuplicateLevels)).sum().item<int64_t>();
  return Measured::Of(static_cast<double>(repeats) / static_cast<double>(count));
}

double TemporalFlickering(const at::Tensor& film) { return (255 - FrameMotion(film).mean().item<double>()) / 255; }

double BlendSmoothness(const at::Tensor& film) {
  RequireFrames(film, 3, "motion smoothness");
  const at::Tensor x = film.to(at::kDouble);
  const int64_t dropped = (x.size(0) - 1) / 2;
  const auto every_second = [&](int64_t start) { return x.slice(0, start, start + 2 * dropped - 1, 2); };
  const at::Tensor blend = (every_second(0) + every_second(2)) / 2;
  return (255 - MeanAbsolute(blend, every_second(1)).mean().item<double>()) / 255;
}

double StartEndContrast(const at::Tensor& film, const FilmMeasure& measure) {
  RequireFrames(film, 2, "start-end contrast");
  const int64_t T = film.size(0), part = std::max<int64_t>(1, std::llround(0.15 * static_cast<double>(T)));
  return std::abs(measure(film.narrow(0, 0, part)) - measure(film.narrow(0, T - part, part)));
}

}  // namespace orrery
