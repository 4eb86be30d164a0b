#include "eval/causality/arrow.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "core/shape.h"
#include "eval/memory/one_thread.h"

namespace orrery {

namespace {

constexpr int64_t kCells = 8;          // a side
constexpr double kLeastSpread = 0.05;  // of a number over films, of its mean: what is always the same is not trusted without end
constexpr double kStill = 1e-4;        // of a data range of 1: motion below which its logarithm tells nothing

at::Tensor Cells(const at::Tensor& maps) {  // [N, H, W] -> [N, kCells^2], means
  return at::adaptive_avg_pool2d(maps.unsqueeze(1), {kCells, kCells}).flatten(1);
}

at::Tensor Last(const at::Tensor& series, int64_t count) { return series.narrow(0, series.size(0) - count, count); }

// How pictures change against their slopes: the least squares flow to the right, down, and away from the middle, px a frame over the film.
at::Tensor Flow(const at::Tensor& grey, const at::Tensor& change) {
  const at::Tensor middle = (grey.slice(0, 1) + grey.slice(0, 0, -1)) / 2;
  const auto inner = [](const at::Tensor& x) { return x.slice(1, 1, -1).slice(2, 1, -1); };
  const at::Tensor gx = (middle.slice(2, 2) - middle.slice(2, 0, -2)).slice(1, 1, -1) / 2,
                   gy = (middle.slice(1, 2) - middle.slice(1, 0, -2)).slice(2, 1, -1) / 2, d = inner(change);
  const auto axis = [&](int64_t size) { return at::arange(1, size - 1, at::kDouble) - static_cast<double>(size - 1) / 2; };
  const at::Tensor apart = gx * axis(grey.size(2)).view({1, 1, -1}) + gy * axis(grey.size(1)).view({1, -1, 1});
  std::vector<at::Tensor> flows;
  for (const at::Tensor& slope : {gx, gy, apart}) flows.push_back(-(d * slope).sum() / (slope.square().sum() + 1e-9));
  return at::stack(flows);
}

// Of a film in [0, 1], as grey pictures [N, H, W] and mean colours [N, 3], float64: numbers of which only what changes when it is turned
// round is kept.
at::Tensor Half(const at::Tensor& grey, const at::Tensor& colors) {
  const at::Tensor change = grey.diff(1, 0), motion = change.abs();
  const int64_t quarter = grey.size(0) / 4, pairs = motion.size(0), part = pairs / 4;
  const at::Tensor by_time = motion.mean({1, 2});
  const auto log_of = [&](int64_t first) { return (by_time.narrow(0, first, part).mean() + kStill).log().view({1}); };
  const at::Tensor skew = change.pow(3).mean() / (change.square().mean() + 1e-12).pow(1.5);
  return at::cat({Cells(Last(grey, quarter)).mean(0), Last(colors, quarter).mean(0), Cells(Last(motion, pairs / 2)).mean(0),
                  log_of(pairs - part), log_of(pairs - 2 * part), Flow(grey, change), skew.view({1})});
}

at::Tensor Directed(const at::Tensor& film) {
  constexpr int64_t kSide = 2 * kCells;
  if (film.dim() != 4 || film.size(0) < 8 || film.size(1) % kSide || film.size(2) % kSide || film.size(3) != 3)
    Fail("arrow of time: films of at least 8 frames of sides that are multiples of {} expected, got {}", kSide, ShapeText(film.sizes()));
  const at::Tensor x = film.contiguous().to(at::kDouble) / 255, colors = x.mean({1, 2});
  const at::Tensor grey = at::avg_pool2d(x.mean(3).unsqueeze(1), 2).squeeze(1);
  return Half(grey, colors) - Half(grey.flip({0}), colors.flip({0}));
}

}  // namespace

ArrowJudge::ArrowJudge(std::span<const at::Tensor> films) {
  if (films.size() < 8) Fail("arrow of time: a judge learns from at least 8 films, got {}", films.size());
  const OneThread alone;
  std::vector<at::Tensor> numbers;
  for (const at::Tensor& film : films) {
    if (film.sizes() != films[0].sizes())
      Fail("arrow of time: films of one shape expected, got {} and {}", ShapeText(films[0].sizes()), ShapeText(film.sizes()));
    numbers.push_back(Directed(film));
  }
  const at::Tensor x = at::stack(numbers), mean = x.mean(0);  // those of the films backwards are -x
  const at::Tensor spread = at::max((x - mean).square().mean(0).sqrt(), kLeastSpread * mean.abs());
  const at::Tensor scale = at::where(spread > 0, spread.reciprocal(), at::zeros_like(spread));
  const at::Tensor z = (x - mean) * scale, count = at::scalar_tensor(x.size(0), at::kDouble);
  const at::Tensor covariance = at::mm(z.t(), z) / count + at::eye(x.size(1), at::kDouble);
  weights_ = scale * at::linalg_solve(covariance, mean * scale);
}

double ArrowJudge::Score(const at::Tensor& film) const {
  const OneThread alone;
  return at::dot(weights_, Directed(film)).item<double>();
}

}  // namespace orrery
