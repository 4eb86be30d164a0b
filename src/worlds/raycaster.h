// Frames and depth of a maze seen from inside, by ray casting: a DDA walk a column (Amanatides & Woo, "A fast voxel
// traversal algorithm for ray tracing", Eurographics 1987), mip-mapped textures, objects as billboards.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "worlds/heading.h"
#include "worlds/maze_map.h"
#include "worlds/maze_textures.h"

namespace orrery {

struct MazeCamera {
  double x = 0, y = 0;  // cells
  Direction forward;
};

struct Billboard {
  double x = 0, y = 0;  // cells
  int kind = 0;         // 0 .. kObjectKinds-1
};

// Horizontal field of view 90 degrees, square pixels, walls 1 high, eye at 0.5. Uses IEEE double +, -, *, / and
// integers only: frames are the same to the bit on every machine. Const, keeps nothing between calls.
class Raycaster {
 public:
  // height: even, <= 512; width <= 512.
  Raycaster(int height, int width);

  // [H, W, 3] RGB; two rays a pixel column, averaged.
  void Render(const MazeMap& map, std::span<const Billboard> objects, const MazeCamera& camera, std::span<uint8_t> rgb) const;

  // [H, W] distance in cells along `forward` of what the centre of the pixel shows: wall, floor, ceiling or object. With `ids`
  // [H, W] also which: 0, or 1 + the object's place in `objects`.
  void Depth(const MazeMap& map, std::span<const Billboard> objects, const MazeCamera& camera, std::span<float> depth,
             std::span<int32_t> ids = {}) const;

 private:
  struct Hit {
    double depth = 0;  // along `forward`, cells
    double u = 0;      // across the face, left to right as seen, [0, 1)
    double slant = 1;  // |component of the ray across the face|: 1 when seen straight on
    int32_t cell = 0;  // the free cell in front of the face
    int32_t wall = 0;  // the wall cell
    int face = 0;      // 0 east, 1 west, 2 north, 3 south
  };
  struct Row {
    int32_t distance = 0;  // of floor and ceiling along `forward`, 1/65536 cell
    uint32_t light = 0;    // 0..256
    int level = 0;         // of the texture
  };
  struct Sprite;

  Hit Cast(const MazeMap& map, const MazeCamera& camera, const Direction& ray) const;
  // Column `out` [H] of a ray; returns the depth of its wall.
  double Column(const MazeMap& map, const MazeCamera& camera, double across, Texel* out) const;
  void Background(const MazeMap& map, const MazeCamera& camera, const Direction& ray, double limit, int rows, Texel* out) const;
  std::vector<Sprite> Sprites(std::span<const Billboard> objects, const MazeCamera& camera) const;
  void DrawSprite(const Sprite& sprite, const double* walls, std::span<uint8_t> rgb) const;

  int height_, width_;
  double focal_;           // pixels
  std::vector<Row> rows_;  // [H/2], from the top of the frame to the horizon
};

}  // namespace orrery
