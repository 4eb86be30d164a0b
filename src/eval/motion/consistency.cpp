#include "eval/motion/consistency.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/shape.h"

namespace orrery {

namespace {

// First row and column of the square around a thing; it may lie outside of the frame.
std::pair<int64_t, int64_t> CornerOf(const WorldObject& thing) {
  return {std::lround(thing.y) - kCropSide / 2, std::lround(thing.x) - kCropSide / 2};
}

void CheckFilm(const at::Tensor& film, const ObjectFilm& things) {
  CheckShape(film, {kAny, kAny, kAny, 3}, "film");
  if (film.size(0) != std::ssize(things)) Fail("consistency: a list of things a frame expected, got {} of {}", things.size(), film.size(0));
}

}  // namespace

double FeatureConsistency(const at::Tensor& features) {
  CheckShape(features, {kAny, kAny}, "features of frames");
  const int64_t T = features.size(0);
  if (T < 2) Fail("consistency: features of at least 2 frames expected, got {}", T);
  const at::Tensor x = features.to(at::kDouble), unit = x / x.norm(2, 1, true).clamp_min(1e-12);
  const at::Tensor later = unit.narrow(0, 1, T - 1), before = unit.narrow(0, 0, T - 1);
  const at::Tensor to_first = at::mv(later, unit[0]).clamp_min(0), to_last = (later * before).sum(1).clamp_min(0);
  return ((to_first + to_last) / 2).mean().item<double>();
}

Crops CropThing(const at::Tensor& film, const ObjectFilm& things, int64_t id) {
  CheckFilm(film, things);
  const int64_t T = film.size(0);
  Crops out{at::zeros({T, kCropSide, kCropSide, 3}, at::kByte), at::zeros({T}, at::kBool)};
  for (int64_t t = 0; t < T; ++t) {
    const auto& list = things[static_cast<size_t>(t)];
    const auto thing = std::find_if(list.begin(), list.end(), [&](const WorldObject& o) { return o.id == id; });
    if (thing == list.end()) continue;
    const auto [row, column] = CornerOf(*thing);
    const auto along = [](int64_t first, int64_t size) { return (at::arange(kCropSide) + first).clamp(0, size - 1); };
    out.pictures[t].copy_(film[t].index_select(0, along(row, film.size(1))).index_select(1, along(column, film.size(2))));
    out.seen[t].fill_(true);
  }
  return out;
}

at::Tensor WithoutThings(const at::Tensor& film, const ObjectFilm& things) {
  CheckFilm(film, things);
  at::Tensor rest = film.clone();
  for (int64_t t = 0; t < film.size(0); ++t) {
    at::Tensor hidden = at::zeros({film.size(1), film.size(2)}, at::kBool);
    for (const WorldObject& thing : things[static_cast<size_t>(t)]) {
      const auto [row, column] = CornerOf(thing);
      hidden.slice(0, std::max<int64_t>(row, 0), std::max<int64_t>(row + kCropSide, 0))
          .slice(1, std::max<int64_t>(column, 0), std::max<int64_t>(column + kCropSide, 0))
          .fill_(true);
    }
    const at::Tensor kept = film[t].index({hidden.logical_not()});
    if (kept.size(0) > 0) rest[t].index_put_({hidden}, kept.to(at::kDouble).mean(0).round().to(at::kByte));
  }
  return rest;
}

}  // namespace orrery
