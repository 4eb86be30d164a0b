#include "eval/causality/order.h"

#include <cmath>
#include <map>
#include <numeric>
#include <tuple>

#include "core/error.h"

namespace orrery {

namespace {

void RequireSeries(std::span<const double> series, std::string_view what) {
  if (series.size() < 2) Fail("{}: a series of at least 2 frames expected, got {}", what, series.size());
  for (size_t t = 0; t < series.size(); ++t)
    if (!std::isfinite(series[t]))
      Fail("{}: the value of frame {} is not finite; give readings that are missing their worst value", what, t);
}

Estimate One(double value) {
  Estimate out;
  out.value = value;
  out.count = 1;
  return out;
}

Estimate None(const std::string& cause) {
  Estimate out;
  out.cause = cause;
  out.count = out.failed = 1;
  return out;
}

using EventKey = std::tuple<std::string, int64_t, int64_t, int64_t>;  // kind, subject, object, number

std::map<EventKey, int64_t> Times(std::span<const std::vector<WorldEvent>> film) {
  std::map<std::tuple<std::string, int64_t, int64_t>, int64_t> seen;
  std::map<EventKey, int64_t> times;
  for (size_t t = 0; t < film.size(); ++t)
    for (const WorldEvent& event : film[t]) {
      const int64_t number = seen[{event.kind, event.subject, event.object}]++;
      times[{event.kind, event.subject, event.object, number}] = static_cast<int64_t>(t);
    }
  return times;
}

}  // namespace

ProgressScores ScoreProgress(std::span<const double> truth, std::span<const double> made) {
  RequireSeries(truth, "progress of the truth");
  RequireSeries(made, "progress");
  const double net = truth.back() - truth.front(), direction = net < 0 ? -1 : 1;
  double back = 0, all = 0;
  for (size_t t = 1; t < made.size(); ++t) {
    const double step = direction * (made[t] - made[t - 1]);
    all += std::abs(step);
    back += std::max(0.0, -step);
  }
  std::vector<double> time(made.size());
  std::iota(time.begin(), time.end(), 0.0);
  ProgressScores out;
  out.progress = net != 0 ? One((made.back() - made.front()) / net) : None("the truth makes no progress");
  out.monotonicity = all > 0 ? One(1 - back / all) : None("the film shows no step, forward or backward");
  out.order = One(direction * Kendall(made, time));
  return out;
}

std::optional<double> EventOrder::Accuracy() const {
  if (pairs == 0) return std::nullopt;
  return right / static_cast<double>(pairs);
}

EventOrder CompareEvents(std::span<const std::vector<WorldEvent>> truth, std::span<const std::vector<WorldEvent>> read) {
  const std::map<EventKey, int64_t> of_truth = Times(truth), of_read = Times(read);
  EventOrder out;
  out.events = static_cast<int64_t>(of_truth.size());
  for (const auto& [key, t] : of_truth) out.missing += !of_read.contains(key);
  for (const auto& [key, t] : of_read) out.extra += !of_truth.contains(key);
  for (auto first = of_truth.begin(); first != of_truth.end(); ++first)
    for (auto second = std::next(first); second != of_truth.end(); ++second) {
      if (first->second == second->second) continue;
      ++out.pairs;
      const auto a = of_read.find(first->first), b = of_read.find(second->first);
      if (a == of_read.end() || b == of_read.end()) continue;
      if (a->second == b->second)
        out.right += 0.5;
      else
        out.right += (a->second < b->second) == (first->second < second->second);
    }
  return out;
}

Estimate EntropySign(std::span<const double> energy, const std::vector<bool>& acted, double tolerance) {
  RequireSeries(energy, "energy");
  if (acted.size() + 1 != energy.size())
    Fail("entropy sign: a mark for each of {} steps expected, got {}", energy.size() - 1, acted.size());
  if (!(tolerance >= 0)) Fail("entropy sign: a tolerance of at least 0 expected, got {}", tolerance);
  int64_t free = 0, falling = 0;
  for (size_t t = 0; t < acted.size(); ++t) {
    if (acted[t]) continue;
    ++free;
    falling += energy[t + 1] - energy[t] <= tolerance;
  }
  return free ? One(static_cast<double>(falling) / static_cast<double>(free)) : None("every step has an action");
}

}  // namespace orrery
