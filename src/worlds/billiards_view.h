// How a billiard table looks: anti-aliased by exact distances, the same to the bit on every machine.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "worlds/billiards.h"

namespace orrery {

// Pixels of the cushion around a table on a frame of this size.
float CushionWidth(int64_t height, int64_t width);

// The empty table, [H, W, 3] RGB.
std::vector<uint8_t> DrawTable(int64_t height, int64_t width);

// Balls onto a table, later ones on top. `table_height` in metres gives the scale.
void DrawBalls(std::span<const Ball> balls, float table_height, int64_t height, int64_t width, std::span<uint8_t> rgb);

}  // namespace orrery
