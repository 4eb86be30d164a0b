#include "worlds/maze_map.h"

#include <algorithm>
#include <array>

#include "core/error.h"

namespace orrery {

namespace {

constexpr std::array<std::array<int32_t, 2>, 4> kSides = {{{1, 0}, {-1, 0}, {0, 1}, {0, -1}}};

template <class T>
void Shuffle(std::vector<T>& items, Rng& rng) {
  for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[rng.Below(static_cast<int64_t>(i))]);
}

// Passages between the odd cells as a random spanning tree, grown depth first.
void CarveTree(MazeMap& map, Rng& rng) {
  std::vector<std::array<int32_t, 2>> path = {{1, 1}};
  map.wall[map.Index(1, 1)] = 0;
  while (!path.empty()) {
    const auto [x, y] = path.back();
    std::vector<std::array<int32_t, 2>> choices;
    for (const auto& [dx, dy] : kSides) {
      const int32_t nx = x + 2 * dx, ny = y + 2 * dy;
      if (nx > 0 && ny > 0 && nx < map.size - 1 && ny < map.size - 1 && map.Wall(nx, ny)) choices.push_back({dx, dy});
    }
    if (choices.empty()) {
      path.pop_back();
      continue;
    }
    const auto [dx, dy] = choices[rng.Below(static_cast<int64_t>(choices.size()))];
    map.wall[map.Index(x + dx, y + dy)] = 0;
    map.wall[map.Index(x + 2 * dx, y + 2 * dy)] = 0;
    path.push_back({x + 2 * dx, y + 2 * dy});
  }
}

void CarveRooms(MazeMap& map, Rng& rng) {
  const int32_t places = (map.size - 3) / 2;
  for (int32_t rooms = (map.size - 3) / 4; rooms > 0; --rooms) {
    const int32_t x0 = 1 + 2 * static_cast<int32_t>(rng.Below(places)), y0 = 1 + 2 * static_cast<int32_t>(rng.Below(places));
    for (int32_t y = y0; y < y0 + 3; ++y)
      for (int32_t x = x0; x < x0 + 3; ++x) map.wall[map.Index(x, y)] = 0;
  }
}

// Opens most dead ends into the corridor behind, which makes loops.
void OpenDeadEnds(MazeMap& map, Rng& rng) {
  for (int32_t y = 1; y < map.size; y += 2)
    for (int32_t x = 1; x < map.size; x += 2) {
      int walls = 0;
      std::vector<int32_t> closed;
      for (const auto& [dx, dy] : kSides) {
        if (!map.Wall(x + dx, y + dy)) continue;
        ++walls;
        const int32_t nx = x + 2 * dx, ny = y + 2 * dy;
        if (nx > 0 && ny > 0 && nx < map.size && ny < map.size) closed.push_back(map.Index(x + dx, y + dy));
      }
      if (walls == 3 && !closed.empty() && rng.Bernoulli(0.75)) map.wall[closed[rng.Below(static_cast<int64_t>(closed.size()))]] = 0;
    }
}

// Regions grow from seeds that lie far from each other; walls take the colour of a neighbour.
void PaintRegions(MazeMap& map, int32_t colors, Rng& rng) {
  const std::vector<int32_t> free = FreeCells(map);
  std::vector<uint8_t> palette;
  for (int32_t color = 0; color < colors; ++color) palette.push_back(static_cast<uint8_t>(color));
  Shuffle(palette, rng);
  std::vector<int32_t> seeds = {free[rng.Below(static_cast<int64_t>(free.size()))]};
  while (static_cast<int32_t>(seeds.size()) < std::min<int32_t>(colors, static_cast<int32_t>(free.size()))) {
    const std::vector<int32_t> far = WalkDistances(map.wall, map.size, seeds);
    seeds.push_back(*std::max_element(free.begin(), free.end(), [&](int32_t a, int32_t b) { return far[a] < far[b]; }));
  }
  std::vector<int32_t> nearest(map.wall.size(), INT32_MAX);
  for (size_t s = 0; s < seeds.size(); ++s) {
    const std::vector<int32_t> distance = WalkDistances(map.wall, map.size, {seeds[s]});
    for (const int32_t cell : free)
      if (distance[cell] < nearest[cell]) {
        nearest[cell] = distance[cell];
        map.color[cell] = palette[s];
      }
  }
  for (int32_t y = 0; y < map.size; ++y)
    for (int32_t x = 0; x < map.size; ++x) {
      if (!map.Wall(x, y)) continue;
      for (const auto& [dx, dy] : kSides) {
        const int32_t nx = x + dx, ny = y + dy;
        if (nx >= 0 && ny >= 0 && nx < map.size && ny < map.size && !map.Wall(nx, ny))
          map.color[map.Index(x, y)] = map.color[map.Index(nx, ny)];
      }
    }
}

void HangPictures(MazeMap& map, Rng& rng) {
  for (size_t cell = 0; cell < map.wall.size(); ++cell)
    for (int face = 0; face < 4; ++face) {
      const bool picture = rng.Bernoulli(0.22);
      const int64_t kind = 1 + rng.Below(3);
      if (map.wall[cell] && picture) map.decor[cell] |= static_cast<uint8_t>(kind << (2 * face));
    }
}

}  // namespace

MazeMap GenerateMaze(int32_t size, int32_t colors, Rng& rng) {
  ORRERY_CHECK(size >= 5 && size % 2 == 1 && colors >= 1 && colors <= kMazeColors);
  const size_t cells = static_cast<size_t>(size) * size;
  MazeMap map{size, std::vector<uint8_t>(cells, 1), std::vector<uint8_t>(cells, 0), std::vector<uint8_t>(cells, 0)};
  CarveTree(map, rng);
  CarveRooms(map, rng);
  OpenDeadEnds(map, rng);
  PaintRegions(map, colors, rng);
  HangPictures(map, rng);
  return map;
}

std::vector<int32_t> FreeCells(const MazeMap& map) {
  std::vector<int32_t> free;
  for (size_t cell = 0; cell < map.wall.size(); ++cell)
    if (!map.wall[cell]) free.push_back(static_cast<int32_t>(cell));
  return free;
}

std::vector<int32_t> WalkDistances(const std::vector<uint8_t>& wall, int32_t size, const std::vector<int32_t>& from) {
  std::vector<int32_t> distance(wall.size(), -1);
  std::vector<int32_t> queue;
  for (const int32_t cell : from)
    if (!wall[cell] && distance[cell] < 0) {
      distance[cell] = 0;
      queue.push_back(cell);
    }
  for (size_t head = 0; head < queue.size(); ++head) {
    const int32_t cell = queue[head];
    for (const auto& [dx, dy] : kSides) {
      const int32_t x = cell % size + dx, y = cell / size + dy;
      if (x < 0 || y < 0 || x >= size || y >= size) continue;
      const int32_t next = y * size + x;
      if (wall[next] || distance[next] >= 0) continue;
      distance[next] = distance[cell] + 1;
      queue.push_back(next);
    }
  }
  return distance;
}

}  // namespace orrery
