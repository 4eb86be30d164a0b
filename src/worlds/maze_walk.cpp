#include "worlds/maze_walk.h"

#include <algorithm>

namespace orrery {

namespace {

constexpr int32_t kHeadings = 24;
constexpr int32_t kCellUnits = Maze::kCell / Maze::kLatticeUnit;

int32_t Wrapped(int32_t heading) { return ((heading % kHeadings) + kHeadings) % kHeadings; }

}  // namespace

MazeWalker::MazeWalker(const Maze& maze, std::string_view trajectory) : maze_(&maze) {
  if (!maze.Facts().actions.Discrete())
    Fail("trajectory {}: only lattice steps return to the same pose; expected maze(step=lattice), got {}", trajectory, maze.Facts().spec);
  const MazeState& s = maze.State();
  at_ = {s.x / Maze::kLatticeUnit, s.y / Maze::kLatticeUnit, s.heading / kStep15};
  if (at_.x % kCellUnits != kCellUnits / 2 || at_.y % kCellUnits != kCellUnits / 2 || at_.heading % 6 != 0)
    Fail("trajectory {}: must begin in the middle of a cell and along an axis, as after Reset", trajectory);
  poses_.push_back(at_);
}

int32_t MazeWalker::Cell() const { return Map().Index(at_.x / kCellUnits, at_.y / kCellUnits); }

bool MazeWalker::CanStep(int turn, bool both) const {
  const auto [dx, dy] = Maze::LatticeStep(Wrapped(at_.heading + turn) * kStep15);
  const auto fits = [&](int32_t x, int32_t y) { return maze_->Fits(x * Maze::kLatticeUnit, y * Maze::kLatticeUnit); };
  return fits(at_.x + dx, at_.y) && fits(at_.x + dx, at_.y + dy) && (!both || fits(at_.x, at_.y + dy));
}

void MazeWalker::Do(const Deed& deed) {
  ORRERY_CHECK(!deed.step || CanStep(deed.turn));
  at_.heading = Wrapped(at_.heading + deed.turn);
  if (deed.step) {
    const auto [dx, dy] = Maze::LatticeStep(at_.heading * kStep15);
    at_.x += dx;
    at_.y += dy;
  }
  constexpr std::array<std::array<const char*, 2>, 3> names = {{{"right", "forward-right"}, {"noop", "forward"}, {"left", "forward-left"}}};
  actions_.push_back({static_cast<float>(maze_->Facts().actions.Index(names[static_cast<size_t>(deed.turn + 1)][deed.step]))});
  poses_.push_back(at_);
}

void MazeWalker::Turn(int steps) {
  for (int i = 0; i < std::abs(steps); ++i) Do({steps > 0 ? 1 : -1, false});
}

void MazeWalker::Rest(int64_t frames) {
  for (int64_t i = 0; i < frames; ++i) Do({});
}

void MazeWalker::Face(int32_t heading) {
  const int32_t turn = Wrapped(heading - at_.heading);
  Turn(turn > kHeadings / 2 ? turn - kHeadings : turn);
}

void MazeWalker::Walk(const CellWay& way) {
  ORRERY_CHECK(!way.empty() && way.front() == Cell());
  for (size_t i = 1; i < way.size(); ++i) {
    const int32_t step = way[i] - way[i - 1];
    Face(step == 1 ? 0 : step == -1 ? 12 : step > 0 ? 6 : 18);
    for (int quarter = 0; quarter < 4; ++quarter) Do({0, true});
    ORRERY_CHECK(Cell() == way[i]);
  }
}

void MazeWalker::WalkTo(int32_t cell, Rng& rng) {
  const auto way = ShortestWay(Cell(), cell, {}, rng);
  ORRERY_CHECK(way.has_value());
  Walk(*way);
}

void MazeWalker::TakeBack(std::span<const Deed> deeds) {
  const bool walked = std::any_of(deeds.begin(), deeds.end(), [](const Deed& d) { return d.step; });
  if (walked) Turn(kHeadings / 2);
  for (size_t i = deeds.size(); i-- > 0;) {
    if (deeds[i].step) Do({0, true});
    if (deeds[i].turn != 0 || !deeds[i].step) Do({-deeds[i].turn, false});
  }
  if (walked) Turn(kHeadings / 2);
}

std::optional<CellWay> MazeWalker::ShortestWay(int32_t from, int32_t to, const CellWay& blocked, Rng& rng) const {
  std::vector<uint8_t> wall = Map().wall;
  for (const int32_t cell : blocked) wall[static_cast<size_t>(cell)] = 1;
  const std::vector<int32_t> distance = WalkDistances(wall, Map().size, {to});
  if (distance[static_cast<size_t>(from)] < 0) return std::nullopt;
  CellWay way = {from};
  while (way.back() != to) {
    std::vector<int32_t> nearer;
    for (const int32_t next : Neighbours(way.back()))
      if (distance[static_cast<size_t>(next)] == distance[static_cast<size_t>(way.back())] - 1) nearer.push_back(next);
    way.push_back(nearer[static_cast<size_t>(rng.Below(static_cast<int64_t>(nearer.size())))]);
  }
  return way;
}

std::vector<int32_t> MazeWalker::Neighbours(int32_t cell) const {
  std::vector<int32_t> free;
  for (const int32_t next : {cell + 1, cell + Map().size, cell - 1, cell - Map().size})
    if (!Map().wall[static_cast<size_t>(next)]) free.push_back(next);
  return free;
}

std::vector<int32_t> MazeWalker::Distances() const { return WalkDistances(Map().wall, Map().size, {Cell()}); }

}  // namespace orrery
