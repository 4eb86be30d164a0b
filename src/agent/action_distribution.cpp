#include "agent/action_distribution.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace orrery {

ActionDistribution::ActionDistribution(const ActionSpace& space, int64_t horizon, double deviation) : space_(space) {
  std::vector<double> mean, spread;
  if (space.Discrete()) {
    mean.assign(static_cast<size_t>(space.count), 1.0 / static_cast<double>(space.count));
  } else {
    for (int64_t d = 0; d < space.dims; ++d) {
      mean.push_back(0.5 * (Low(d) + High(d)));
      spread.push_back(0.5 * deviation * (High(d) - Low(d)));
    }
  }
  mean_.assign(static_cast<size_t>(horizon), mean);
  spread_.assign(static_cast<size_t>(horizon), spread);
}

float ActionDistribution::Clipped(double value, int64_t dim) const {
  const auto x = static_cast<float>(value);
  return space_.low.empty() ? x : std::clamp(x, Low(dim), High(dim));
}

void ActionDistribution::Lean(std::span<const std::vector<float>> guess) {
  for (size_t t = 0; t < std::min(guess.size(), mean_.size()); ++t) {
    if (space_.Discrete()) {
      for (double& chance : mean_[t]) chance *= 0.5;
      mean_[t][static_cast<size_t>(guess[t][0])] += 0.5;
    } else {
      mean_[t].assign(guess[t].begin(), guess[t].end());
    }
  }
}

Sequence ActionDistribution::Sample(Rng& rng) const {
  Sequence sequence;
  for (size_t t = 0; t < mean_.size(); ++t) {
    std::vector<float> action;
    if (space_.Discrete()) {
      double left = rng.Uniform();
      size_t choice = 0;
      while (choice + 1 < mean_[t].size() && left >= mean_[t][choice]) left -= mean_[t][choice++];
      action.push_back(static_cast<float>(choice));
    } else {
      for (int64_t d = 0; d < space_.dims; ++d)
        action.push_back(Clipped(mean_[t][static_cast<size_t>(d)] + spread_[t][static_cast<size_t>(d)] * rng.Normal(), d));
    }
    sequence.push_back(std::move(action));
  }
  return sequence;
}

void ActionDistribution::Fit(std::span<const Sequence> samples, std::span<const double> weights, double keep, bool fixed_spread) {
  ORRERY_CHECK(samples.size() == weights.size());
  double sum = 0;
  for (const double w : weights) sum += w;
  ORRERY_CHECK(sum > 0);
  for (size_t t = 0; t < mean_.size(); ++t) {
    std::vector<double> mean(mean_[t].size(), 0), spread(spread_[t].size(), 0);
    for (size_t i = 0; i < samples.size(); ++i) {
      const std::vector<float>& action = samples[i][t];
      if (space_.Discrete())
        mean[static_cast<size_t>(action[0])] += weights[i] / sum;
      else
        for (size_t d = 0; d < mean.size(); ++d) mean[d] += weights[i] / sum * action[d];
    }
    if (!space_.Discrete() && !fixed_spread) {
      for (size_t i = 0; i < samples.size(); ++i)
        for (size_t d = 0; d < mean.size(); ++d) spread[d] += weights[i] / sum * std::pow(samples[i][t][d] - mean[d], 2);
      for (size_t d = 0; d < mean.size(); ++d) spread_[t][d] = keep * spread_[t][d] + (1 - keep) * std::sqrt(spread[d]);
    }
    for (size_t k = 0; k < mean.size(); ++k) mean_[t][k] = keep * mean_[t][k] + (1 - keep) * mean[k];
  }
}

Sequence ActionDistribution::Mode() const {
  Sequence sequence;
  for (const std::vector<double>& mean : mean_) {
    std::vector<float> action;
    if (space_.Discrete())
      action.push_back(static_cast<float>(std::max_element(mean.begin(), mean.end()) - mean.begin()));
    else
      for (int64_t d = 0; d < space_.dims; ++d) action.push_back(Clipped(mean[static_cast<size_t>(d)], d));
    sequence.push_back(std::move(action));
  }
  return sequence;
}

}  // namespace orrery
