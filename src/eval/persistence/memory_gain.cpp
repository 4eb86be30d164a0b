#include "eval/persistence/memory_gain.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "eval/quality/similarity.h"

namespace orrery {

namespace {

constexpr double kHalf = 0.5;

double MeanPsnr(const at::Tensor& a, const at::Tensor& b) { return FramePsnr(a, b).mean().item<double>(); }

double GainOf(const ReturnQualities& q, std::span<const int64_t> rows) {
  double above = 0, below = 0;
  for (const int64_t row : rows) {
    const auto i = static_cast<size_t>(row);
    above += q.seen[i] - q.unseen[i];
    below += q.recent[i] - q.unseen[i];
  }
  return above / std::max(below, kKnows * static_cast<double>(rows.size()));
}

// The ratio to first order in each scenario: their mean is the gain, and their spread that of the ratio.
std::vector<double> Linearised(const ReturnQualities& q, double gain) {
  const auto n = static_cast<double>(q.seen.size());
  double below = 0;
  for (size_t i = 0; i < q.seen.size(); ++i) below += (q.recent[i] - q.unseen[i]) / n;
  std::vector<double> values;
  for (size_t i = 0; i < q.seen.size(); ++i) {
    const double above = q.seen[i] - q.unseen[i];
    values.push_back(below > kKnows ? gain + (above - gain * (q.recent[i] - q.unseen[i])) / below : above / kKnows);
  }
  return values;
}

// The first gap at which the gain is below one half; the longest gap where it never is.
double Crossing(std::span<const int64_t> gaps, const std::vector<double>& gains) {
  for (size_t k = 0; k < gains.size(); ++k) {
    if (gains[k] >= kHalf) continue;
    if (k == 0) return static_cast<double>(gaps[0]);
    const double before = std::log(static_cast<double>(gaps[k - 1])), after = std::log(static_cast<double>(gaps[k]));
    return std::exp(before + (after - before) * (gains[k - 1] - kHalf) / (gains[k - 1] - gains[k]));
  }
  return static_cast<double>(gaps.back());
}

}  // namespace

ReturnQualities JudgeReturns(std::span<const ReturnFilms> films) {
  ORRERY_CHECK(films.size() >= 2);
  ReturnQualities q;
  for (size_t i = 0; i < films.size(); ++i) {
    double others = 0;
    for (size_t k = 0; k < films.size(); ++k)
      if (k != i) others += MeanPsnr(films[k].made, films[i].truth);
    q.seen.push_back(MeanPsnr(films[i].made, films[i].truth));
    q.unseen.push_back(others / static_cast<double>(films.size() - 1));
    q.recent.push_back(MeanPsnr(films[i].made_near, films[i].truth_near));
  }
  return q;
}

Estimate MemoryGain(const ReturnQualities& q) {
  Estimate gain = EstimateOf(
      std::ssize(q.seen), [&](std::span<const int64_t> rows) { return GainOf(q, rows); }, "no return");
  gain.per_scenario = Linearised(q, *gain.value);
  return gain;
}

Estimate MemoryGain(std::span<const ReturnFilms> films, const std::string& cause) {
  if (films.size() >= 2) return MemoryGain(JudgeReturns(films));
  Estimate none;
  none.cause = cause;
  none.count = none.failed = std::ssize(films);
  return none;
}

MemoryHalfLife HalfLife(std::span<const int64_t> gaps, std::span<const ReturnQualities> curve) {
  ORRERY_CHECK(!gaps.empty() && gaps.size() == curve.size());
  const auto gains = [&](std::span<const int64_t> rows) {
    std::vector<double> out;
    for (const ReturnQualities& q : curve) out.push_back(GainOf(q, rows));
    return out;
  };
  const int64_t count = std::ssize(curve[0].seen);
  for (const ReturnQualities& q : curve) ORRERY_CHECK(std::ssize(q.seen) == count);
  std::vector<int64_t> all(static_cast<size_t>(count));
  std::iota(all.begin(), all.end(), int64_t{0});
  const std::vector<double> whole = gains(all);
  MemoryHalfLife half;
  half.gap = EstimateOf(
      count, [&](std::span<const int64_t> rows) { return Crossing(gaps, gains(rows)); }, "no return");
  half.censored = std::all_of(whole.begin(), whole.end(), [](double gain) { return gain >= kHalf; });
  return half;
}

}  // namespace orrery
