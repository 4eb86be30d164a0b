// Textures of the maze, drawn by integer arithmetic: walls, floors, ceiling, and the objects to find.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "worlds/maze_map.h"

namespace orrery {

// A colour as 0xAABBGGRR.
using Texel = uint32_t;

constexpr Texel Rgb(uint32_t r, uint32_t g, uint32_t b) { return 0xFF000000u | b << 16 | g << 8 | r; }

// Red, green and blue times scale / 256, scale 0..256; alpha becomes 0.
constexpr Texel Shade(Texel c, uint32_t scale) {
  return (((c & 0xFF00FFu) * scale >> 8) & 0xFF00FFu) | (((c & 0xFF00u) * scale >> 8) & 0xFF00u);
}

// a (weight 0) to b (weight 256); alpha becomes 0.
constexpr Texel Mix(Texel a, Texel b, uint32_t weight) { return Shade(a, 256 - weight) + Shade(b, weight); }

// 64 x 64 texels and their halvings down to one. Column-major: texel (u, v) of level l is Level(l)[u * (64 >> l) + v];
// u runs to the right and v downwards, as seen.
class Texture {
 public:
  static constexpr int kSide = 64, kLevels = 7;

  // The halvings of `full` (64 * 64 texels, column-major), weighted by alpha.
  explicit Texture(std::vector<Texel> full);

  const Texel* Level(int level) const { return texels_.data() + kOffsets[level]; }

 private:
  static constexpr std::array<int, kLevels> kOffsets = {0, 4096, 5120, 5376, 5440, 5456, 5460};
  std::vector<Texel> texels_;
};

constexpr int kObjectKinds = 8;

// Every texture there is; made once a process and never changed.
struct MazeTextures {
  std::vector<Texture> walls;    // [color * 4 + decor]
  std::vector<Texture> floors;   // [color]
  std::vector<Texture> objects;  // [kind], with alpha
  std::vector<Texture> ceiling;  // one

  static const MazeTextures& Get();
};

}  // namespace orrery
