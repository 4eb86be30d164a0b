// Independent distributions of the actions of a plan, one a step.
#pragma once
#include <vector>

#include "core/action_space.h"
#include "core/rng.h"

namespace orrery {

using Sequence = std::vector<std::vector<float>>;  // [horizon][Width()]

class ActionDistribution {
 public:
  // Uniform over choices; numbers normal around the middle of their range with `deviation` half ranges ([-1, 1] where unbounded).
  ActionDistribution(const ActionSpace& space, int64_t horizon, double deviation);

  // Centres the first steps on `guess`: half of the chance (discrete), the mean (numbers).
  void Lean(std::span<const std::vector<float>> guess);
  Sequence Sample(Rng& rng) const;
  // Weighted maximum likelihood, weights >= 0 with a positive sum; of the result `keep` (0..1) is the old distribution. With fixed
  // spread only the means of numbers move.
  void Fit(std::span<const Sequence> samples, std::span<const double> weights, double keep, bool fixed_spread);
  Sequence Mode() const;

 private:
  float Low(int64_t dim) const { return space_.low.empty() ? -1.0f : space_.low[static_cast<size_t>(dim)]; }
  float High(int64_t dim) const { return space_.high.empty() ? 1.0f : space_.high[static_cast<size_t>(dim)]; }
  float Clipped(double value, int64_t dim) const;

  ActionSpace space_;
  std::vector<std::vector<double>> mean_;    // [horizon][count] chances, or [horizon][dims] means
  std::vector<std::vector<double>> spread_;  // [horizon][dims] standard deviations
};

}  // namespace orrery
