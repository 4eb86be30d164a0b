// How the rooms of `keys` look: tiles of 8 pixels, all of the grid or what lies before an agent.
#include "worlds/keys.h"

namespace orrery {

namespace {

constexpr std::array<Color, 3> kFloors = {{{38, 40, 48}, {48, 40, 36}, {34, 46, 38}}};
constexpr Color kWallColor = {120, 122, 130}, kIceColor = {165, 215, 235}, kGoalColor = {60, 170, 80};
constexpr std::array<uint8_t, 2> kAgentColors = {0, 6};

}  // namespace

void Keys::DrawTile(Canvas& canvas, Point low, const KeysTile& t) const {
  const double p = kTilePixels;
  const Point high{low.x + p, low.y + p}, middle{low.x + p / 2, low.y + p / 2};
  const auto at = [&](double u, double v) { return Point{low.x + u, low.y + v}; };
  canvas.Box(low, high, kFloors[state_.floor_color], 0);
  canvas.Box(at(0, 0), at(p, 0.5), Shade(kFloors[state_.floor_color], 1.4f), 0);
  if (t.floor == KeysTile::kIce) canvas.Box(at(0.5, 0.5), at(p - 0.5, p - 0.5), kIceColor, 0);
  if (t.floor == KeysTile::kGoal) canvas.Box(at(0.5, 0.5), at(p - 0.5, p - 0.5), kGoalColor, 0);
  if (t.floor == KeysTile::kButton)
    canvas.Disc(middle, 3.5, kPalette[t.floor_color], 0), canvas.Disc(middle, 2, kFloors[state_.floor_color], 0);
  const Color color = kPalette[t.color];
  switch (t.item) {
    case KeysTile::kWall:
      canvas.Box(low, high, kWallColor, 0);
      canvas.Box(at(0, p - 1.5), high, Shade(kWallColor, 0.6f), 0);
      break;
    case KeysTile::kKey:
      canvas.Disc(at(2.5, 4), 2, color, t.id);
      canvas.Box(at(4, 3.25), at(7.5, 4.75), color, t.id);
      canvas.Box(at(6, 4), at(7.5, 6.5), color, t.id);
      break;
    case KeysTile::kDoor:
      if (t.open) {
        canvas.Box(at(0, 0), at(1.5, p), color, t.id);
      } else {
        canvas.Box(low, high, color, t.id);
        canvas.Box(at(1.5, 1.5), at(p - 1.5, p - 1.5), Shade(color, 0.6f), t.id);
        canvas.Disc(at(6, 4), 1, color, t.id);
      }
      break;
    case KeysTile::kGate:
      for (const double u : {0.5, 2.5, 4.5, 6.5}) canvas.Box(at(u, 0), at(u + 1, t.open ? 1.5 : p), color, t.id);
      break;
    case KeysTile::kLever:
      canvas.Box(at(1.5, 5.5), at(6.5, 7.5), Shade(color, 0.6f), t.id);
      canvas.Line(at(4, 6), t.open ? at(6.5, 1.5) : at(1.5, 1.5), 1.5, color, t.id);
      break;
    case KeysTile::kBox:
      canvas.Box(at(0.5, 0.5), at(p - 0.5, p - 0.5), color, t.id);
      canvas.Box(at(1.5, 1.5), at(p - 1.5, p - 1.5), Shade(color, 1.35f), t.id);
      break;
    default:
      break;
  }
}

void Keys::Draw(Canvas& canvas) const {
  canvas.Fill({0, 0, 0});
  const auto n = static_cast<int32_t>(options_.view ? options_.view : options_.size);
  const KeysAgent& eye = Eye();
  const auto [dx, dy] = kAhead[eye.heading];
  for (int32_t v = 0; v < n; ++v)
    for (int32_t u = 0; u < n; ++u) {
      int32_t x = u, y = v;
      if (options_.view) {  // ahead is up; who looks stands in the middle of the lowest row
        const int32_t forward = n - 1 - v, side = u - n / 2;
        x = eye.x + forward * dx - side * dy;
        y = eye.y + forward * dy + side * dx;
        if (x < 0 || y < 0 || x >= size_ || y >= size_) continue;
      }
      const Point low{static_cast<double>(u * kTilePixels), static_cast<double>(v * kTilePixels)};
      DrawTile(canvas, low, At(x, y));
      for (size_t i = 0; i < state_.agents.size(); ++i) {
        const KeysAgent& agent = state_.agents[i];
        const int32_t turn = options_.view ? agent.heading - eye.heading + 3 : agent.heading;
        if (agent.x == x && agent.y == y) DrawAgent(canvas, {low.x + 4, low.y + 4}, agent, (turn + 4) % 4, static_cast<int32_t>(i));
      }
    }
}

void Keys::DrawAgent(Canvas& canvas, Point c, const KeysAgent& agent, int32_t heading, int32_t index) const {
  const auto [hx, hy] = kAhead[heading];
  const std::array<Point, 3> arrow = {Point{c.x + 3.5 * hx, c.y + 3.5 * hy}, Point{c.x - 3 * hx - 3 * hy, c.y - 3 * hy + 3 * hx},
                                      Point{c.x - 3 * hx + 3 * hy, c.y - 3 * hy - 3 * hx}};
  canvas.Polygon(arrow, agent.done ? kGoalColor : kPalette[kAgentColors[index]], 1 + index);
  if (agent.carried) canvas.Disc({c.x - hx, c.y - hy}, 1.5, kPalette[agent.carried - 1], agent.carried_id);
}

}  // namespace orrery
