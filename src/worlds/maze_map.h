// The plan of a maze: walls, and what makes its places look different.
#pragma once
#include <cstdint>
#include <vector>

#include "core/rng.h"

namespace orrery {

constexpr int kMazeColors = 12;

struct MazeMap {
  int32_t size = 0;            // cells a side; the outermost ring is wall
  std::vector<uint8_t> wall;   // [size, size] row-major, row y: 1 wall, 0 free
  std::vector<uint8_t> color;  // [size, size] 0 .. kMazeColors-1: of the floor, and of the walls seen from this cell
  std::vector<uint8_t> decor;  // [size, size] two bits a face (east, west, north, south): 0 plain, 1..3 a picture

  int32_t Index(int32_t x, int32_t y) const { return y * size + x; }
  bool Wall(int32_t x, int32_t y) const { return wall[Index(x, y)] != 0; }
  bool operator==(const MazeMap&) const = default;
};

// A connected maze with small rooms, loops and few dead ends. The free cells are parted into `colors` regions of
// neighbouring cells, one colour each. size: odd, >= 5; colors: 1 .. kMazeColors.
MazeMap GenerateMaze(int32_t size, int32_t colors, Rng& rng);

// Free cells in row-major order.
std::vector<int32_t> FreeCells(const MazeMap& map);

// Steps to each cell from the nearest of `from`, through free cells; -1: wall or out of reach.
std::vector<int32_t> WalkDistances(const std::vector<uint8_t>& wall, int32_t size, const std::vector<int32_t>& from);

}  // namespace orrery
