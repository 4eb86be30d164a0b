#include "eval/persistence/consistency.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/rng.h"
#include "eval/readers/picture.h"
#include "eval/readers/reader.h"

namespace orrery {

namespace {

constexpr double kNear = 0.5;  // px: the least distance
constexpr double kSide = 1;    // px: nearer things are neither left nor right of each other

// What of a thing stays what it is: colour and shape.
std::vector<double> Look(const WorldObject& o) {
  if (o.kind == "ball" || o.kind == "disc") return o.more;
  if (o.kind == "key" || o.kind == "door") return {o.more[1]};
  return {};
}

bool Same(const WorldObject& a, const WorldObject& b) { return a.kind == b.kind && Look(a) == Look(b); }

void RequireOneLength(const ObjectFilm& truth, std::span<const ShownThings> shown, const ObjectFilm& read) {
  if (truth.size() != shown.size() || truth.size() != read.size())
    Fail("consistency: as many true as read frames expected, got {} (seen in {}) and {}", truth.size(), shown.size(), read.size());
}

bool Exchanged(double a, double b) { return (a > kSide && b < -kSide) || (a < -kSide && b > kSide); }

}  // namespace

double Permanence::Value() const {
  if (visible == 0) return 1;
  return std::max(0.0, 1 - static_cast<double>(missed + spurious + swapped) / static_cast<double>(visible));
}

Permanence ComparePermanence(const ObjectFilm& truth, std::span<const ShownThings> shown, const ObjectFilm& read) {
  RequireOneLength(truth, shown, read);
  Permanence p;
  for (size_t t = 0; t < truth.size(); ++t) {
    for (const WorldObject& o : truth[t]) {
      if (!shown[t].shown.contains(o.id)) continue;
      ++p.visible;
      const WorldObject* seen = FindObject(read[t], o.id);
      p.missed += !seen;
      p.swapped += seen && !Same(*seen, o);
    }
    for (const WorldObject& o : read[t]) p.spurious += shown[t].hidden.contains(o.id) || !FindObject(truth[t], o.id);
  }
  return p;
}

std::optional<double> RelationStability(const ObjectFilm& truth, std::span<const ShownThings> shown, const ObjectFilm& read,
                                        int64_t until) {
  RequireOneLength(truth, shown, read);
  double sum = 0;
  int64_t pairs = 0;
  for (size_t t = 0; t < truth.size() && static_cast<int64_t>(t) < until; ++t) {
    std::vector<std::pair<const WorldObject*, const WorldObject*>> both;  // as it is, as read
    for (const WorldObject& o : truth[t]) {
      const WorldObject* seen = FindObject(read[t], o.id);
      if (shown[t].shown.contains(o.id) && seen && Same(*seen, o)) both.emplace_back(&o, seen);
    }
    for (size_t i = 0; i < both.size(); ++i)
      for (size_t j = 0; j < i; ++j) {
        const auto& [a, a_read] = both[i];
        const auto& [b, b_read] = both[j];
        const double x = a->x - b->x, y = a->y - b->y, x_read = a_read->x - b_read->x, y_read = a_read->y - b_read->y;
        const double ratio = std::max(kNear, std::hypot(x_read, y_read)) / std::max(kNear, std::hypot(x, y));
        sum += std::min(ratio, 1 / ratio) * (Exchanged(x, x_read) || Exchanged(y, y_read) ? 0.5 : 1);
        ++pairs;
      }
  }
  if (pairs == 0) return std::nullopt;
  return sum / static_cast<double>(pairs);
}

std::optional<double> FlickerPenalty(const FrameSpan& truth, const FrameSpan& made, const ObjectFilm& read, double reach, uint64_t seed) {
  RequireSameShape(truth, made, "flicker penalty");
  if (static_cast<int64_t>(read.size()) != made.frames)
    Fail("flicker penalty: objects of {} frames expected, got {}", made.frames, read.size());
  double change = 0;
  int64_t values = 0;
  for (int64_t t = 0; t + 1 < made.frames; ++t)
    for (int64_t p = 0; p < made.Pixels(); ++p) {
      const double x = static_cast<double>(p % made.width) + 0.5, y = static_cast<double>(p / made.width) + 0.5;
      const auto at = [&](const FrameSpan& film, int64_t frame) { return film.At(frame).subspan(static_cast<size_t>(3 * p), 3); };
      if (Difference(at(truth, t), at(truth, t + 1)) > 0) continue;
      const auto near = [&](const WorldObject& o) { return std::max(std::abs(o.x - x), std::abs(o.y - y)) <= reach; };
      if (std::any_of(read[static_cast<size_t>(t)].begin(), read[static_cast<size_t>(t)].end(), near) ||
          std::any_of(read[static_cast<size_t>(t + 1)].begin(), read[static_cast<size_t>(t + 1)].end(), near))
        continue;
      change += Difference(at(made, t), at(made, t + 1));
      ++values;
    }
  std::vector<int64_t> order(static_cast<size_t>(truth.frames));
  std::iota(order.begin(), order.end(), int64_t{0});
  Rng rng(seed, "flicker");
  for (int64_t i = truth.frames - 1; i > 0; --i) std::swap(order[static_cast<size_t>(i)], order[static_cast<size_t>(rng.Below(i + 1))]);
  double shuffled = 0;
  for (size_t t = 0; t + 1 < order.size(); ++t) shuffled += Difference(truth.At(order[t]), truth.At(order[t + 1]));
  if (values == 0 || shuffled == 0) return std::nullopt;
  return std::min(1.0, change / static_cast<double>(values) / (shuffled / static_cast<double>(truth.frames - 1)));
}

double WorldConsistency(double permanence, double relations, double causes, double flicker) {
  return std::clamp((permanence + relations + causes) / 3 - flicker / 4, 0.0, 1.0);
}

}  // namespace orrery
