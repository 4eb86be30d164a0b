#include "eval/persistence/surprise.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "core/error.h"

namespace orrery {

namespace {

using Measure = double (*)(std::span<const double> possible, std::span<const double> impossible);

void RequireBoth(std::span<const double> possible, std::span<const double> impossible) {
  if (possible.empty() || impossible.empty())
    Fail("surprise: possible and impossible films expected, got {} and {}", possible.size(), impossible.size());
}

Estimate OfFilms(std::span<const Quadruplet> quadruplets, Measure measure) {
  return EstimateOf(
      static_cast<int64_t>(quadruplets.size()),
      [&](std::span<const int64_t> rows) {
        std::vector<double> possible, impossible;
        for (const int64_t row : rows) {
          const Quadruplet& q = quadruplets[static_cast<size_t>(row)];
          possible.insert(possible.end(), {q[0][0], q[1][1]});
          impossible.insert(impossible.end(), {q[0][1], q[1][0]});
        }
        return measure(possible, impossible);
      },
      "no quadruplets");
}

}  // namespace

double RelativeAccuracy(const Quadruplet& q) {
  const double possible = q[0][0] + q[1][1], impossible = q[0][1] + q[1][0];
  const double scale = std::abs(q[0][0]) + std::abs(q[1][1]) + std::abs(q[0][1]) + std::abs(q[1][0]);
  if (std::abs(impossible - possible) <= 1e-9 * scale) return 0.5;
  return impossible > possible ? 1 : 0;
}

Estimate ShareEstimate(std::span<const double> successes) {
  Estimate out;
  out.count = static_cast<int64_t>(successes.size());
  out.method = "wilson";
  out.per_scenario.assign(successes.begin(), successes.end());
  if (successes.empty()) {
    out.cause = "no scenarios";
    return out;
  }
  out.value = Mean(successes);
  const double sum = *out.value * static_cast<double>(out.count);
  out.interval = Interval{Wilson(static_cast<int64_t>(std::floor(sum + 1e-9)), out.count).low,
                          Wilson(static_cast<int64_t>(std::ceil(sum - 1e-9)), out.count).high};
  return out;
}

double AbsoluteAccuracy(std::span<const double> possible, std::span<const double> impossible) {
  RequireBoth(possible, impossible);
  std::vector<double> sorted(possible.begin(), possible.end());
  std::sort(sorted.begin(), sorted.end());
  const double threshold = sorted[static_cast<size_t>(std::ceil(0.9 * static_cast<double>(sorted.size()) - 1e-9)) - 1];
  const auto above = [&](double s) { return s > threshold; };
  const auto right = std::count_if(impossible.begin(), impossible.end(), above) + std::ssize(possible) -
                     std::count_if(possible.begin(), possible.end(), above);
  return static_cast<double>(right) / static_cast<double>(possible.size() + impossible.size());
}

double Auroc(std::span<const double> possible, std::span<const double> impossible) {
  RequireBoth(possible, impossible);
  double won = 0;
  for (const double i : impossible)
    for (const double p : possible) won += i > p ? 1 : i == p ? 0.5 : 0;
  return won / static_cast<double>(possible.size() * impossible.size());
}

double AveragePrecision(std::span<const double> possible, std::span<const double> impossible) {
  RequireBoth(possible, impossible);
  std::vector<std::pair<double, bool>> films;
  for (const double s : possible) films.emplace_back(s, false);
  for (const double s : impossible) films.emplace_back(s, true);
  std::sort(films.begin(), films.end(), std::greater<>());
  double found = 0, precision_sum = 0;
  for (size_t i = 0; i < films.size();) {
    size_t j = i;
    double here = 0;
    for (; j < films.size() && films[j].first == films[i].first; ++j) here += films[j].second;
    found += here;
    precision_sum += here * found / static_cast<double>(j);
    i = j;
  }
  return precision_sum / static_cast<double>(impossible.size());
}

SurpriseScores ScoreSurprise(std::span<const Quadruplet> quadruplets) {
  std::vector<double> relative;
  for (const Quadruplet& q : quadruplets) relative.push_back(RelativeAccuracy(q));
  return {ShareEstimate(relative), OfFilms(quadruplets, AbsoluteAccuracy), OfFilms(quadruplets, Auroc),
          OfFilms(quadruplets, AveragePrecision)};
}

}  // namespace orrery
