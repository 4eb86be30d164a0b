// Intervals and tests. The unit of resampling is the scenario: everything measured in one scenario moves together. Seeds are
// fixed, so that the same numbers give the same interval.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace orrery {

struct Interval {
  double low = 0, high = 0;
};

constexpr int kResamples = 2000;

// Values of one metric, grouped by scenario (several samples or frames each).
using Clusters = std::vector<std::vector<double>>;

// A number computed from chosen rows (scenario indices, with repetition).
using Statistic = std::function<double(std::span<const int64_t> rows)>;

// 95 % percentile bootstrap of any statistic of `count` scenarios. A resample for which it is not finite does not count; Error
// when more than a tenth do so, or count < 2.
Interval Bootstrap(int64_t count, const Statistic& statistic, uint64_t seed = 0);
// The same, bias-corrected and accelerated (Efron, JASA 1987): for ratios and other skewed statistics.
Interval BootstrapBca(int64_t count, const Statistic& statistic, uint64_t seed = 0);

double Mean(std::span<const double> values);  // NaN of none
Interval MeanInterval(std::span<const double> values, uint64_t seed = 0);
// Mean of scenario means, and its interval.
double ClusterMean(const Clusters& clusters);
Interval ClusterMeanInterval(const Clusters& clusters, uint64_t seed = 0);
// Two levels: scenarios are drawn, then samples within each. For models that were sampled more than once a scenario.
Interval TwoLevelInterval(const Clusters& clusters, uint64_t seed = 0);
// Of mean(a) - mean(b) over the same scenarios.
Interval PairedDifference(std::span<const double> a, std::span<const double> b, uint64_t seed = 0);
// Of mean(a) / mean(b) over the same scenarios, BCa.
Interval PairedRatio(std::span<const double> a, std::span<const double> b, uint64_t seed = 0);

// 95 % interval of a rate (Wilson, JASA 1927); successes of trials, trials >= 1.
Interval Wilson(int64_t successes, int64_t trials);
// Two-sided exact p of McNemar's test: cases that only the first, only the second of two models solved.
double McNemar(int64_t only_first, int64_t only_second);
// Adjusted p values (Holm, 1979), in the order given.
std::vector<double> Holm(std::span<const double> p);
// Two one-sided tests: whether the 90 % interval of the mean of paired differences lies within +-margin.
bool Equivalent(std::span<const double> differences, double margin, uint64_t seed = 0);

// Median of the slopes between all pairs (Theil 1950, Sen 1968); x must not be constant.
double TheilSen(std::span<const double> x, std::span<const double> y);
// Rank correlations; ties share their mean rank (Spearman), and count for nothing (Kendall's tau-b). NaN is an Error; 0 when one
// side is constant.
double Spearman(std::span<const double> x, std::span<const double> y);
double Kendall(std::span<const double> x, std::span<const double> y);

// Survival after `time` with censoring (Kaplan & Meier, JASA 1958). Events at `times`, or no event until then.
struct Survival {
  std::vector<double> time, share;  // steps: the share that survives from each time on
  double At(double t) const;
  // First time at which at most half survive; infinity when more do.
  double Median() const;
};
Survival KaplanMeier(std::span<const double> times, const std::vector<bool>& happened);

// Least squares of log(y) on log(x): y ~ x^exponent; all positive. Interval: bootstrap over points.
struct PowerLaw {
  double exponent = 0, factor = 0;
  Interval interval;
};
PowerLaw FitPowerLaw(std::span<const double> x, std::span<const double> y, uint64_t seed = 0);

}  // namespace orrery
