#include "eval/persistence/occlusion.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/error.h"
#include "eval/readers/reader.h"

namespace orrery {

namespace {

double Distance(const WorldObject& a, const WorldObject& b) { return std::hypot(a.x - b.x, a.y - b.y); }

// Pixels that each thing shows in each frame.
std::map<int64_t, std::vector<int64_t>> PixelCounts(std::span<const int32_t> ids, int64_t frames) {
  if (frames < 1 || ids.size() % static_cast<size_t>(frames) != 0)
    Fail("occlusions: id buffers of {} frames of one size expected, got {} numbers", frames, ids.size());
  const size_t pixels = ids.size() / static_cast<size_t>(frames);
  std::map<int64_t, std::vector<int64_t>> counts;
  for (int64_t t = 0; t < frames; ++t)
    for (const int32_t id : ids.subspan(static_cast<size_t>(t) * pixels, pixels)) {
      if (id == 0) continue;
      std::vector<int64_t>& shown = counts[id];
      shown.resize(static_cast<size_t>(frames), 0);
      ++shown[static_cast<size_t>(t)];
    }
  return counts;
}

}  // namespace

std::vector<Occlusion> FindOcclusions(std::span<const int32_t> ids, int64_t frames) {
  std::vector<Occlusion> occlusions;
  for (const auto& [object, shown] : PixelCounts(ids, frames)) {
    const int64_t most = *std::max_element(shown.begin(), shown.end());
    Occlusion open{object, -1, -1, 0};
    for (int64_t t = 0; t < frames; ++t) {
      const int64_t count = shown[static_cast<size_t>(t)];
      if (count == 0) {
        if (t > 0 && shown[static_cast<size_t>(t - 1)] > 0) open = {object, t - 1, -1, 0};
        ++open.length;
      } else if (open.seen >= 0 && open.length > 0 && 2 * count >= most) {
        open.back = t;
        occlusions.push_back(open);
        open = {object, -1, -1, 0};
      }
    }
  }
  std::sort(occlusions.begin(), occlusions.end(),
            [](const Occlusion& a, const Occlusion& b) { return std::pair(a.seen, a.object) < std::pair(b.seen, b.object); });
  return occlusions;
}

ReturnSums& ReturnSums::operator+=(const ReturnSums& o) {
  product += o.product;
  square += o.square;
  error += o.error;
  take_error += o.take_error;
  things += o.things;
  same += o.same;
  moved += o.moved;
  paused += o.paused;
  return *this;
}

ReturnSums CompareReturns(std::span<const Occlusion> occlusions, const ObjectFilm& truth, const ObjectFilm& take, const ObjectFilm& made,
                          int64_t first) {
  ReturnSums sums;
  for (const Occlusion& o : occlusions) {
    const int64_t at = o.back - first;
    if (o.back >= static_cast<int64_t>(truth.size()) || truth.size() != take.size() || at < 0 || at >= static_cast<int64_t>(made.size()))
      Fail("returns: a thing comes back in frame {}, films of frames {} .. {} do not hold that", o.back, first,
           first + static_cast<int64_t>(made.size()) - 1);
    const WorldObject* before = FindObject(truth[static_cast<size_t>(o.seen)], o.object);
    const WorldObject* real = FindObject(truth[static_cast<size_t>(o.back)], o.object);
    if (!before || !real) continue;  // taken away, or put there
    const WorldObject* second = FindObject(take[static_cast<size_t>(o.back)], o.object);
    const WorldObject* shown = FindObject(made[static_cast<size_t>(at)], o.object);
    const double dx = real->x - before->x, dy = real->y - before->y, square = dx * dx + dy * dy;
    const double product = shown ? (shown->x - before->x) * dx + (shown->y - before->y) * dy : 0;
    const bool moved = square >= kMovedPixels * kMovedPixels;
    const double lost = std::sqrt(square) + kMissingPixels;
    sums += {product,
             square,
             shown ? Distance(*shown, *real) : lost,
             second ? Distance(*second, *real) : lost,
             1,
             shown && shown->kind == real->kind && shown->more == real->more,
             moved,
             moved && std::abs(product) < kPausedShare * square};
  }
  return sums;
}

}  // namespace orrery
