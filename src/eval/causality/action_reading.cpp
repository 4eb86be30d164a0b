#include "eval/causality/action_reading.h"

#include <limits>
#include <map>
#include <numeric>

#include "core/error.h"

namespace orrery {

namespace {

std::map<int64_t, ActionRates> Count(const ActionRows& labels, const ActionRows& read, std::span<const int64_t> rows) {
  std::map<int64_t, ActionRates> rates;
  for (const int64_t row : rows) {
    const auto &truth = labels[static_cast<size_t>(row)], &seen = read[static_cast<size_t>(row)];
    for (size_t t = 0; t < truth.size(); ++t) {
      ++rates[truth[t]].labels;
      ++rates[seen[t]].read;
      rates[truth[t]].right += truth[t] == seen[t];
    }
  }
  for (auto& [action, rate] : rates) rate.action = action;
  return rates;
}

double MeanF1(const ActionRows& labels, const ActionRows& read, std::span<const int64_t> rows) {
  double sum = 0;
  int64_t count = 0;
  for (const auto& [action, rate] : Count(labels, read, rows))
    if (rate.labels) sum += rate.F1(), ++count;
  return count ? sum / static_cast<double>(count) : std::numeric_limits<double>::quiet_NaN();
}

std::vector<int64_t> AllRows(const ActionRows& rows) {
  std::vector<int64_t> all(rows.size());
  std::iota(all.begin(), all.end(), int64_t{0});
  return all;
}

}  // namespace

std::optional<double> ActionRates::Precision() const {
  return read ? std::optional(static_cast<double>(right) / static_cast<double>(read)) : std::nullopt;
}
std::optional<double> ActionRates::Recall() const {
  return labels ? std::optional(static_cast<double>(right) / static_cast<double>(labels)) : std::nullopt;
}

double BalancedAccuracy(const ActionRows& labels, const ActionRows& read, std::span<const int64_t> rows) {
  double sum = 0;
  int64_t count = 0;
  for (const auto& [action, rate] : Count(labels, read, rows))
    if (const auto recall = rate.Recall()) sum += *recall, ++count;
  return count ? sum / static_cast<double>(count) : std::numeric_limits<double>::quiet_NaN();
}

double AccuracyFloor(const ActionRows& labels, const ActionRows& read) {
  ORRERY_CHECK(labels.size() >= 2 && labels.size() == read.size());
  ActionRows others, films;
  for (size_t i = 0; i < labels.size(); ++i)
    for (size_t j = 0; j < labels.size(); ++j)
      if (i != j) {
        others.push_back(labels[j]);
        films.push_back(read[i]);
      }
  return BalancedAccuracy(others, films, AllRows(others));
}

ActionScores ScoreActionReading(const ActionRows& labels, const ActionRows& on_real, const ActionRows& on_made) {
  if (labels.size() < 2) Fail("action reading: 2 or more scenarios expected, got {}", labels.size());
  for (const ActionRows* rows : {&on_real, &on_made}) {
    if (rows->size() != labels.size()) Fail("action reading: {} rows of actions expected, got {}", labels.size(), rows->size());
    for (size_t i = 0; i < labels.size(); ++i)
      if ((*rows)[i].size() != labels[i].size())
        Fail("action reading: {} actions expected in row {}, got {}", labels[i].size(), i, (*rows)[i].size());
  }
  const std::vector<int64_t> all = AllRows(labels);
  const auto count = static_cast<int64_t>(labels.size());
  ActionScores out;
  out.real = BalancedAccuracy(labels, on_real, all);
  out.floor = AccuracyFloor(labels, on_real);
  const std::string cause =
      fmt::format("real films do not tell the actions: {:.2f} of them are read right, {:.2f} by chance", out.real, out.floor);
  const auto following = [&](std::span<const int64_t> rows) {
    const double real = BalancedAccuracy(labels, on_real, rows);
    if (!(real - out.floor > 0.1)) return std::numeric_limits<double>::quiet_NaN();
    return (BalancedAccuracy(labels, on_made, rows) - out.floor) / (real - out.floor);
  };
  out.following = EstimateOf(count, following, cause);
  out.made = EstimateOf(
      count, [&](auto rows) { return BalancedAccuracy(labels, on_made, rows); }, "no actions");
  out.f1 = EstimateOf(
      count, [&](auto rows) { return MeanF1(labels, on_made, rows); }, "no actions");
  for (const auto& [action, rate] : Count(labels, on_made, all)) out.actions.push_back(rate);
  return out;
}

}  // namespace orrery
