#include "eval/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.h"
#include "core/rng.h"

namespace orrery {

namespace {

double NormalCdf(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

// Inverse of NormalCdf by Newton's method from a rational start; p in (0, 1).
double NormalQuantile(double p) {
  const double t = std::sqrt(-2 * std::log(std::min(p, 1 - p)));
  double z = t - (2.30753 + 0.27061 * t) / (1 + 0.99229 * t + 0.04481 * t * t);
  if (p < 0.5) z = -z;
  for (int i = 0; i < 4; ++i) z -= (NormalCdf(z) - p) / (std::exp(-0.5 * z * z) / std::sqrt(2 * M_PI));
  return z;
}

// Linear interpolation between order statistics.
double Quantile(const std::vector<double>& sorted, double p) {
  const double at = std::clamp(p, 0.0, 1.0) * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

void RequirePairs(std::span<const double> a, std::span<const double> b) {
  if (a.size() != b.size() || a.size() < 2)
    Fail("statistics: two lists of the same length >= 2 expected, got {} and {}", a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i)
    if (std::isnan(a[i]) || std::isnan(b[i])) Fail("statistics: value {} is not a number", i);
}

// Sorted finite values of the statistic over resamples.
std::vector<double> Resample(int64_t count, const Statistic& statistic, uint64_t seed) {
  if (count < 2) Fail("an interval needs at least 2 scenarios, got {}", count);
  Rng rng(seed, "bootstrap");
  std::vector<int64_t> rows(static_cast<size_t>(count));
  std::vector<double> values;
  for (int i = 0; i < kResamples; ++i) {
    for (int64_t& row : rows) row = rng.Below(count);
    if (const double value = statistic(rows); std::isfinite(value)) values.push_back(value);
  }
  if (static_cast<int>(values.size()) < kResamples * 9 / 10)
    Fail("an interval cannot be given: the statistic is undefined for {} of {} resamples", kResamples - static_cast<int>(values.size()),
         kResamples);
  std::sort(values.begin(), values.end());
  return values;
}

double MeanOf(std::span<const double> values, std::span<const int64_t> rows) {
  double sum = 0;
  for (const int64_t row : rows) sum += values[static_cast<size_t>(row)];
  return sum / static_cast<double>(rows.size());
}

std::vector<double> ClusterMeans(const Clusters& clusters) {
  std::vector<double> means;
  for (const auto& cluster : clusters) {
    if (cluster.empty()) Fail("statistics: a scenario without values");
    means.push_back(Mean(cluster));
  }
  return means;
}

std::vector<double> Ranks(std::span<const double> x) {
  std::vector<size_t> order(x.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return x[a] < x[b]; });
  std::vector<double> ranks(x.size());
  for (size_t i = 0; i < order.size();) {
    size_t j = i;
    while (j < order.size() && x[order[j]] == x[order[i]]) ++j;
    for (size_t k = i; k < j; ++k) ranks[order[k]] = 0.5 * static_cast<double>(i + j - 1);
    i = j;
  }
  return ranks;
}

}  // namespace

Interval Bootstrap(int64_t count, const Statistic& statistic, uint64_t seed) {
  const std::vector<double> values = Resample(count, statistic, seed);
  return {Quantile(values, 0.025), Quantile(values, 0.975)};
}

Interval BootstrapBca(int64_t count, const Statistic& statistic, uint64_t seed) {
  const std::vector<double> values = Resample(count, statistic, seed);
  std::vector<int64_t> all(static_cast<size_t>(count));
  std::iota(all.begin(), all.end(), int64_t{0});
  const double whole = statistic(all);
  const auto below = std::lower_bound(values.begin(), values.end(), whole) - values.begin();
  const auto equal = std::upper_bound(values.begin(), values.end(), whole) - values.begin() - below;
  const double n = static_cast<double>(values.size());
  const double share = std::clamp((static_cast<double>(below) + 0.5 * static_cast<double>(equal)) / n, 0.5 / n, 1 - 0.5 / n);
  const double bias = NormalQuantile(share);
  std::vector<double> jackknife;  // leaving one scenario out
  for (int64_t i = 0; i < count; ++i) {
    std::vector<int64_t> rows;
    for (int64_t j = 0; j < count; ++j)
      if (j != i) rows.push_back(j);
    jackknife.push_back(statistic(rows));
  }
  const double mean = Mean(jackknife);
  double cubes = 0, squares = 0;
  for (const double value : jackknife) {
    cubes += std::pow(mean - value, 3);
    squares += std::pow(mean - value, 2);
  }
  const double acceleration = squares > 0 ? cubes / (6 * std::pow(squares, 1.5)) : 0;
  const auto level = [&](double p) {
    const double z = bias + NormalQuantile(p);
    return NormalCdf(bias + z / (1 - acceleration * z));
  };
  return {Quantile(values, level(0.025)), Quantile(values, level(0.975))};
}

double Mean(std::span<const double> values) {
  return values.empty() ? std::numeric_limits<double>::quiet_NaN()
                        : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double ClusterMean(const Clusters& clusters) { return Mean(ClusterMeans(clusters)); }

Interval MeanInterval(std::span<const double> values, uint64_t seed) {
  return Bootstrap(
      static_cast<int64_t>(values.size()), [&](std::span<const int64_t> rows) { return MeanOf(values, rows); }, seed);
}

Interval ClusterMeanInterval(const Clusters& clusters, uint64_t seed) { return MeanInterval(ClusterMeans(clusters), seed); }

Interval TwoLevelInterval(const Clusters& clusters, uint64_t seed) {
  ClusterMeans(clusters);
  Rng rng(seed, "samples");
  return Bootstrap(
      static_cast<int64_t>(clusters.size()),
      [&](std::span<const int64_t> rows) {
        double sum = 0;
        for (const int64_t row : rows) {
          const auto& cluster = clusters[static_cast<size_t>(row)];
          double inner = 0;
          for (size_t i = 0; i < cluster.size(); ++i)
            inner += cluster[static_cast<size_t>(rng.Below(static_cast<int64_t>(cluster.size())))];
          sum += inner / static_cast<double>(cluster.size());
        }
        return sum / static_cast<double>(rows.size());
      },
      seed);
}

Interval PairedDifference(std::span<const double> a, std::span<const double> b, uint64_t seed) {
  RequirePairs(a, b);
  return Bootstrap(
      static_cast<int64_t>(a.size()), [&](std::span<const int64_t> rows) { return MeanOf(a, rows) - MeanOf(b, rows); }, seed);
}

Interval PairedRatio(std::span<const double> a, std::span<const double> b, uint64_t seed) {
  RequirePairs(a, b);
  return BootstrapBca(
      static_cast<int64_t>(a.size()), [&](std::span<const int64_t> rows) { return MeanOf(a, rows) / MeanOf(b, rows); }, seed);
}

Interval Wilson(int64_t successes, int64_t trials) {
  if (trials < 1 || successes < 0 || successes > trials)
    Fail("rate: 0 <= successes <= trials >= 1 expected, got {} of {}", successes, trials);
  constexpr double z = 1.959963984540054;
  const double n = static_cast<double>(trials), p = static_cast<double>(successes) / n;
  const double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

double McNemar(int64_t only_first, int64_t only_second) {
  const int64_t n = only_first + only_second, k = std::min(only_first, only_second);
  if (n == 0) return 1;
  double tail = 0;
  for (int64_t i = 0; i <= k; ++i)
    tail += std::exp(std::lgamma(static_cast<double>(n) + 1) - std::lgamma(static_cast<double>(i) + 1) -
                     std::lgamma(static_cast<double>(n - i) + 1) - static_cast<double>(n) * std::log(2.0));
  return std::min(1.0, 2 * tail);
}

std::vector<double> Holm(std::span<const double> p) {
  std::vector<size_t> order(p.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return p[a] < p[b]; });
  std::vector<double> adjusted(p.size());
  double highest = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    highest = std::max(highest, std::min(1.0, static_cast<double>(p.size() - i) * p[order[i]]));
    adjusted[order[i]] = highest;
  }
  return adjusted;
}

bool Equivalent(std::span<const double> differences, double margin, uint64_t seed) {
  const std::vector<double> values = Resample(
      static_cast<int64_t>(differences.size()), [&](std::span<const int64_t> rows) { return MeanOf(differences, rows); }, seed);
  return Quantile(values, 0.05) > -margin && Quantile(values, 0.95) < margin;
}

double TheilSen(std::span<const double> x, std::span<const double> y) {
  RequirePairs(x, y);
  std::vector<double> slopes;
  for (size_t i = 0; i < x.size(); ++i)
    for (size_t j = i + 1; j < x.size(); ++j)
      if (x[i] != x[j]) slopes.push_back((y[j] - y[i]) / (x[j] - x[i]));
  if (slopes.empty()) Fail("slope: all x are {}", x[0]);
  std::sort(slopes.begin(), slopes.end());
  return Quantile(slopes, 0.5);
}

double Spearman(std::span<const double> x, std::span<const double> y) {
  RequirePairs(x, y);
  const std::vector<double> a = Ranks(x), b = Ranks(y);
  const double middle = Mean(a);
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - middle) * (b[i] - middle);
    aa += (a[i] - middle) * (a[i] - middle);
    bb += (b[i] - middle) * (b[i] - middle);
  }
  return aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : 0;
}

double Kendall(std::span<const double> x, std::span<const double> y) {
  RequirePairs(x, y);
  const auto sign = [](double d) { return d > 0 ? 1 : d < 0 ? -1 : 0; };
  int64_t agree = 0, pairs_x = 0, pairs_y = 0;
  for (size_t i = 0; i < x.size(); ++i)
    for (size_t j = i + 1; j < x.size(); ++j) {
      const int a = sign(x[j] - x[i]), b = sign(y[j] - y[i]);
      agree += a * b;
      pairs_x += a != 0;
      pairs_y += b != 0;
    }
  return pairs_x && pairs_y ? static_cast<double>(agree) / std::sqrt(static_cast<double>(pairs_x) * static_cast<double>(pairs_y)) : 0;
}

double Survival::At(double t) const {
  double alive = 1;
  for (size_t i = 0; i < time.size() && time[i] <= t; ++i) alive = share[i];
  return alive;
}

double Survival::Median() const {
  for (size_t i = 0; i < time.size(); ++i)
    if (share[i] <= 0.5) return time[i];
  return std::numeric_limits<double>::infinity();
}

Survival KaplanMeier(std::span<const double> times, const std::vector<bool>& happened) {
  if (times.size() != happened.size() || times.empty())
    Fail("survival: as many times as marks expected, got {} and {}", times.size(), happened.size());
  std::vector<size_t> order(times.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return times[a] < times[b]; });
  Survival out;
  double alive = 1;
  for (size_t i = 0; i < order.size();) {
    size_t j = i;
    int64_t events = 0;
    for (; j < order.size() && times[order[j]] == times[order[i]]; ++j) events += happened[order[j]];
    alive *= 1 - static_cast<double>(events) / static_cast<double>(order.size() - i);
    if (events) {
      out.time.push_back(times[order[i]]);
      out.share.push_back(alive);
    }
    i = j;
  }
  return out;
}

PowerLaw FitPowerLaw(std::span<const double> x, std::span<const double> y, uint64_t seed) {
  RequirePairs(x, y);
  std::vector<double> u, v;
  for (size_t i = 0; i < x.size(); ++i) {
    if (!(x[i] > 0 && y[i] > 0)) Fail("power law: positive values expected, got {} and {}", x[i], y[i]);
    u.push_back(std::log(x[i]));
    v.push_back(std::log(y[i]));
  }
  const auto slope = [&](std::span<const int64_t> rows) {
    const double mu = MeanOf(u, rows), mv = MeanOf(v, rows);
    double uv = 0, uu = 0;
    for (const int64_t row : rows) {
      uv += (u[static_cast<size_t>(row)] - mu) * (v[static_cast<size_t>(row)] - mv);
      uu += (u[static_cast<size_t>(row)] - mu) * (u[static_cast<size_t>(row)] - mu);
    }
    return uv / uu;
  };
  std::vector<int64_t> all(x.size());
  std::iota(all.begin(), all.end(), int64_t{0});
  PowerLaw law;
  law.exponent = slope(all);
  law.factor = std::exp(Mean(v) - law.exponent * Mean(u));
  law.interval = Bootstrap(static_cast<int64_t>(x.size()), slope, seed);
  return law;
}

}  // namespace orrery
