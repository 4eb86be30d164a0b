// Actions read without obeying: what a film's reading is measured against.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "core/rng.h"
#include "eval/causality/action_reading.h"
#include "eval/causality/context_reading.h"
#include "eval/suite/probe.h"
#include "recorded.h"

namespace orrery {
namespace {

TEST(ActionReading, HabitsAreAllRotations) {
  Rng rng(1);
  ActionRows labels(3), read(3);
  for (size_t i = 0; i < 3; ++i)
    for (int t = 0; t < 7; ++t) {
      labels[i].push_back(rng.Below(3));
      read[i].push_back(rng.Below(4));
    }
  // Every film with its own labels, turned by 1 .. 6.
  ActionRows turned, films;
  for (size_t i = 0; i < 3; ++i)
    for (int by = 1; by < 7; ++by) {
      turned.push_back(labels[i]);
      std::rotate(turned.back().begin(), turned.back().begin() + by, turned.back().end());
      films.push_back(read[i]);
    }
  std::vector<int64_t> all(turned.size());
  std::iota(all.begin(), all.end(), 0);
  EXPECT_NEAR(HabitAccuracy(labels, read, std::vector<int64_t>{0, 1, 2}), BalancedAccuracy(turned, films, all), 1e-12);
}

// Twelve ways, each of one action for the most part: who does a way's usual action all the time obeys nothing.
TEST(ActionReading, HabitsAreNotObedience) {
  Rng rng(2);
  ActionRows labels(12), usual(12), late(12), half(12);
  for (size_t i = 0; i < 12; ++i) {
    for (int t = 0; t < 20; ++t) labels[i].push_back(rng.Bernoulli(0.6) ? static_cast<int64_t>(i % 3) : rng.Below(3));
    usual[i].assign(20, static_cast<int64_t>(i % 3));
    late[i] = labels[i];
    std::rotate(late[i].begin(), late[i].begin() + 5, late[i].end());
    half[i] = labels[i];
    for (size_t t = 0; t < 20; t += 2) half[i][t] = late[i][t];
  }
  const ActionScores of_late = ScoreActionReading(labels, labels, late, usual);
  EXPECT_GT(of_late.following.interval->low, 0.1);  // beyond the labels of others
  EXPECT_LE(of_late.obeyed.interval->low, 0);
  EXPECT_GT(of_late.habit, of_late.floor + 0.1);
  EXPECT_GT(of_late.context, of_late.habit);  // the usual action is the best guess of all
  EXPECT_NEAR(*ScoreActionReading(labels, labels, usual, usual).obeyed.value, 0, 1e-12);
  EXPECT_NEAR(*ScoreActionReading(labels, labels, labels, usual).obeyed.value, 1, 1e-12);
  EXPECT_GT(ScoreActionReading(labels, labels, half, usual).obeyed.interval->low, 0);
}

// The brightness tells the first action, the action before tells the second, nothing tells the third.
TEST(ContextReading, FindsWhatTheContextTells) {
  const auto examples = [](int64_t n, uint64_t seed) {
    Rng rng(seed);
    at::Tensor pictures = at::zeros({n, 16, 16, 3}, at::kByte), before = at::zeros({n, 2}, at::kLong), after = at::zeros({n, 3}, at::kLong);
    for (int64_t i = 0; i < n; ++i) {
      const int64_t first = rng.Below(2), second = rng.Bernoulli(0.1) ? 2 : rng.Below(2);
      pictures[i].fill_(static_cast<int>(60 + 120 * first + rng.Below(20)));
      before[i][0] = rng.Below(3);
      before[i][1] = second;
      after[i][0] = first;
      after[i][1] = second;
      after[i][2] = rng.Below(3);
    }
    return std::array{pictures, before, after};
  };
  const auto [pictures, before, after] = examples(400, 1);
  const ContextReader reader(pictures, before, after, 4);
  const auto [other, other_before, other_after] = examples(300, 2);
  const at::Tensor right = (reader.Read(other, other_before) == other_after).to(at::kDouble).mean(0);
  EXPECT_EQ(right[0].item<double>(), 1);
  EXPECT_EQ(right[1].item<double>(), 1);
  EXPECT_NEAR(right[2].item<double>(), 1.0 / 3, 0.1);
  // Without actions before, only the picture is left.
  const ContextReader blind(pictures, before.narrow(1, 0, 0), after, 4);
  const at::Tensor seen = (blind.Read(other, other_before.narrow(1, 0, 0)) == other_after).to(at::kDouble).mean(0);
  EXPECT_EQ(seen[0].item<double>(), 1);
  EXPECT_LT(seen[1].item<double>(), 0.8);
}

// Readers learn from the episodes that are not judged, and from no others.
TEST_F(Recorded, ActionsAreReadByWhatTheOtherEpisodesTeach) {
  RecordSet(Set("long"), 80, 56, 0, 0, "maze(size=5, height=32, width=32)");
  RecordSet(Set("short"), 160, 40);
  ProbePlan plan;
  plan.probe = "following";
  plan.scenarios = 6;
  const auto metric = [&](const std::string& world, const char* subject, const char* id) {
    plan.world = world;
    for (const Metric& m : ProbeFollowing(*MakeSubjects(subject)[0], plan).metrics)
      if (m.id == id) return m;
    return Metric{};
  };
  const char *af = "causality.following.af", *accuracy = "causality.following.accuracy";
  EXPECT_NEAR(metric(Spec("long", "validation"), "dummy:copy", af).value.value_or(-9), 1, 1e-12);
  const Metric read = metric(Spec("long", "validation"), "dummy:copy", accuracy);
  EXPECT_GT(*read.value, read.anchors.at("chance") + 0.2);
  EXPECT_LT(*metric(Spec("long", "validation"), "dummy:reverse", accuracy).value, *read.value - 0.2);
  EXPECT_NE(metric(Spec("long"), "dummy:copy", af).cause.find("--split validation"), std::string::npos);
  EXPECT_NE(metric(Spec("short", "validation"), "dummy:copy", af).cause.find("episodes of 57 frames"), std::string::npos);
}

}  // namespace
}  // namespace orrery
