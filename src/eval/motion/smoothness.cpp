#include "eval/motion/smoothness.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/error.h"
#include "eval/quality/frames.h"

namespace orrery {

namespace {

constexpr double kLeastSpeed = 0.1;  // px

// Mean squared difference of `next` and the pixels of `now` moved along the flow.
double ErrorAhead(const at::Tensor& now, const at::Tensor& next, const at::Tensor& flow) {
  const auto from = now.accessor<uint8_t, 3>(), to = next.accessor<uint8_t, 3>();
  const auto move = flow.accessor<float, 3>();
  const int64_t H = now.size(0), W = now.size(1);
  std::vector<int64_t> source(static_cast<size_t>(H * W),
                              -1);  // the last to arrive is seen
  for (int64_t y = 0; y < H; ++y)
    for (int64_t x = 0; x < W; ++x) {
      const int64_t u = x + std::lround(move[y][x][0]), v = y + std::lround(move[y][x][1]);
      if (u >= 0 && v >= 0 && u < W && v < H) source[static_cast<size_t>(v * W + u)] = y * W + x;
    }
  double sum = 0;
  int64_t count = 0;
  for (int64_t p = 0; p < H * W; ++p) {
    const int64_t s = source[static_cast<size_t>(p)];
    if (s < 0) continue;
    for (int64_t c = 0; c < 3; ++c) {
      const double difference = static_cast<double>(to[p / W][p % W][c]) - from[s / W][s % W][c];
      sum += difference * difference;
    }
    count += 3;
  }
  return count ? sum / static_cast<double>(count) : 0;
}

}  // namespace

double WarpSmoothness(const at::Tensor& film, std::span<const FlowFrame> frames) {
  CheckFilm(film, "motion smoothness");
  const int64_t T = film.size(0);
  ORRERY_CHECK(static_cast<int64_t>(frames.size()) == T);
  if (T < 3) Fail("motion smoothness: a film of at least 3 frames expected, got {}", T);
  double error = 0;
  int64_t count = 0;
  for (int64_t t = 0; t + 2 < T; t += 2, ++count) {
    const FlowFrame &a = frames[static_cast<size_t>(t)], &b = frames[static_cast<size_t>(t + 2)];
    const at::Tensor flow = (FlowField(a, b) - FlowField(b, a)) / 2;
    const at::Tensor between = (SampleAlong(film[t], flow, -0.5) + SampleAlong(film[t + 2], flow, 0.5)) / 2;
    error += (between - film[t + 1].to(at::kFloat)).abs().mean(at::kDouble).item<double>();
  }
  return (255 - error / static_cast<double>(count)) / 255;
}

WarpErrors MeasureWarp(const at::Tensor& film, std::span<const at::Tensor> flows) {
  CheckFilm(film, "warp error");
  ORRERY_CHECK(static_cast<int64_t>(flows.size()) == film.size(0) - 1);
  std::vector<double> back, ahead, speed;
  for (int64_t t = 0; t + 1 < film.size(0); ++t) {
    const at::Tensor &flow = flows[static_cast<size_t>(t)], now = film[t], next = film[t + 1];
    back.push_back((SampleAlong(next, flow, 1) - now.to(at::kFloat)).abs().mean(at::kDouble).item<double>());
    ahead.push_back(ErrorAhead(now, next, flow));
    speed.push_back(flow.norm(2, -1).mean(at::kDouble).item<double>());
  }
  return {at::tensor(back, at::kDouble), at::tensor(ahead, at::kDouble), at::tensor(speed, at::kDouble)};
}

double Mawe(const WarpErrors& errors) { return (errors.ahead / errors.speed.clamp_min(kLeastSpeed)).mean().item<double>(); }

}  // namespace orrery
