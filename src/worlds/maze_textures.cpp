#include "worlds/maze_textures.h"

#include <algorithm>
#include <cstdlib>

#include "core/error.h"

namespace orrery {

namespace {

constexpr int kSide = Texture::kSide;

struct Scheme {
  Texel base, accent;
};

// Hues far apart, so that a place is known by its colour.
constexpr std::array<Scheme, kMazeColors> kSchemes = {{
    {Rgb(214, 62, 48), Rgb(244, 196, 164)},    // red
    {Rgb(46, 104, 222), Rgb(160, 208, 255)},   // blue
    {Rgb(250, 196, 40), Rgb(150, 92, 12)},     // yellow
    {Rgb(36, 166, 84), Rgb(196, 240, 150)},    // green
    {Rgb(150, 64, 200), Rgb(238, 190, 250)},   // purple
    {Rgb(244, 132, 28), Rgb(92, 40, 20)},      // orange
    {Rgb(28, 186, 204), Rgb(10, 70, 98)},      // cyan
    {Rgb(240, 110, 168), Rgb(255, 226, 236)},  // pink
    {Rgb(150, 100, 60), Rgb(236, 208, 160)},   // brown
    {Rgb(232, 234, 240), Rgb(70, 76, 96)},     // white
    {Rgb(170, 222, 40), Rgb(56, 96, 20)},      // lime
    {Rgb(44, 52, 104), Rgb(236, 190, 84)},     // navy
}};

constexpr uint32_t Noise(uint32_t x, uint32_t y, uint32_t salt) {
  uint32_t h = x * 0x9E3779B1u ^ y * 0x85EBCA77u ^ salt * 0xC2B2AE3Du;
  h ^= h >> 15;
  h *= 0x2C1B3C6Du;
  h ^= h >> 12;
  return h * 0x297A2D39u >> 16;
}

Texel Bricks(const Scheme& s, int u, int v) {
  const int row = v / 16, shifted = (u + (row % 2) * 16) % 64;
  if (v % 16 < 2 || shifted % 32 < 2) return Mix(s.base, s.accent, 170);
  return Shade(s.base, 200 + Noise(shifted / 32, row, 1) % 56);
}

Texel Planks(const Scheme& s, int u, int v) {
  if (u % 16 < 2) return Mix(s.base, s.accent, 190);
  return Shade(Mix(s.base, s.accent, (u / 16) % 2 ? 70 : 0), 224 + Noise(u / 16, v / 32, 2) % 32);
}

Texel Diamonds(const Scheme& s, int u, int v) {
  const int distance = std::abs(u % 32 - 16) + std::abs(v % 32 - 16);
  return distance < 10 ? s.accent : s.base;
}

Texel Checker(const Scheme& s, int u, int v) { return (u / 16 + v / 16) % 2 ? s.base : Mix(s.base, s.accent, 170); }

Texel Bands(const Scheme& s, int u, int v) { return v % 24 < 8 ? s.accent : Shade(s.base, 228 + Noise(u / 16, v / 24, 3) % 28); }

Texel Dots(const Scheme& s, int u, int v) {
  const int x = u % 32 - 16, y = (v + 2) % 32 - 16;
  return x * x + y * y < 81 ? Mix(s.base, s.accent, 190) : s.base;
}

Texel Panels(const Scheme& s, int u, int v) {
  const int edge = std::min(std::min(u, 63 - u), std::min(v - 4, 57 - v));
  return edge < 3 ? Shade(s.base, 150) : edge < 13 ? s.base : edge < 17 ? s.accent : Mix(s.base, s.accent, 60);
}

Texel Stripes(const Scheme& s, int u, int v) { return (u + v) % 32 < 13 ? s.accent : s.base; }

Texel WallTexel(int color, int u, int v) {
  using Pattern = Texel (*)(const Scheme&, int, int);
  constexpr std::array<Pattern, 8> patterns = {Bricks, Panels, Diamonds, Planks, Dots, Bands, Checker, Stripes};
  const Scheme& scheme = kSchemes[color];
  if (v >= 58) return Shade(scheme.base, v == 58 ? 60 : 110);
  if (v < 4) return Shade(scheme.accent, v == 3 ? 110 : 200);
  return patterns[color % patterns.size()](scheme, u, v);
}

// A framed picture in the middle of a wall.
Texel PictureTexel(Texel wall, int decor, int u, int v) {
  const int x = u - 32, y = v - 28, edge = std::max(std::abs(x), std::abs(y));
  if (decor == 0 || edge > 16) return wall;
  if (edge > 13) return Rgb(44, 30, 24);
  constexpr std::array<Texel, 3> paper = {Rgb(250, 246, 230), Rgb(30, 40, 70), Rgb(255, 222, 90)};
  constexpr std::array<Texel, 3> ink = {Rgb(220, 30, 50), Rgb(120, 240, 220), Rgb(20, 40, 160)};
  const bool inside = decor == 1   ? x * x + y * y < 64
                      : decor == 2 ? std::abs(x) < 3 || std::abs(y) < 3
                                   : y > -9 && y < 9 && 2 * std::abs(x) < y + 9;
  return inside ? ink[decor - 1] : paper[decor - 1];
}

Texel FloorTexel(int color, int u, int v) {
  const Texel tint = Mix(kSchemes[color].base, Rgb(120, 112, 104), 120);
  const bool dark = (u / 32 + v / 32) % 2;
  return Shade(tint, dark ? 148 : 200);
}

Texel CeilingTexel(int u, int v) {
  const int x = std::abs(u - 32), y = std::abs(v - 32);
  if (x < 8 && y < 19) return Rgb(248, 244, 220);
  if (std::max(x, y) > 30) return Rgb(128, 138, 162);
  return Rgb(158, 170, 198);
}

constexpr std::array<Texel, kObjectKinds> kObjectTints = {Rgb(255, 40, 40),  Rgb(50, 230, 60),  Rgb(60, 110, 255),  Rgb(255, 230, 40),
                                                          Rgb(255, 70, 230), Rgb(40, 240, 240), Rgb(255, 255, 255), Rgb(255, 140, 20)};

// Signed distance, roughly in 1/4 texels, from the edge of a shape (positive inside); x, y from its centre.
int ShapeDepth(int kind, int x, int y) {
  const int ax = std::abs(x);
  switch (kind % 4) {
    case 0:
      return (108 * 108 - x * x - y * y) / 216;  // ball
    case 1:
      return std::min(116 - std::abs(y) - ax, 116 - ax) * 3 / 4;  // diamond
    case 2:
      return std::min(92 - ax, std::min(92 - y, y + 92));  // box
    default:
      return std::min(108 - y, (y + 116 - 2 * ax) * 9 / 20);  // cone
  }
}

Texel ObjectTexel(int kind, int u, int v) {
  const int x = 4 * u - 126, y = 4 * v - 126;
  const int depth = ShapeDepth(kind, x, y);
  const uint32_t alpha = static_cast<uint32_t>(std::clamp(depth * 64 + 128, 0, 255));
  const int glow = (x + 40) * (x + 40) + (y + 46) * (y + 46);
  const Texel tint = kObjectTints[kind];
  const int light = std::clamp(250 - (x + y) / 2, 130, 256);
  Texel c = depth < 14 ? Shade(tint, 80) : Shade(tint, static_cast<uint32_t>(light));
  if (glow < 900) c = Mix(tint, Rgb(255, 255, 255), 200);
  return (c & 0xFFFFFFu) | alpha << 24;
}

// The mean of four texels weighted by alpha.
Texel Mean(const std::array<Texel, 4>& texels) {
  uint32_t alpha = 0, sums[3] = {0, 0, 0};
  for (const Texel t : texels) {
    alpha += t >> 24;
    for (int c = 0; c < 3; ++c) sums[c] += (t >> (8 * c) & 255) * (t >> 24);
  }
  if (alpha == 0) return texels[0] & 0xFFFFFFu;
  Texel mean = (alpha + 2) / 4 << 24;
  for (int c = 0; c < 3; ++c) mean |= (sums[c] + alpha / 2) / alpha << (8 * c);
  return mean;
}

// The texels drawn, each averaged with its 2 x 2 block, which softens edges seen from near by.
template <class Draw>
Texture Draw64(Draw draw) {
  std::vector<Texel> texels;
  for (int u = 0; u < kSide; ++u)
    for (int v = 0; v < kSide; ++v) {
      const int right = std::min(u + 1, kSide - 1), below = std::min(v + 1, kSide - 1);
      texels.push_back(Mean({draw(u, v), draw(right, v), draw(u, below), draw(right, below)}));
    }
  return Texture(std::move(texels));
}

constexpr Texel Opaque(Texel c) { return c | 0xFF000000u; }

}  // namespace

Texture::Texture(std::vector<Texel> full) : texels_(std::move(full)) {
  ORRERY_CHECK(texels_.size() == kSide * kSide);
  for (int level = 1; level < kLevels; ++level) {
    const int side = kSide >> level;
    for (int u = 0; u < side; ++u)
      for (int v = 0; v < side; ++v) {
        const int at = kOffsets[level - 1] + 2 * u * 2 * side + 2 * v;
        texels_.push_back(Mean({texels_[at], texels_[at + 1], texels_[at + 2 * side], texels_[at + 2 * side + 1]}));
      }
  }
}

const MazeTextures& MazeTextures::Get() {
  static const MazeTextures textures = [] {
    MazeTextures made;
    for (int color = 0; color < kMazeColors; ++color) {
      for (int decor = 0; decor < 4; ++decor)
        made.walls.push_back(Draw64([&](int u, int v) { return Opaque(PictureTexel(WallTexel(color, u, v), decor, u, v)); }));
      made.floors.push_back(Draw64([&](int u, int v) { return Opaque(FloorTexel(color, u, v)); }));
    }
    for (int kind = 0; kind < kObjectKinds; ++kind) made.objects.push_back(Draw64([&](int u, int v) { return ObjectTexel(kind, u, v); }));
    made.ceiling.push_back(Draw64([](int u, int v) { return Opaque(CeilingTexel(u, v)); }));
    return made;
  }();
  return textures;
}

}  // namespace orrery
