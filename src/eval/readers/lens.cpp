// Shapes, backgrounds and blur that body readers draw with.
#include <algorithm>
#include <cmath>

#include "eval/readers/bodies.h"

namespace orrery {

double Body::Reach() const { return box ? std::hypot(half_width, half_height) : 1.35 * half_width; }  // a ball has a shadow

double Difference(std::span<const uint8_t> a, std::span<const uint8_t> b) {
  ORRERY_CHECK(a.size() == b.size() && !a.empty());
  int64_t sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::abs(static_cast<int>(a[i]) - static_cast<int>(b[i]));
  return static_cast<double>(sum) / static_cast<double>(a.size());
}

void Smear(std::vector<uint8_t>& rgb, int64_t height, int64_t width, double sigma) {
  if (sigma <= 0) return;
  const auto radius = static_cast<int64_t>(std::ceil(2.5 * sigma));
  std::vector<float> weights;
  float sum = 0;
  for (int64_t k = -radius; k <= radius; ++k) {
    weights.push_back(static_cast<float>(std::exp(-0.5 * static_cast<double>(k * k) / (sigma * sigma))));
    sum += weights.back();
  }
  for (float& w : weights) w /= sum;
  std::vector<float> rows(rgb.size(), 0);
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      for (int64_t k = -radius; k <= radius; ++k) {
        const uint8_t* from = rgb.data() + 3 * (y * width + std::clamp<int64_t>(x + k, 0, width - 1));
        float* to = rows.data() + 3 * (y * width + x);
        for (int c = 0; c < 3; ++c) to[c] += weights[static_cast<size_t>(k + radius)] * static_cast<float>(from[c]);
      }
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      std::array<float, 3> value{0.5f, 0.5f, 0.5f};
      for (int64_t k = -radius; k <= radius; ++k) {
        const float* from = rows.data() + 3 * (std::clamp<int64_t>(y + k, 0, height - 1) * width + x);
        for (size_t c = 0; c < 3; ++c) value[c] += weights[static_cast<size_t>(k + radius)] * from[c];
      }
      for (size_t c = 0; c < 3; ++c) rgb[static_cast<size_t>(3 * (y * width + x)) + c] = static_cast<uint8_t>(value[c]);
    }
}

void Stage::TakeNearest(const Picture& frame, std::span<const std::vector<uint8_t>> backgrounds) {
  int64_t least = -1;
  for (const std::vector<uint8_t>& one : backgrounds) {
    int64_t sum = 0;
    for (size_t i = 0; i < one.size(); ++i) sum += std::abs(static_cast<int>(one[i]) - static_cast<int>(frame.rgb[i]));
    if (least >= 0 && sum >= least) continue;
    least = sum;
    background_ = one;
  }
}

}  // namespace orrery
