#include "worlds/billiards_view.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace orrery {

namespace {

using Color = std::array<float, 3>;

constexpr std::array<Color, kBallColors> kColors = {{
    {250, 250, 245},
    {230, 30, 40},
    {40, 90, 240},
    {255, 215, 30},
    {175, 50, 220},
    {255, 125, 15},
    {30, 220, 235},
    {255, 120, 190},
    {20, 20, 30},
    {150, 230, 40},
    {140, 80, 40},
    {90, 20, 60},
}};
constexpr Color kFelt = {22, 108, 82}, kRail = {96, 54, 28}, kRailEdge = {52, 28, 14};

struct Disc {
  float x, y, radius;  // pixels
  Color color;
  float opacity;
};

void Blend(uint8_t* pixel, const Color& color, float weight) {
  for (int c = 0; c < 3; ++c) pixel[c] = static_cast<uint8_t>(pixel[c] + (color[c] - pixel[c]) * weight + 0.5f);
}

// Coverage of a pixel: one half where its centre lies on the edge.
void DrawDisc(const Disc& disc, int64_t height, int64_t width, std::span<uint8_t> rgb) {
  const auto first = [](float at) { return std::max<int64_t>(0, static_cast<int64_t>(at)); };
  const int64_t last_x = std::min(width - 1, static_cast<int64_t>(disc.x + disc.radius + 1));
  const int64_t last_y = std::min(height - 1, static_cast<int64_t>(disc.y + disc.radius + 1));
  for (int64_t y = first(disc.y - disc.radius - 1); y <= last_y; ++y)
    for (int64_t x = first(disc.x - disc.radius - 1); x <= last_x; ++x) {
      const float dx = static_cast<float>(x) + 0.5f - disc.x, dy = static_cast<float>(y) + 0.5f - disc.y;
      const float coverage = std::clamp(disc.radius - std::sqrt(dx * dx + dy * dy) + 0.5f, 0.0f, 1.0f);
      if (coverage > 0) Blend(rgb.data() + 3 * (y * width + x), disc.color, coverage * disc.opacity);
    }
}

}  // namespace

float CushionWidth(int64_t height, int64_t width) { return static_cast<float>(std::min(height, width)) / 16; }

std::vector<uint8_t> DrawTable(int64_t height, int64_t width) {
  std::vector<uint8_t> rgb(static_cast<size_t>(3 * height * width));
  const float cushion = CushionWidth(height, width);
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      const float inset = 0.5f + static_cast<float>(std::min({x, y, width - 1 - x, height - 1 - y}));
      const float shade = std::clamp((inset - cushion) / (4 * cushion), 0.0f, 1.0f);
      Color felt = kFelt;
      for (float& c : felt) c *= 0.8f + 0.2f * shade;
      uint8_t* pixel = rgb.data() + 3 * (y * width + x);
      Blend(pixel, kRail, 1);
      Blend(pixel, kRailEdge, std::clamp(inset - cushion * 0.75f + 0.5f, 0.0f, 1.0f));
      Blend(pixel, felt, std::clamp(inset - cushion + 0.5f, 0.0f, 1.0f));
    }
  return rgb;
}

void DrawBalls(std::span<const Ball> balls, float table_height, int64_t height, int64_t width, std::span<uint8_t> rgb) {
  const float cushion = CushionWidth(height, width);
  const float scale = (static_cast<float>(height) - 2 * cushion) / table_height;
  std::vector<Disc> discs;
  for (const Ball& ball : balls) {
    const float x = cushion + ball.x * scale, y = static_cast<float>(height) - cushion - ball.y * scale;
    discs.push_back({x, y, ball.radius * scale, kColors[ball.color], 1});
  }
  for (const Disc& d : discs) DrawDisc({d.x + 0.2f * d.radius, d.y + 0.25f * d.radius, d.radius, {0, 0, 0}, 0.35f}, height, width, rgb);
  for (const Disc& d : discs) {
    Color rim = d.color;
    for (float& c : rim) c *= 0.62f;
    DrawDisc({d.x, d.y, d.radius, rim, 1}, height, width, rgb);
    DrawDisc({d.x - 0.05f * d.radius, d.y - 0.05f * d.radius, 0.86f * d.radius, d.color, 1}, height, width, rgb);
    DrawDisc({d.x - 0.35f * d.radius, d.y - 0.35f * d.radius, 0.28f * d.radius, {255, 255, 255}, 0.7f}, height, width, rgb);
  }
}

}  // namespace orrery
