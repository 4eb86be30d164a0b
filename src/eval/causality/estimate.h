// A number over scenarios with its interval, or the reason why there is none.
#pragma once
#include <optional>
#include <string>

#include "eval/statistics.h"

namespace orrery {

struct Estimate {
  std::optional<double> value;
  std::optional<Interval> interval;  // 95 % over scenarios
  std::string cause;                 // of a missing value, or of a missing interval
  int64_t count = 0, failed = 0;     // scenarios; of them those that say nothing and are not in the value
  std::vector<double> per_scenario;  // of those that are in it, where a scenario has a value of its own
  std::string method;                // of the interval: "scenario-bootstrap-2000-bca"
};

// `statistic` of all `count` scenarios, with a BCa interval (percentile where leaving one out leaves it undefined). `cause` is given
// when it is not finite.
Estimate EstimateOf(int64_t count, const Statistic& statistic, const std::string& cause);

// Sum of `above` / sum of `below` over scenarios: scenarios weigh by what they show. Without a value when `below` sums to 0.
Estimate RatioEstimate(std::span<const double> above, std::span<const double> below, const std::string& cause);

// Mean over the scenarios that have a value, percentile interval.
Estimate MeanEstimate(std::span<const std::optional<double>> values, const std::string& cause);

// A monotone map of value and interval (a falling one swaps the ends).
Estimate Mapped(Estimate estimate, const std::function<double(double)>& map);

}  // namespace orrery
