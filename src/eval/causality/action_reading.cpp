#include "eval/causality/action_reading.h"

#include <algorithm>
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

// How often an action is the label, how often it is read, and how often both, in one row.
struct RowCount {
  double labels = 0, read = 0, right = 0;
};

std::vector<std::map<int64_t, RowCount>> CountRows(const ActionRows& labels, const ActionRows& read) {
  std::vector<std::map<int64_t, RowCount>> counts(labels.size());
  for (size_t i = 0; i < labels.size(); ++i)
    for (size_t t = 0; t < labels[i].size(); ++t) {
      ++counts[i][labels[i][t]].labels;
      ++counts[i][read[i][t]].read;
      counts[i][labels[i][t]].right += labels[i][t] == read[i][t];
    }
  return counts;
}

// Over all rotations of a row of n, an action is read right labels * read times; `right` of them in place.
double HabitOf(const std::vector<std::map<int64_t, RowCount>>& counts, size_t n, std::span<const int64_t> rows) {
  std::map<int64_t, RowCount> sums;
  for (const int64_t row : rows)
    for (const auto& [action, c] : counts[static_cast<size_t>(row)]) {
      sums[action].labels += c.labels;
      sums[action].right += (c.labels * c.read - c.right) / static_cast<double>(n - 1);
    }
  double sum = 0, count = 0;
  for (const auto& [action, c] : sums)
    if (c.labels > 0) sum += c.right / c.labels, ++count;
  return count > 0 ? sum / count : std::numeric_limits<double>::quiet_NaN();
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

double HabitAccuracy(const ActionRows& labels, const ActionRows& read, std::span<const int64_t> rows) {
  return HabitOf(CountRows(labels, read), labels.front().size(), rows);
}

ActionScores ScoreActionReading(const ActionRows& labels, const ActionRows& on_real, const ActionRows& on_made,
                                const ActionRows& from_context) {
  if (labels.size() < 2 || labels[0].size() < 2)
    Fail("action reading: 2 or more scenarios of 2 or more actions expected, got {}", labels.size());
  for (const ActionRows* rows : {&labels, &on_real, &on_made, &from_context}) {
    if (rows->size() != labels.size()) Fail("action reading: {} rows of actions expected, got {}", labels.size(), rows->size());
    for (size_t i = 0; i < labels.size(); ++i)
      if ((*rows)[i].size() != labels[0].size())
        Fail("action reading: {} actions expected in row {}, got {}", labels[0].size(), i, (*rows)[i].size());
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
  out.habit = HabitAccuracy(labels, on_real, all);
  out.context = BalancedAccuracy(labels, from_context, all);
  const auto counts = CountRows(labels, on_real);
  const Statistic habit = [&](std::span<const int64_t> rows) { return HabitOf(counts, labels[0].size(), rows); };
  const Statistic context = [&](std::span<const int64_t> rows) { return BalancedAccuracy(labels, from_context, rows); };
  const auto above = [&](const Statistic& blind) {
    const auto share = [&](std::span<const int64_t> rows) {
      const double zero = blind(rows), one = BalancedAccuracy(labels, on_real, rows);
      if (!(one - zero > 0.1)) return std::numeric_limits<double>::quiet_NaN();
      return (BalancedAccuracy(labels, on_made, rows) - zero) / (one - zero);
    };
    return EstimateOf(count, share, cause);
  };
  out.above_habit = above(habit);
  out.above_context = above(context);
  out.obeyed = above([&](std::span<const int64_t> rows) { return std::max({out.floor, habit(rows), context(rows)}); });
  out.made = EstimateOf(
      count, [&](auto rows) { return BalancedAccuracy(labels, on_made, rows); }, "no actions");
  out.f1 = EstimateOf(
      count, [&](auto rows) { return MeanF1(labels, on_made, rows); }, "no actions");
  for (const auto& [action, rate] : Count(labels, on_made, all)) out.actions.push_back(rate);
  return out;
}

}  // namespace orrery
