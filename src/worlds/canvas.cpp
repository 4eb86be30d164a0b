#include "worlds/canvas.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace orrery {

const std::array<Color, kPaletteColors> kPalette = {{
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

Color Shade(const Color& color, float factor) { return {color[0] * factor, color[1] * factor, color[2] * factor}; }

Canvas::Canvas(int64_t height, int64_t width, std::span<uint8_t> rgb, std::span<int32_t> ids)
    : height_(height), width_(width), rgb_(rgb), ids_(ids) {
  ORRERY_CHECK(static_cast<int64_t>(rgb.size()) == 3 * height * width);
  ORRERY_CHECK(ids.empty() || static_cast<int64_t>(ids.size()) == height * width);
}

void Canvas::Fill(const Color& color) {
  for (size_t i = 0; i < rgb_.size(); ++i) rgb_[i] = static_cast<uint8_t>(color[i % 3] + 0.5f);
  std::fill(ids_.begin(), ids_.end(), 0);
}

void Canvas::Picture(std::span<const uint8_t> rgb) {
  ORRERY_CHECK(rgb.size() == rgb_.size());
  std::copy(rgb.begin(), rgb.end(), rgb_.begin());
  std::fill(ids_.begin(), ids_.end(), 0);
}

// Coverage of a pixel: one half where its centre lies on the edge; it shows the shape from there on.
template <class Inside>
void Canvas::Cover(Point low, Point high, const Color& color, int32_t id, float opacity, const Inside& inside) {
  const auto first = [](double at) { return std::max<int64_t>(0, static_cast<int64_t>(std::max(at, 0.0))); };
  const auto last = [](double at, int64_t size) { return std::min(size - 1, static_cast<int64_t>(std::max(at, -1.0))); };
  for (int64_t y = first(low.y - 1); y <= last(high.y + 1, height_); ++y)
    for (int64_t x = first(low.x - 1); x <= last(high.x + 1, width_); ++x) {
      const double depth = inside(static_cast<double>(x) + 0.5, static_cast<double>(y) + 0.5);
      const float weight = static_cast<float>(std::clamp(depth + 0.5, 0.0, 1.0)) * opacity;
      if (weight <= 0) continue;
      uint8_t* pixel = rgb_.data() + 3 * (y * width_ + x);
      for (int c = 0; c < 3; ++c) pixel[c] = static_cast<uint8_t>(pixel[c] + (color[c] - pixel[c]) * weight + 0.5f);
      if (!ids_.empty() && id != kKeep && depth >= 0) ids_[y * width_ + x] = id;
    }
}

void Canvas::Disc(Point center, double radius, const Color& color, int32_t id, float opacity) {
  Cover({center.x - radius, center.y - radius}, {center.x + radius, center.y + radius}, color, id, opacity, [&](double x, double y) {
    const double dx = x - center.x, dy = y - center.y;
    return radius - std::sqrt(dx * dx + dy * dy);
  });
}

void Canvas::Polygon(std::span<const Point> corners, const Color& color, int32_t id, float opacity) {
  struct Edge {
    double x, y, nx, ny;  // a point on it, and the inward normal
  };
  std::array<Edge, 8> edges;
  const size_t n = corners.size();
  ORRERY_CHECK(n >= 3 && n <= edges.size());
  double area = 0;
  Point low = corners[0], high = corners[0];
  for (size_t i = 0; i < n; ++i) {
    const Point &a = corners[i], &b = corners[(i + 1) % n];
    area += a.x * b.y - b.x * a.y;
    low = {std::min(low.x, a.x), std::min(low.y, a.y)};
    high = {std::max(high.x, a.x), std::max(high.y, a.y)};
  }
  const double side = area > 0 ? 1 : -1;
  for (size_t i = 0; i < n; ++i) {
    const Point &a = corners[i], &b = corners[(i + 1) % n];
    const double dx = b.x - a.x, dy = b.y - a.y, length = std::sqrt(dx * dx + dy * dy);
    const double scale = length > 0 ? side / length : 0;
    edges[i] = {a.x, a.y, -dy * scale, dx * scale};
  }
  Cover(low, high, color, id, opacity, [&](double x, double y) {
    double depth = 1e9;
    for (size_t i = 0; i < n; ++i) depth = std::min(depth, (x - edges[i].x) * edges[i].nx + (y - edges[i].y) * edges[i].ny);
    return depth;
  });
}

void Canvas::Box(Point low, Point high, const Color& color, int32_t id, float opacity) {
  Cover(low, high, color, id, opacity, [&](double x, double y) { return std::min({x - low.x, high.x - x, y - low.y, high.y - y}); });
}

void Canvas::TurnedBox(Point center, double half_width, double half_height, double cosine, double sine, const Color& color, int32_t id,
                       float opacity) {
  const auto corner = [&](double u, double v) {
    return Point{center.x + u * half_width * cosine - v * half_height * sine, center.y - u * half_width * sine - v * half_height * cosine};
  };
  const std::array<Point, 4> corners = {corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)};
  Polygon(corners, color, id, opacity);
}

void Canvas::Line(Point from, Point to, double thickness, const Color& color, int32_t id) {
  const double dx = to.x - from.x, dy = to.y - from.y, length = std::sqrt(dx * dx + dy * dy);
  if (length <= 0) return Disc(from, thickness / 2, color, id);
  const double c = dx / length, s = -dy / length;
  TurnedBox({(from.x + to.x) / 2, (from.y + to.y) / 2}, length / 2, thickness / 2, c, s, color, id);
}

}  // namespace orrery
