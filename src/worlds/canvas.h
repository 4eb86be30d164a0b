// Pictures of flat worlds: shapes with anti-aliased edges, and which object each pixel shows. Exact distances and IEEE
// arithmetic only, so that the same state gives the same bytes everywhere.
#pragma once
#include <array>
#include <cstdint>
#include <span>

namespace orrery {

using Color = std::array<float, 3>;  // RGB, 0..255

// Twelve well separated colours that things may have; 0 is white.
constexpr int kPaletteColors = 12;
extern const std::array<Color, kPaletteColors> kPalette;

Color Shade(const Color& color, float factor);

struct Point {
  double x = 0, y = 0;
};

// Coordinates are pixels, x to the right and y down from the upper left corner of the frame; a pixel's centre lies at
// half-integers. Later shapes lie on top.
class Canvas {
 public:
  static constexpr int32_t kKeep = -1;  // as an id: the pixel goes on showing what it showed

  // rgb [H, W, 3]; ids [H, W] or empty, then no ids are drawn.
  Canvas(int64_t height, int64_t width, std::span<uint8_t> rgb, std::span<int32_t> ids);

  int64_t Height() const { return height_; }
  int64_t Width() const { return width_; }

  void Fill(const Color& color);               // everything, with id 0
  void Picture(std::span<const uint8_t> rgb);  // everything, with id 0
  void Disc(Point center, double radius, const Color& color, int32_t id, float opacity = 1);
  // Convex; corners in either order.
  void Polygon(std::span<const Point> corners, const Color& color, int32_t id, float opacity = 1);
  void Box(Point low, Point high, const Color& color, int32_t id, float opacity = 1);
  // A box of the given half sides around `center`, turned so that its own x axis points along (cosine, -sine): a positive angle
  // is counter-clockwise on the screen.
  void TurnedBox(Point center, double half_width, double half_height, double cosine, double sine, const Color& color, int32_t id,
                 float opacity = 1);
  void Line(Point from, Point to, double thickness, const Color& color, int32_t id);

 private:
  template <class Inside>  // Inside(x, y): distance in pixels from a point to the edge, positive inside
  void Cover(Point low, Point high, const Color& color, int32_t id, float opacity, const Inside& inside);

  int64_t height_, width_;
  std::span<uint8_t> rgb_;
  std::span<int32_t> ids_;
};

}  // namespace orrery
