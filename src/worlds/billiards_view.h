// How a billiard table looks: anti-aliased by exact distances, the same to the bit on every machine.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "worlds/billiards.h"

namespace orrery {

// Pixels of the cushion around a table on a frame of this size.
float CushionWidth(int64_t height, int64_t width);

// The empty table, [H, W, 3] RGB. tint 0..2: the colour of the felt, which means nothing.
std::vector<uint8_t> DrawTable(int64_t height, int64_t width, int tint);

// Where a place on the table, in metres from its lower left corner, lies on the frame.
class BallView {
 public:
  BallView(float table_height, int64_t height, int64_t width);
  Point Pixel(double x, double y) const;
  double Scale() const { return scale_; }  // pixels a metre

 private:
  double cushion_, height_, scale_;
};

// Balls onto a table, later ones on top.
void DrawBalls(Canvas& canvas, std::span<const Ball> balls, const BallView& view);

}  // namespace orrery
