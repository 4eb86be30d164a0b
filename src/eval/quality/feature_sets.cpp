#include "eval/quality/feature_sets.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "core/error.h"
#include "core/shape.h"

namespace orrery {

namespace {

constexpr int64_t kFewestVideos = 10;

// Row indices by video, in the order of their first rows.
std::vector<std::vector<int64_t>> RowsOfVideos(const FeatureSet& set) {
  CheckShape(set.rows, {kAny, kAny}, "features");
  const int64_t N = set.rows.size(0);
  std::vector<std::vector<int64_t>> videos;
  if (set.video.empty()) {
    for (int64_t i = 0; i < N; ++i) videos.push_back({i});
    return videos;
  }
  if (static_cast<int64_t>(set.video.size()) != N)
    Fail("features: a video number for each of {} rows expected, got {}", N, set.video.size());
  std::map<int64_t, size_t> place;
  for (int64_t i = 0; i < N; ++i) {
    const auto [at, first] = place.emplace(set.video[static_cast<size_t>(i)], videos.size());
    if (first) videos.emplace_back();
    videos[at->second].push_back(i);
  }
  return videos;
}

// Rows of the first videos of a permutation, sorted, so that a subset of everything is the set itself.
std::vector<int64_t> Gather(const std::vector<std::vector<int64_t>>& videos, std::span<const int64_t> chosen) {
  std::vector<int64_t> rows;
  for (const int64_t v : chosen) rows.insert(rows.end(), videos[static_cast<size_t>(v)].begin(), videos[static_cast<size_t>(v)].end());
  std::sort(rows.begin(), rows.end());
  return rows;
}

std::vector<int64_t> HalfRows(const std::vector<std::vector<int64_t>>& videos, Rng& rng) {
  const std::vector<int64_t> order = Permutation(static_cast<int64_t>(videos.size()), rng);
  return Gather(videos, std::span(order).first(videos.size() / 2));
}

void RequireVideos(const std::vector<std::vector<int64_t>>& a, const std::vector<std::vector<int64_t>>& b) {
  if (static_cast<int64_t>(std::min(a.size(), b.size())) < kFewestVideos)
    Fail("interval: features of at least {} videos a set expected, got {} and {}", kFewestVideos, a.size(), b.size());
}

}  // namespace

Interval IntervalOfHalves(double whole, const at::Tensor& halves, Target target) {
  const at::Tensor q = at::quantile(halves, at::tensor({0.025, 0.975}, at::kDouble));
  const double bias = halves.mean().item<double>() - whole;  // what a half has more than the whole: as much as the whole has itself
  const double shift = target == Target::kEndless ? 2 * bias : bias;
  return {q[0].item<double>() - shift, q[1].item<double>() - shift};
}

std::vector<int64_t> Permutation(int64_t count, Rng& rng) {
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), int64_t{0});
  for (int64_t i = count - 1; i > 0; --i) std::swap(order[static_cast<size_t>(i)], order[static_cast<size_t>(rng.Below(i + 1))]);
  return order;
}

at::Tensor SubsetWeights(int64_t count, int64_t size, int64_t subsets, Rng& rng) {
  ORRERY_CHECK(size <= count);
  at::Tensor weights = at::zeros({subsets, count}, at::kDouble);
  for (int64_t r = 0; r < subsets; ++r) weights[r].index_fill_(0, at::tensor(Permutation(count, rng), at::kLong).narrow(0, 0, size), 1);
  return weights;
}

Interval SetInterval(const FeatureSet& a, const FeatureSet& b, const SetStatistic& statistic, const SetIntervalOptions& options) {
  const auto a_videos = RowsOfVideos(a), b_videos = RowsOfVideos(b);
  RequireVideos(a_videos, b_videos);
  Rng rng(options.seed, "halves");
  std::vector<double> halves;
  for (int i = 0; i < options.resamples; ++i) {
    const at::Tensor x = a.rows.index_select(0, at::tensor(HalfRows(a_videos, rng), at::kLong));
    const at::Tensor y = b.rows.index_select(0, at::tensor(HalfRows(b_videos, rng), at::kLong));
    halves.push_back(statistic(x, y));
    if (!std::isfinite(halves.back())) Fail("interval: the statistic of a half of the videos is not a finite number");
  }
  return IntervalOfHalves(statistic(a.rows, b.rows), at::tensor(halves, at::kDouble), options.target);
}

Interval FrechetInterval(const FeatureSet& a, const FeatureSet& b, const SetIntervalOptions& options) {
  return SetInterval(
      a, b, [](const at::Tensor& x, const at::Tensor& y) { return Frechet(x, y); }, options);
}

Interval MmdInterval(const FeatureSet& a, const FeatureSet& b, const PolynomialKernel& kernel, MmdForm form,
                     const SetIntervalOptions& options) {
  const auto a_videos = RowsOfVideos(a), b_videos = RowsOfVideos(b);
  RequireVideos(a_videos, b_videos);
  Rng rng(options.seed, "halves");
  at::Tensor a_weights = at::zeros({options.resamples, a.rows.size(0)}, at::kDouble);
  at::Tensor b_weights = at::zeros({options.resamples, b.rows.size(0)}, at::kDouble);
  for (int64_t r = 0; r < options.resamples; ++r) {
    a_weights[r].index_fill_(0, at::tensor(HalfRows(a_videos, rng), at::kLong), 1);
    b_weights[r].index_fill_(0, at::tensor(HalfRows(b_videos, rng), at::kLong), 1);
  }
  return IntervalOfHalves(PolynomialMmd(a.rows, b.rows, kernel, form), SubsetMmd(a.rows, b.rows, a_weights, b_weights, kernel, form),
                          options.target);
}

FrechetLimit ExtrapolateFrechet(const at::Tensor& real, const FeatureSet& generated, const FrechetLimitOptions& options) {
  const auto videos = RowsOfVideos(generated);
  const int64_t N = generated.rows.size(0), d = generated.rows.size(1);
  const int64_t smallest = options.smallest ? options.smallest : 10 * d;
  if (options.points < 3 || smallest <= d || N <= smallest)
    Fail(
        "FID-infinity: at least 3 sizes, from more than {} rows (one more than features) to all, expected; got {} sizes from {} to {}; "
        "give more "
        "items",
        d, options.points, smallest, N);
  const Moments truth = FeatureMoments(real);
  Rng rng(options.seed, "FID-infinity");
  FrechetLimit limit;
  std::vector<double> inverse;
  for (int64_t i = 0; i < options.points; ++i) {
    const int64_t wanted =
        smallest + std::llround(static_cast<double>(N - smallest) * static_cast<double>(i) / static_cast<double>(options.points - 1));
    const std::vector<int64_t> order = Permutation(static_cast<int64_t>(videos.size()), rng);
    size_t count = 0;
    for (int64_t rows = 0; rows < wanted; ++count) rows += static_cast<int64_t>(videos[static_cast<size_t>(order[count])].size());
    const std::vector<int64_t> rows = Gather(videos, std::span(order).first(count));
    limit.rows.push_back(static_cast<int64_t>(rows.size()));
    limit.distances.push_back(Frechet(truth, FeatureMoments(generated.rows.index_select(0, at::tensor(rows, at::kLong)))));
    inverse.push_back(1 / static_cast<double>(rows.size()));
  }
  const double mean_x = Mean(inverse), mean_y = Mean(limit.distances);
  double xy = 0, xx = 0;
  for (size_t i = 0; i < inverse.size(); ++i) {
    xy += (inverse[i] - mean_x) * (limit.distances[i] - mean_y);
    xx += (inverse[i] - mean_x) * (inverse[i] - mean_x);
  }
  if (!(xx > 0)) Fail("FID-infinity: subsets of different sizes are needed, but each took all {} rows of {} videos", N, videos.size());
  limit.slope = xy / xx;
  limit.value = mean_y - limit.slope * mean_x;
  return limit;
}

}  // namespace orrery
