#include "eval/dummies/sight.h"

#include <algorithm>
#include <cmath>

namespace orrery {

namespace {

// Marks the cells of a ray from (x, y) along (dx, dy) up to and with the first wall (Amanatides & Woo 1987).
void MarkRay(const MazeMap& map, double x, double y, double dx, double dy, std::vector<uint8_t>& seen) {
  constexpr double kFar = 1e30;
  auto cx = static_cast<int32_t>(x), cy = static_cast<int32_t>(y);
  const int32_t step_x = dx < 0 ? -1 : 1, step_y = dy < 0 ? -1 : 1;
  const double delta_x = dx == 0 ? kFar : std::abs(1 / dx), delta_y = dy == 0 ? kFar : std::abs(1 / dy);
  double next_x = (dx < 0 ? x - cx : cx + 1 - x) * delta_x, next_y = (dy < 0 ? y - cy : cy + 1 - y) * delta_y;
  for (;;) {
    seen[map.Index(cx, cy)] = 1;
    if (map.Wall(cx, cy)) return;
    if (next_x < next_y) {
      cx += step_x;
      next_x += delta_x;
    } else {
      cy += step_y;
      next_y += delta_y;
    }
  }
}

// Whether the picture hangs on an object that is in front of no pixel: behind one that is near, and so translucent, it still tints.
bool Tints(const Maze& maze, size_t object) {
  std::vector<uint8_t> with(static_cast<size_t>(3 * maze.Facts().height * maze.Facts().width)), without = with;
  Maze other = maze;
  MazeState state = maze.State();
  state.objects[object].x = state.x;  // nothing is drawn of what stands where the viewer does
  state.objects[object].y = state.y;
  other.SetState(std::move(state));
  maze.Render(with);
  other.Render(without);
  return with != without;
}

}  // namespace

Sight MazeSight(const Maze& maze) {
  const MazeState& state = maze.State();
  Sight sight{std::vector<uint8_t>(state.map.wall.size(), 0), std::vector<uint8_t>(state.objects.size(), 0)};
  if (state.dark) return sight;
  const Pose pose = *maze.TruePose();
  const Direction forward = HeadingDirection(state.heading);
  const int64_t width = maze.Facts().width;
  for (int64_t i = 0; i < 2 * width; ++i) {
    const double across = (static_cast<double>(i) + 0.5) / static_cast<double>(width) - 1;  // of the half width, tan(45 degrees) = 1
    MarkRay(state.map, pose.x, pose.y, forward.x + across * forward.y, forward.y - across * forward.x, sight.places);
  }
  std::vector<int32_t> ids(static_cast<size_t>(maze.Facts().height * width));
  maze.RenderIds(ids);
  for (const int32_t id : ids)
    if (id >= 2) sight.things[static_cast<size_t>(id - 2)] = 1;
  for (size_t i = 0; i < state.objects.size(); ++i) {
    const MazeObject& o = state.objects[i];
    if (!sight.things[i] && sight.places[state.map.Index(o.x / Maze::kCell, o.y / Maze::kCell)]) sight.things[i] = Tints(maze, i);
  }
  return sight;
}

Sight OccluderSight(const Occluder& occluder) {
  Sight sight;
  const std::vector<double> visible = occluder.Visible();
  for (size_t i = 0; i < visible.size(); ++i) {
    const auto id = static_cast<size_t>(occluder.State().discs[i].id);
    sight.things.resize(std::max(sight.things.size(), id + 1), 0);
    sight.things[id] = visible[i] > 0;
  }
  return sight;
}

size_t KeysSide(const KeysState& state) { return static_cast<size_t>(std::lround(std::sqrt(static_cast<double>(state.tiles.size())))); }

Sight KeysSight(const Keys& keys) {
  const KeysState& state = keys.State();
  const auto size = static_cast<int32_t>(KeysSide(state)), view = static_cast<int32_t>(keys.View());
  if (view == 0) return {std::vector<uint8_t>(state.tiles.size(), 1), {}};
  Sight sight{std::vector<uint8_t>(state.tiles.size(), 0), {}};
  const KeysAgent& eye = keys.Eye();
  const auto [dx, dy] = Keys::kAhead[static_cast<size_t>(eye.heading)];
  for (int32_t forward = 0; forward < view; ++forward)
    for (int32_t side = -(view / 2); side <= view / 2; ++side) {
      const int32_t x = eye.x + forward * dx - side * dy, y = eye.y + forward * dy + side * dx;
      if (x >= 0 && y >= 0 && x < size && y < size) sight.places[static_cast<size_t>(y * size + x)] = 1;
    }
  return sight;
}

SightKind RequireHidden(std::string_view who, const World& world) {
  if (dynamic_cast<const Maze*>(&world)) return SightKind::kMaze;
  if (dynamic_cast<const Occluder*>(&world)) return SightKind::kOccluder;
  if (const auto* keys = dynamic_cast<const Keys*>(&world); keys && keys->View() != 0) return SightKind::kKeys;
  Fail("dummy:{} means nothing in {}: everything is always in sight there", who, world.Facts().spec);
}

Sight LookAt(SightKind kind, const World& world) {
  switch (kind) {
    case SightKind::kMaze:
      return MazeSight(static_cast<const Maze&>(world));
    case SightKind::kOccluder:
      return OccluderSight(static_cast<const Occluder&>(world));
    default:
      return KeysSight(static_cast<const Keys&>(world));
  }
}

}  // namespace orrery
