#include "worlds/hard_discs.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace orrery {

namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();
// m/s; a slower approach is rounding, as of discs that a collision without rebound left side by side.
constexpr double kApproach = 1e-12;

// One coordinate of a disc in [radius, size - radius].
double TimeToWall(double x, double v, double radius, double size) {
  if (v > 0) return std::max(0.0, (size - radius - x) / v);
  if (v < 0 && std::isfinite(size)) return std::max(0.0, (radius - x) / v);
  return kNever;
}

struct Next {
  double time = kNever;  // since the beginning
  int64_t first = -1;
  int64_t second = -1;  // a disc, or -1 and -2: the walls across x and across y
};

// Each disc is kept where its own last collision left it, so that what a disc does depends on nothing but what it touches, to the bit.
// Its next collision, with a disc of a higher index or a wall, is kept too; after a collision only what it concerns is looked at anew.
class Run {
 public:
  Run(const HardBox& box, std::span<HardDisc> discs)
      : box_(box), discs_(discs), at_(discs.size(), 0), next_(discs.size()), last_(discs.size(), -kNever) {
    for (size_t i = 0; i < discs.size(); ++i) Look(static_cast<int64_t>(i));
  }

  std::vector<HardCollision> Go(double seconds, int64_t limit) {
    std::vector<HardCollision> collisions;
    double end = seconds;
    while (!next_.empty() && end == seconds) {
      const Next event = *std::min_element(next_.begin(), next_.end(), [](const Next& a, const Next& b) { return a.time < b.time; });
      if (!(event.time < seconds)) break;
      const double impulse = event.second >= 0 ? CollideDiscs(event) : CollideWall(event);
      collisions.push_back({event.time, event.first, std::max<int64_t>(event.second, -1), impulse});
      if (static_cast<int64_t>(collisions.size()) == limit) end = event.time;
      LookAfter(event);
    }
    for (size_t i = 0; i < discs_.size(); ++i) Advance(static_cast<int64_t>(i), end);
    return collisions;
  }

 private:
  HardDisc Position(int64_t i, double time) const {
    HardDisc d = discs_[static_cast<size_t>(i)];
    d.x += (time - at_[static_cast<size_t>(i)]) * d.vx;
    d.y += (time - at_[static_cast<size_t>(i)]) * d.vy;
    return d;
  }

  HardDisc& Advance(int64_t i, double time) {
    discs_[static_cast<size_t>(i)] = Position(i, time);
    at_[static_cast<size_t>(i)] = time;
    return discs_[static_cast<size_t>(i)];
  }

  double Restitution(int64_t i) {
    const double now = at_[static_cast<size_t>(i)];
    const bool again = now - last_[static_cast<size_t>(i)] < kElasticWithin;
    last_[static_cast<size_t>(i)] = now;
    return again ? 1 : box_.restitution;
  }

  double CollideDiscs(const Next& event) {
    HardDisc &a = Advance(event.first, event.time), &b = Advance(event.second, event.time);
    double nx = b.x - a.x, ny = b.y - a.y;
    const double length = std::sqrt(nx * nx + ny * ny);
    nx = length > 0 ? nx / length : 1;
    ny = length > 0 ? ny / length : 0;
    const double approach = (a.vx - b.vx) * nx + (a.vy - b.vy) * ny;
    const double restitution = std::max(Restitution(event.first), Restitution(event.second));
    const double impulse = (1 + restitution) * approach / (1 / a.mass + 1 / b.mass);
    a.vx -= impulse / a.mass * nx;
    a.vy -= impulse / a.mass * ny;
    b.vx += impulse / b.mass * nx;
    b.vy += impulse / b.mass * ny;
    return impulse;
  }

  double CollideWall(const Next& event) {
    HardDisc& d = Advance(event.first, event.time);
    const bool across_x = event.second == -1;
    double &x = across_x ? d.x : d.y, &v = across_x ? d.vx : d.vy;
    const double size = across_x ? box_.width : box_.height, before = v;
    x = v > 0 ? size - d.radius : d.radius;
    v *= -Restitution(event.first);
    return d.mass * std::abs(v - before);
  }

  // When two discs touch, from where their own last collisions left them.
  double Touch(int64_t i, int64_t j) const {
    const double from = std::max(at_[static_cast<size_t>(i)], at_[static_cast<size_t>(j)]);
    return from + TimeToTouch(Position(i, from), Position(j, from));
  }

  void Look(int64_t i) {
    const HardDisc& d = discs_[static_cast<size_t>(i)];
    const double from = at_[static_cast<size_t>(i)];
    Next next{from + TimeToWall(d.x, d.vx, d.radius, box_.width), i, -1};
    if (const double time = from + TimeToWall(d.y, d.vy, d.radius, box_.height); time < next.time) next = {time, i, -2};
    for (int64_t j = i + 1; j < static_cast<int64_t>(discs_.size()); ++j)
      if (const double time = Touch(i, j); time < next.time) next = {time, i, j};
    next_[static_cast<size_t>(i)] = next;
  }

  void LookAfter(const Next& event) {
    const auto changed = [&](int64_t i) { return i >= 0 && (i == event.first || i == event.second); };
    for (int64_t i = 0; i < static_cast<int64_t>(discs_.size()); ++i) {
      Next& next = next_[static_cast<size_t>(i)];
      if (changed(i) || changed(next.second)) {
        Look(i);
        continue;
      }
      for (const int64_t j : {event.first, event.second})
        if (j > i)
          if (const double time = Touch(i, j); time < next.time) next = {time, i, j};
    }
  }

  const HardBox& box_;
  std::span<HardDisc> discs_;
  std::vector<double> at_;  // s: when each was where it is kept
  std::vector<Next> next_;
  std::vector<double> last_;  // when each last collided
};

}  // namespace

double TimeToTouch(const HardDisc& a, const HardDisc& b) {
  const double dx = b.x - a.x, dy = b.y - a.y, vx = b.vx - a.vx, vy = b.vy - a.vy;
  const double reach = a.radius + b.radius, closing = dx * vx + dy * vy;
  if (closing > -kApproach * reach) return kNever;
  const double gap = dx * dx + dy * dy - reach * reach;
  if (gap <= 0) return 0;
  const double square = closing * closing - (vx * vx + vy * vy) * gap;
  // The smaller root, written without a difference of nearly equal numbers.
  return square < 0 ? kNever : gap / (-closing + std::sqrt(square));
}

std::vector<HardCollision> MoveHardDiscs(const HardBox& box, std::span<HardDisc> discs, double seconds, int64_t limit) {
  ORRERY_CHECK(seconds >= 0 && limit > 0 && box.restitution >= 0 && box.restitution <= 1);
  return Run(box, discs).Go(seconds, limit);
}

}  // namespace orrery
