#include "eval/persistence/solving.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.h"

namespace orrery {

namespace {

constexpr int kPlaces = 1000;
constexpr double kApart = 0.01, kKept = 0.98, kLonger = 0.1;
constexpr double kGrey = 5;
constexpr int64_t kEvery = 5;  // frames

double Distance(Point a, Point b) { return std::hypot(a.x - b.x, a.y - b.y); }

// Lengths from the first point to each.
std::vector<double> Lengths(std::span<const Point> way) {
  std::vector<double> lengths;
  for (size_t i = 0; i < way.size(); ++i) lengths.push_back(i == 0 ? 0 : lengths.back() + Distance(way[i - 1], way[i]));
  return lengths;
}

// The place at `length` along the way; its end beyond.
Point At(std::span<const Point> way, const std::vector<double>& lengths, double length) {
  const auto next = std::upper_bound(lengths.begin(), lengths.end(), length);
  if (next == lengths.end()) return way.back();
  const auto i = static_cast<size_t>(next - lengths.begin());
  const double share = (length - lengths[i - 1]) / (lengths[i] - lengths[i - 1]);
  return {way[i - 1].x + share * (way[i].x - way[i - 1].x), way[i - 1].y + share * (way[i].y - way[i - 1].y)};
}

double Grey(const uint8_t* rgb) { return 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]; }

}  // namespace

WayScore ScoreWay(std::span<const Point> made, std::span<const Point> truth, Point goal, double half) {
  const std::vector<double> true_lengths = Lengths(truth), lengths = Lengths(made);
  if (truth.empty() || true_lengths.back() <= 0) Fail("way: a true way of some length expected, got {} points", truth.size());
  WayScore score;
  if (made.empty()) return score;
  int kept = 0;
  for (; kept < kPlaces; ++kept) {
    const double length = true_lengths.back() * kept / (kPlaces - 1);
    if (Distance(At(made, lengths, length), At(truth, true_lengths, length)) > kApart) break;
  }
  score.progress = static_cast<double>(kept) / kPlaces;
  const auto in_goal = [&](Point p) { return std::abs(p.x - goal.x) <= half && std::abs(p.y - goal.y) <= half; };
  score.reached = std::any_of(made.begin(), made.end(), in_goal);
  score.arrived = in_goal(made.back());
  const double longer = lengths.back() / true_lengths.back() - 1;
  if (score.reached && longer > -1e-9) score.deviation = std::max(0.0, longer);
  score.exact = score.reached && score.progress >= kKept && score.deviation && *score.deviation <= kLonger;
  return score;
}

std::optional<double> MapFidelity(std::span<const uint8_t> first, const FrameSpan& film, const Masks& masks) {
  if (static_cast<int64_t>(first.size()) != 3 * film.Pixels() || masks.frames != film.frames || masks.Pixels() != film.Pixels())
    Fail("map fidelity: a first frame and masks of {} frames of {} x {} expected, got {} bytes and {} masks of {} x {}", film.frames,
         film.height, film.width, first.size(), masks.frames, masks.height, masks.width);
  double sum = 0;
  int64_t frames = 0;
  for (int64_t t = 0; t < film.frames; t += kEvery) {
    int64_t changed = 0, pixels = 0;
    for (int64_t p = 0; p < film.Pixels(); ++p) {
      if (masks.At(t)[static_cast<size_t>(p)]) continue;
      ++pixels;
      changed += std::abs(Grey(film.At(t).data() + 3 * p) - Grey(first.data() + 3 * p)) > kGrey;
    }
    if (pixels == 0) continue;
    sum += static_cast<double>(changed) / static_cast<double>(pixels);
    ++frames;
  }
  if (frames == 0) return std::nullopt;
  return 1 - sum / static_cast<double>(frames);
}

MoveCheck CheckMoves(std::span<const Cell> cells, const std::function<bool(size_t, Cell)>& enters,
                     const std::function<bool(Cell)>& slides) {
  MoveCheck check;
  std::set<std::pair<int32_t, int32_t>> different;
  int64_t entered = 0;
  for (size_t t = 0; t < cells.size(); ++t) {
    const Cell to = cells[t];
    if (t > 0 && to == cells[t - 1]) continue;
    different.insert({to.x, to.y});
    ++entered;
    if (t == 0) continue;
    ++check.moves;
    Cell at = cells[t - 1];
    bool legal = at.x == to.x || at.y == to.y;
    while (legal && !(at == to)) {
      at.x += (to.x > at.x) - (to.x < at.x);
      at.y += (to.y > at.y) - (to.y < at.y);
      legal = enters(t - 1, at) && (at == to || slides(at));
    }
    check.violations += !legal;
  }
  if (entered > 0) check.redundancy = 1 - static_cast<double>(different.size()) / static_cast<double>(entered);
  return check;
}

}  // namespace orrery
