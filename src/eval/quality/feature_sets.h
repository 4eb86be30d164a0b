// Sets of features whose rows came from videos: intervals that resample videos, and the Frechet distance of endless sets.
#pragma once
#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "core/rng.h"
#include "eval/quality/distances.h"
#include "eval/statistics.h"

namespace orrery {

struct FeatureSet {
  at::Tensor rows;             // [N, d]
  std::vector<int64_t> video;  // of each row, any numbers; empty: every row is of a video of its own
};

// 0 .. count-1 in random order.
std::vector<int64_t> Permutation(int64_t count, Rng& rng);
// [subsets, count] fp64 of 0 and 1, `size` ones a row, drawn without repetition.
at::Tensor SubsetWeights(int64_t count, int64_t size, int64_t subsets, Rng& rng);

// What the interval is about.
enum class Target {
  // The value of endless sets: for distances whose bias falls as 1 / N (Frechet, MMD). A half is biased twice as much as the whole, so
  // the bias is known and taken off twice from the quantiles of the halves.
  kEndless,
  // The value at this size (precision, recall): quantiles of the halves, moved so that their mean is the value.
  kThisSize,
};
struct SetIntervalOptions {
  Target target = Target::kEndless;
  int resamples = kResamples;
  uint64_t seed = 0;
};
// 95 % interval of a statistic that has the value `whole` on everything and [R] values fp64 on random halves of the videos.
Interval IntervalOfHalves(double whole, const at::Tensor& halves, Target target);

using SetStatistic = std::function<double(const at::Tensor& a, const at::Tensor& b)>;

// 95 % interval of a statistic of two sets. Each resample takes a random half of the videos of either set, without repetition (Politis &
// Romano, Annals of Statistics 1994): halves vary among themselves as wholes would, and no video is seen twice, which nearest
// neighbours, singular covariances and kernel diagonals would not bear. Error below 10 videos a set, or when the statistic refuses a half.
Interval SetInterval(const FeatureSet& a, const FeatureSet& b, const SetStatistic& statistic, const SetIntervalOptions& options = {});
Interval FrechetInterval(const FeatureSet& a, const FeatureSet& b, const SetIntervalOptions& options = {});
// All resamples in a few matrix products.
Interval MmdInterval(const FeatureSet& a, const FeatureSet& b, const PolynomialKernel& kernel, MmdForm form,
                     const SetIntervalOptions& options = {});

struct FrechetLimitOptions {
  int64_t points = 15;   // sizes, evenly spaced from `smallest` to all rows
  int64_t smallest = 0;  // rows; 0: 10 d
  uint64_t seed = 0;
};
struct FrechetLimit {
  double value = 0;  // the intercept: FID-infinity
  double slope = 0;  // the bias of N generated rows is slope / N; it differs between models, so equal N does not make FIDs comparable
  std::vector<int64_t> rows;
  std::vector<double> distances;  // at those rows
};
// Frechet distance of endlessly many generated items (Chong & Forsyth, arXiv 1911.07023): distances of ever larger random subsets to all
// real rows, least squares in 1 / N. Subsets are of whole videos. The real set's own bias stays. Error when there are not more than
// `smallest` rows, or smallest <= d.
FrechetLimit ExtrapolateFrechet(const at::Tensor& real, const FeatureSet& generated, const FrechetLimitOptions& options = {});

}  // namespace orrery
