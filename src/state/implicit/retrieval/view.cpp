#include "state/implicit/retrieval/view.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace orrery {

namespace {

constexpr double kGolden = 2.399963229728653;  // angle of a sunflower's seeds

double Turn(double angle) { return std::remainder(angle, 2 * std::numbers::pi); }

}  // namespace

bool InView(const PlanarPose& viewer, double x, double y, const FieldOfView& view) {
  const double dx = x - viewer.x, dy = y - viewer.y;
  const double distance = std::hypot(dx, dy);
  if (distance > view.range) return false;
  return distance < 1e-9 || std::abs(Turn(std::atan2(dy, dx) - viewer.angle)) <= view.angle / 2;
}

std::vector<std::array<double, 2>> ViewPoints(const PlanarPose& viewer, const FieldOfView& view, int64_t count) {
  std::vector<std::array<double, 2>> points;
  for (int64_t i = 0; i < count; ++i) {
    const double r = view.range * std::sqrt((static_cast<double>(i) + 0.5) / static_cast<double>(count)),
                 a = kGolden * static_cast<double>(i);
    const double x = viewer.x + r * std::cos(a), y = viewer.y + r * std::sin(a);
    if (InView(viewer, x, y, view)) points.push_back({x, y});
  }
  return points;
}

std::vector<int64_t> CoverView(std::span<const PlanarPose> past, const PlanarPose& target, const FieldOfView& view, int64_t k,
                               int64_t points, double age_weight) {
  const auto ask = ViewPoints(target, view, points);
  const auto n = static_cast<int64_t>(past.size());
  std::vector<std::vector<uint8_t>> sees(past.size());
  for (int64_t i = 0; i < n; ++i) {
    if (std::hypot(past[i].x - target.x, past[i].y - target.y) > 2 * view.range) continue;  // discs of view do not touch
    sees[i].resize(ask.size());
    for (size_t p = 0; p < ask.size(); ++p) sees[i][p] = InView(past[i], ask[p][0], ask[p][1], view);
  }
  std::vector<uint8_t> open(ask.size(), 1);
  std::vector<int64_t> chosen;
  while (static_cast<int64_t>(chosen.size()) < k) {
    int64_t best = -1;
    double best_score = -1e9;
    for (int64_t i = n - 1; i >= 0; --i) {
      if (sees[i].empty()) continue;
      int64_t covered = 0;
      for (size_t p = 0; p < ask.size(); ++p) covered += sees[i][p] & open[p];
      if (covered == 0) continue;
      const double score =
          static_cast<double>(covered) / static_cast<double>(ask.size()) - age_weight * static_cast<double>(n - i) / static_cast<double>(n);
      if (score > best_score) best = i, best_score = score;
    }
    if (best < 0) break;
    chosen.push_back(best);
    for (size_t p = 0; p < ask.size(); ++p) open[p] &= !sees[best][p];
    sees[best].clear();
  }
  return chosen;
}

bool RaysMeet(const PlanarPose& a, const PlanarPose& b, const FieldOfView& view, double near) {
  const double dx = b.x - a.x, dy = b.y - a.y;
  if (std::hypot(dx, dy) < 1e-9) return std::abs(Turn(a.angle - b.angle)) < view.angle;  // one place: sectors overlap or not
  for (const double side : {-0.5, 0.5}) {
    const double u = a.angle + side * view.angle, v = b.angle + side * view.angle;
    const double ux = std::cos(u), uy = std::sin(u), vx = std::cos(v), vy = std::sin(v), cross = ux * vy - uy * vx;
    if (std::abs(cross) < 1e-9) return std::abs(Turn(a.angle - b.angle)) < view.angle / 2;  // parallel views along one another
    const double s = (dx * vy - dy * vx) / cross, t = (dx * uy - dy * ux) / cross;
    if (!(s > near && s < view.range && t > near && t < view.range)) return false;
  }
  return true;
}

std::vector<int64_t> OverlapView(std::span<const PlanarPose> past, const PlanarPose& target, const FieldOfView& view, int64_t k,
                                 double near) {
  std::vector<int64_t> chosen;
  const auto n = static_cast<int64_t>(past.size());
  if (n == 0 || k == 0) return chosen;
  std::vector<int64_t> middles;
  for (int64_t i = 0; i < n; ++i) {
    if (!RaysMeet(past[i], target, view, near)) continue;
    int64_t end = i + 1;
    while (end < n && RaysMeet(past[end], target, view, near)) ++end;
    middles.push_back((i + end - 1) / 2);
    i = end;
  }
  const auto distance = [&](int64_t i) {
    return std::hypot(past[i].x - target.x, past[i].y - target.y) / view.range + std::abs(Turn(past[i].angle - target.angle));
  };
  std::stable_sort(middles.begin(), middles.end(), [&](int64_t a, int64_t b) { return distance(a) < distance(b); });
  for (const int64_t i : middles)
    if (static_cast<int64_t>(chosen.size()) < k && i != n - 1) chosen.push_back(i);
  if (static_cast<int64_t>(chosen.size()) == k) chosen.pop_back();
  chosen.push_back(n - 1);
  return chosen;
}

}  // namespace orrery
