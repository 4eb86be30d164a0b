#include "worlds/billiards_view.h"

#include <algorithm>

namespace orrery {

namespace {

constexpr std::array<Color, 3> kFelt = {{{22, 108, 82}, {30, 70, 120}, {110, 45, 60}}};
constexpr Color kRail = {96, 54, 28}, kRailEdge = {52, 28, 14};

void Blend(uint8_t* pixel, const Color& color, float weight) {
  for (int c = 0; c < 3; ++c) pixel[c] = static_cast<uint8_t>(pixel[c] + (color[c] - pixel[c]) * weight + 0.5f);
}

}  // namespace

float CushionWidth(int64_t height, int64_t width) { return static_cast<float>(std::min(height, width)) / 16; }

std::vector<uint8_t> DrawTable(int64_t height, int64_t width, int tint) {
  std::vector<uint8_t> rgb(static_cast<size_t>(3 * height * width));
  const float cushion = CushionWidth(height, width);
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      const float inset = 0.5f + static_cast<float>(std::min({x, y, width - 1 - x, height - 1 - y}));
      const float shade = std::clamp((inset - cushion) / (4 * cushion), 0.0f, 1.0f);
      Color felt = kFelt[tint];
      for (float& c : felt) c *= 0.8f + 0.2f * shade;
      uint8_t* pixel = rgb.data() + 3 * (y * width + x);
      Blend(pixel, kRail, 1);
      Blend(pixel, kRailEdge, std::clamp(inset - cushion * 0.75f + 0.5f, 0.0f, 1.0f));
      Blend(pixel, felt, std::clamp(inset - cushion + 0.5f, 0.0f, 1.0f));
    }
  return rgb;
}

BallView::BallView(float table_height, int64_t height, int64_t width)
    : cushion_(CushionWidth(height, width)), height_(static_cast<double>(height)) {
  scale_ = (height_ - 2 * cushion_) / table_height;
}

Point BallView::Pixel(double x, double y) const { return {cushion_ + x * scale_, height_ - cushion_ - y * scale_}; }

void DrawBalls(Canvas& canvas, std::span<const Ball> balls, const BallView& view) {
  for (const Ball& b : balls) {
    const Point at = view.Pixel(b.x, b.y);
    const double r = b.radius * view.Scale();
    canvas.Disc({at.x + 0.2 * r, at.y + 0.25 * r}, r, {0, 0, 0}, Canvas::kKeep, 0.35f);
  }
  for (const Ball& b : balls) {
    const Point at = view.Pixel(b.x, b.y);
    const double r = b.radius * view.Scale();
    canvas.Disc(at, r, Shade(kPalette[b.color], 0.62f), 1 + b.id);
    canvas.Disc({at.x - 0.05 * r, at.y - 0.05 * r}, 0.86 * r, kPalette[b.color], Canvas::kKeep);
    canvas.Disc({at.x - 0.35 * r, at.y - 0.35 * r}, 0.28 * r, {255, 255, 255}, Canvas::kKeep, 0.7f);
  }
}

}  // namespace orrery
