// Trajectories of the maze, on its true map.
#include <algorithm>

#include "worlds/maze_walk.h"

namespace orrery {

namespace {

using Deeds = std::vector<MazeWalker::Deed>;

const Maze& AsMaze(const World& world, std::string_view trajectory) {
  const auto* maze = dynamic_cast<const Maze*>(&world);
  if (!maze) Fail("trajectory {}: knows the world maze, got {}; use policy(...) or script(...) there", trajectory, world.Facts().spec);
  return *maze;
}

template <class T>
const T& Draw(const std::vector<T>& from, Rng& rng) {
  return from[static_cast<size_t>(rng.Below(static_cast<int64_t>(from.size())))];
}

int64_t Whole(const Json& params, const char* name, int64_t low, int64_t high) {
  const int64_t value = params[name];
  RequireRange<int64_t>("trajectory", name, value, low, high);
  return value;
}

// A walk that ends in the pose in which it began, as often as asked.
ActionList Repeated(const MazeWalker& walker, int64_t laps) {
  ORRERY_CHECK(walker.Poses().front() == walker.Poses().back());
  ActionList actions;
  for (int64_t i = 0; i < laps; ++i) actions.insert(actions.end(), walker.Actions().begin(), walker.Actions().end());
  return actions;
}

// The first `again` actions once more.
ActionList Continued(ActionList actions, int64_t again) {
  const auto period = actions.size();
  for (size_t i = 0; i < static_cast<size_t>(again); ++i) actions.push_back(std::vector<float>(actions[i % period]));
  return actions;
}

ActionList OutAndBack(const Maze& maze, Rng& rng, const Json& params) {
  MazeWalker walker(maze, "out-and-back");
  const int64_t cells = Whole(params, "cells", 1, 1000), laps = Whole(params, "laps", 1, 1000);
  const std::vector<int32_t> distance = walker.Distances();
  std::vector<int32_t> targets;
  for (size_t cell = 0; cell < distance.size(); ++cell)
    if (distance[cell] == cells) targets.push_back(static_cast<int32_t>(cell));
  if (targets.empty()) throw NoRoom(fmt::format("out-and-back: no cell is {} cells away", cells));
  const int32_t heading = walker.At().heading;
  CellWay way = *walker.ShortestWay(walker.Cell(), Draw(targets, rng), {}, rng);
  walker.Walk(way);
  std::reverse(way.begin(), way.end());
  walker.Walk(way);
  walker.Face(heading);
  return Repeated(walker, laps);
}

// Walks to the nearest of closed ways (each begins and ends in its cell), then round it.
ActionList Round(MazeWalker walker, const std::vector<CellWay>& ways, int64_t laps, Rng& rng) {
  const std::vector<int32_t> distance = walker.Distances();
  const auto away = [&](const CellWay& way) { return distance[static_cast<size_t>(way.front())]; };
  const int32_t nearest =
      away(*std::min_element(ways.begin(), ways.end(), [&](const auto& a, const auto& b) { return away(a) < away(b); }));
  std::vector<CellWay> near;
  std::copy_if(ways.begin(), ways.end(), std::back_inserter(near), [&](const CellWay& way) { return away(way) == nearest; });
  const CellWay way = Draw(near, rng);
  walker.WalkTo(way.front(), rng);
  for (int64_t lap = 0; lap < laps; ++lap) walker.Walk(way);
  walker.Face(way[1] - way[0] == 1 ? 0 : way[1] - way[0] == -1 ? 12 : way[1] > way[0] ? 6 : 18);
  return walker.Actions();
}

bool Reachable(const std::vector<int32_t>& distance, int32_t cell) { return distance[static_cast<size_t>(cell)] >= 0; }

// The shortest way from `cell` over its neighbour `out` back over its neighbour `in`; none when there is no such way.
std::optional<CellWay> Cycle(const MazeWalker& walker, int32_t cell, int32_t out, int32_t in, CellWay blocked, Rng& rng) {
  blocked.push_back(cell);
  std::optional<CellWay> way = walker.ShortestWay(out, in, blocked, rng);
  if (!way) return std::nullopt;
  way->insert(way->begin(), cell);
  way->push_back(cell);
  return way;
}

ActionList Loop(const Maze& maze, Rng& rng, const Json& params) {
  const MazeWalker walker(maze, "loop");
  const int64_t cells = Whole(params, "cells", 4, 1000), laps = Whole(params, "laps", 1, 1000);
  const std::vector<int32_t> distance = walker.Distances();
  std::vector<CellWay> ways;
  for (const int32_t cell : FreeCells(walker.Map())) {
    if (!Reachable(distance, cell)) continue;
    const std::vector<int32_t> sides = walker.Neighbours(cell);
    for (const int32_t out : sides)
      for (const int32_t in : sides)
        if (out != in)
          if (auto way = Cycle(walker, cell, out, in, {}, rng); way && static_cast<int64_t>(way->size()) > cells)
            ways.push_back(std::move(*way));
  }
  if (ways.empty()) throw NoRoom(fmt::format("loop: this maze has no loop of {} cells or more", cells));
  return Round(walker, ways, laps, rng);
}

ActionList SquareLoop(const Maze& maze, Rng& rng, const Json& params) {
  const MazeWalker walker(maze, "square-loop");
  const auto side = static_cast<int32_t>(Whole(params, "side", 1, 28));
  const int64_t laps = Whole(params, "laps", 1, 1000);
  const MazeMap& map = walker.Map();
  const std::vector<int32_t> distance = walker.Distances();
  std::vector<CellWay> ways;
  for (const int32_t corner : FreeCells(map)) {
    const int32_t x = corner % map.size, y = corner / map.size;
    for (const int32_t sx : {-1, 1})
      for (const int32_t sy : {-1, 1}) {
        if (x + sx * side < 0 || x + sx * side >= map.size || y + sy * side < 0 || y + sy * side >= map.size) continue;
        CellWay way = {corner};
        for (const auto& [dx, dy] : {std::array{sx, 0}, {0, sy}, {-sx, 0}, {0, -sy}})
          for (int32_t i = 0; i < side; ++i) way.push_back(way.back() + dx + dy * map.size);
        const bool free = std::all_of(way.begin(), way.end(), [&](int32_t cell) { return Reachable(distance, cell); });
        if (!free) continue;
        ways.push_back(way);
        std::reverse(way.begin(), way.end());
        ways.push_back(way);
      }
  }
  if (ways.empty()) throw NoRoom(fmt::format("square-loop: this maze has no square of {} by {} steps", side, side));
  return Round(walker, ways, laps, rng);
}

// Two loops that share one cell, one after the other.
ActionList FigureEight(const Maze& maze, Rng& rng, const Json& params) {
  const MazeWalker walker(maze, "figure-eight");
  const int64_t laps = Whole(params, "laps", 1, 1000);
  const std::vector<int32_t> distance = walker.Distances();
  std::vector<CellWay> ways;
  for (const int32_t cell : FreeCells(walker.Map())) {
    const std::vector<int32_t> s = walker.Neighbours(cell);
    if (s.size() < 4 || !Reachable(distance, cell)) continue;
    for (const auto& [a, b, c, d] : {std::array{0, 1, 2, 3}, {0, 1, 3, 2}, {1, 0, 2, 3}, {1, 0, 3, 2}, {1, 2, 3, 0}, {2, 1, 0, 3}}) {
      auto first = Cycle(walker, cell, s[a], s[b], {s[c], s[d]}, rng);
      if (!first) continue;
      const auto second = Cycle(walker, cell, s[c], s[d], *first, rng);
      if (!second) continue;
      first->insert(first->end(), second->begin() + 1, second->end());
      ways.push_back(std::move(*first));
    }
  }
  if (ways.empty()) throw NoRoom("figure-eight: no two loops of this maze share just one cell");
  return Round(walker, ways, laps, rng);
}

ActionList FullTurn(const Maze& maze, Rng& rng, const Json& params) {
  MazeWalker walker(maze, "full-turn");
  walker.Turn(rng.Bernoulli(0.5) ? 24 : -24);
  return Continued(Repeated(walker, Whole(params, "turns", 1, 1000)), Whole(params, "again", 0, 24));
}

// A closed walk over way-points that are drawn as long as there is time to come home; what time is left is rested at the last.
ActionList Gap(const Maze& maze, Rng& rng, const Json& params) {
  MazeWalker walker(maze, "gap");
  const int64_t frames = Whole(params, "frames", 2, 100000), again = Whole(params, "again", 0, frames);
  const MazeWalker::LatticePose start = walker.At();
  const int32_t home = walker.Cell();
  if (frames < 32) {  // too short to walk one cell and back
    const int side = rng.Bernoulli(0.5) ? 1 : -1, turn = std::min<int>(12, static_cast<int>(frames / 2));
    walker.Turn(side * turn);
    walker.Rest(frames - 2 * turn);
    walker.Turn(-side * turn);
    return Continued(walker.Actions(), again);
  }
  const Rng homing(rng.U64());  // the same way home whenever it is asked for
  const auto homeward = [&](const MazeWalker& from) {
    MazeWalker back = from;
    Rng way = homing;
    back.WalkTo(home, way);
    back.Face(start.heading);
    return back;
  };
  const auto fits = [&](const MazeWalker& back) {
    const auto& poses = back.Poses();
    return static_cast<int64_t>(back.Actions().size()) <= frames && std::count(poses.begin() + 1, poses.end() - 1, start) == 0;
  };
  const std::vector<int32_t> distance = walker.Distances();
  std::vector<int32_t> cells;
  for (const int32_t cell : FreeCells(walker.Map()))
    if (cell != home && Reachable(distance, cell) && 32 * distance[static_cast<size_t>(cell)] <= 4 * frames) cells.push_back(cell);
  bool walked = false;
  for (int misses = 0; misses < 24 && !cells.empty();) {
    MazeWalker next = walker;
    next.WalkTo(Draw(cells, rng), rng);
    const bool taken = next.Cell() != walker.Cell() && fits(homeward(next));
    misses = taken ? 0 : misses + 1;
    if (taken) walker = next, walked = true;
  }
  if (!walked) throw NoRoom(fmt::format("gap: no walk from here comes back within {} frames", frames));
  walker.Rest(frames - static_cast<int64_t>(homeward(walker).Actions().size()));
  return Continued(homeward(walker).Actions(), again);
}

// Any actions, then all of them taken back.
ActionList Palindrome(const Maze& maze, Rng& rng, const Json& params) {
  MazeWalker walker(maze, "palindrome");
  const int64_t frames = Whole(params, "frames", 1, 100000), laps = Whole(params, "laps", 1, 1000);
  Deeds deeds;
  MazeWalker::Deed deed;
  for (int64_t i = 0; i < frames; ++i) {
    if (i == 0 || rng.Bernoulli(0.3)) deed = {static_cast<int>(rng.Below(3)) - 1, rng.Bernoulli(0.75)};
    if (deed.step && !walker.CanStep(deed.turn, true)) deed = {deed.turn == 0 ? (rng.Bernoulli(0.5) ? 1 : -1) : deed.turn, false};
    walker.Do(deed);
    deeds.push_back(deed);
  }
  walker.TakeBack(deeds);
  return Repeated(walker, laps);
}

// One or more kept actions and their mirror image, after the symmetric paths of MIND.
ActionList Mirror(const Maze& maze, Rng&, const Json& params) {
  constexpr std::array<std::string_view, 10> paths = {"L", "R", "F", "LF", "RF", "FL", "FR", "LFR", "FLF", "FRF"};
  MazeWalker walker(maze, "mirror");
  const std::string_view path = paths[static_cast<size_t>(Whole(params, "path", 0, 9))];
  const int64_t frames = Whole(params, "frames", 1, 1000), laps = Whole(params, "laps", 1, 1000);
  Deeds deeds;
  for (const char letter : path) {
    const MazeWalker::Deed deed = letter == 'F' ? MazeWalker::Deed{0, true} : MazeWalker::Deed{letter == 'L' ? 1 : -1, false};
    for (int64_t i = 0; i < frames; ++i) {
      if (deed.step && !walker.CanStep(0, true)) {
        if (i < 4) throw NoRoom(fmt::format("mirror: path {} runs into a wall after {} steps", path, i));
        break;
      }
      walker.Do(deed);
      deeds.push_back(deed);
    }
  }
  walker.TakeBack(deeds);
  return Repeated(walker, laps);
}

ActionList Waypoints(const Maze& maze, Rng& rng, const Json& params) {
  MazeWalker walker(maze, "waypoints");
  const int32_t home = walker.Cell(), heading = walker.At().heading;
  const std::vector<int32_t> distance = walker.Distances();
  std::vector<int32_t> cells;
  for (const int32_t cell : FreeCells(walker.Map()))
    if (Reachable(distance, cell)) cells.push_back(cell);
  for (int64_t i = 0, count = Whole(params, "count", 1, 10000); i < count; ++i) walker.WalkTo(Draw(cells, rng), rng);
  if (params["home"].get<bool>()) {
    walker.WalkTo(home, rng);
    walker.Face(heading);
  }
  return walker.Actions();
}

// To every object, the nearest first.
ActionList Hunt(const Maze& maze, Rng& rng, const Json& params) {
  MazeWalker walker(maze, "hunt");
  const int32_t home = walker.Cell(), heading = walker.At().heading;
  CellWay targets;
  for (const MazeObject& o : maze.State().objects) {
    const int32_t cell = walker.Map().Index(o.x / Maze::kCell, o.y / Maze::kCell);
    if (Reachable(walker.Distances(), cell)) targets.push_back(cell);
  }
  if (targets.empty()) throw NoRoom("hunt: no object can be reached in this maze");
  while (!targets.empty()) {
    const std::vector<int32_t> distance = walker.Distances();
    const auto next = std::min_element(targets.begin(), targets.end(), [&](int32_t a, int32_t b) {
      return distance[static_cast<size_t>(a)] < distance[static_cast<size_t>(b)];
    });
    walker.WalkTo(*next, rng);
    targets.erase(next);
  }
  if (params["home"].get<bool>()) {
    walker.WalkTo(home, rng);
    walker.Face(heading);
  }
  return walker.Actions();
}

}  // namespace

std::vector<Registry<Planner>::Entry> MazeTrajectories() {
  using Make = ActionList (*)(const Maze&, Rng&, const Json&);
  const auto entry = [](Facts facts, Make make) {
    const std::string name = facts.name;
    return Registry<Planner>::Entry{std::move(facts), [make, name](const Json& params) {
                                      return
                                          [make, name, params](World& world, Rng& rng) { return make(AsMaze(world, name), rng, params); };
                                    }};
  };
  const Param laps{"laps", 2, "how often it is walked"}, again{"again", 8, "frames of its beginning that follow once more"};
  const Param home{"home", true, "comes back to the first pose at the end"};
  return {
      entry({"out-and-back", "to a cell at a distance and back", "own", {{"cells", 3, "1 or more"}, laps}}, OutAndBack),
      entry({"loop", "round the nearest loop of the map", "own", {{"cells", 8, "of the loop at least"}, laps}}, Loop),
      entry({"square-loop", "round the nearest free square", "own", {{"side", 2, "cells from corner to corner"}, laps}}, SquareLoop),
      entry({"figure-eight", "round two loops that share a cell", "own", {laps}}, FigureEight),
      entry({"full-turn", "once round on the spot", "own", {{"turns", 1, "how many"}, again}}, FullTurn),
      entry(
          {"gap", "about, and back after so many frames", "own", {{"frames", 128, "from the first pose to the return, 2 or more"}, again}},
          Gap),
      entry({"palindrome", "any actions, then all of them taken back", "own", {{"frames", 24, "of its first half"}, laps}}, Palindrome),
      entry({"mirror",
             "kept actions and their mirror image",
             "after MIND's symmetric paths",
             {{"path", 0, "0..9: L, R, F, LF, RF, FL, FR, LFR, FLF, FRF"},
              {"frames", 24, "an action; forward at most, as far as there is room"},
              laps}},
            Mirror),
      entry({"waypoints", "over cells drawn from all", "own", {{"count", 4, "1 or more"}, home}}, Waypoints),
      entry({"hunt", "to every object, the nearest first", "own", {home}}, Hunt),
  };
}

}  // namespace orrery
