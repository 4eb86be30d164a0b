#include "eval/causality/estimate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.h"

namespace orrery {

namespace {

bool DefinedWithoutAnyOne(int64_t count, const Statistic& statistic) {
  std::vector<int64_t> rows(static_cast<size_t>(count - 1));
  for (int64_t left_out = 0; left_out < count; ++left_out) {
    for (int64_t i = 0; i + 1 < count; ++i) rows[static_cast<size_t>(i)] = i < left_out ? i : i + 1;
    if (!std::isfinite(statistic(rows))) return false;
  }
  return true;
}

}  // namespace

Estimate EstimateOf(int64_t count, const Statistic& statistic, const std::string& cause) {
  Estimate out;
  out.count = count;
  std::vector<int64_t> all(static_cast<size_t>(count));
  std::iota(all.begin(), all.end(), int64_t{0});
  const double value = count > 0 ? statistic(all) : std::numeric_limits<double>::quiet_NaN();
  if (!std::isfinite(value)) {
    out.cause = count > 0 ? cause : "no scenarios";
    out.failed = count;
    return out;
  }
  out.value = value;
  try {
    if (count < 2) Fail("an interval needs at least 2 scenarios, got {}", count);
    const bool bca = DefinedWithoutAnyOne(count, statistic);
    out.method = fmt::format("scenario-bootstrap-{}{}", kResamples, bca ? "-bca" : "");
    out.interval = bca ? BootstrapBca(count, statistic) : Bootstrap(count, statistic);
  } catch (const Error& error) {
    out.cause = error.what();
  }
  return out;
}

Estimate RatioEstimate(std::span<const double> above, std::span<const double> below, const std::string& cause) {
  ORRERY_CHECK(above.size() == below.size());
  const Statistic ratio = [&](std::span<const int64_t> rows) {
    double a = 0, b = 0;
    for (const int64_t row : rows) {
      a += above[static_cast<size_t>(row)];
      b += below[static_cast<size_t>(row)];
    }
    return b > 0 ? a / b : std::numeric_limits<double>::quiet_NaN();
  };
  Estimate out = EstimateOf(static_cast<int64_t>(above.size()), ratio, cause);
  out.failed = std::count(below.begin(), below.end(), 0.0);
  for (size_t i = 0; i < above.size(); ++i)
    if (below[i] > 0) out.per_scenario.push_back(above[i] / below[i]);
  return out;
}

Estimate MeanEstimate(std::span<const std::optional<double>> values, const std::string& cause) {
  Estimate out;
  out.count = static_cast<int64_t>(values.size());
  for (const auto& value : values)
    if (value) out.per_scenario.push_back(*value);
  out.failed = out.count - static_cast<int64_t>(out.per_scenario.size());
  if (out.per_scenario.empty()) {
    out.cause = values.empty() ? "no scenarios" : cause;
    return out;
  }
  out.value = Mean(out.per_scenario);
  out.method = fmt::format("scenario-bootstrap-{}", kResamples);
  if (out.per_scenario.size() < 2)
    out.cause = "an interval needs at least 2 scenarios with a value, got 1";
  else
    out.interval = MeanInterval(out.per_scenario);
  return out;
}

Estimate Mapped(Estimate estimate, const std::function<double(double)>& map) {
  if (estimate.value) estimate.value = map(*estimate.value);
  if (estimate.interval) {
    const auto [low, high] = std::minmax({map(estimate.interval->low), map(estimate.interval->high)});
    estimate.interval = Interval{low, high};
  }
  for (double& value : estimate.per_scenario) value = map(value);
  return estimate;
}

}  // namespace orrery
