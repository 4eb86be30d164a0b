// Rows of every rollout against the published tables, and the facts that are read off them.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "dynamics/rollouts/rollouts.h"

namespace orrery {
namespace {

constexpr Capabilities kAll{.accepts_mixed_levels = true, .clean_label = true};

RolloutPlan PlanOf(const std::string& spec, int64_t steps, const Capabilities& able = kAll, const std::string& path = "flow(shift=1)") {
  return MakeRollout(spec, {*NoisePaths().Make(path), able, steps});
}

// Steps done of `frames` frames before row m and after every row, as digits: "000", "100", ..
std::vector<std::string> Progress(const RolloutPlan& plan, int64_t frames, int64_t rows) {
  std::vector<int64_t> done(static_cast<size_t>(frames), 0);
  const auto text = [&] {
    std::string s;
    for (const int64_t d : done) s += static_cast<char>('0' + d);
    return s;
  };
  std::vector<std::string> all{text()};
  for (int64_t m = 0; m < rows; ++m) {
    const RolloutRow row = plan.RowAt(m);
    for (int64_t i = 0; i < row.Frames(); ++i) {
      const auto f = static_cast<size_t>(row.first + i);
      if (f >= done.size()) continue;
      EXPECT_EQ(row.in[static_cast<size_t>(i)], plan.levels[static_cast<size_t>(done[f])]);
      ++done[f];
      EXPECT_EQ(row.out[static_cast<size_t>(i)], plan.levels[static_cast<size_t>(done[f])]);
    }
    all.push_back(text());
  }
  return all;
}

// The same as steps that are left.
std::vector<std::string> Left(const RolloutPlan& plan, int64_t frames, int64_t rows) {
  std::vector<std::string> all = Progress(plan, frames, rows);
  for (std::string& s : all)
    for (char& c : s) c = static_cast<char>('0' + plan.Steps() - (c - '0'));
  return all;
}

using Texts = std::vector<std::string>;

TEST(Rows, PyramidHasThePublishedTable) {
  EXPECT_EQ(Left(PlanOf("pyramid(u=1, horizon=3)", 4), 3, 6), (Texts{"444", "344", "234", "123", "012", "001", "000"}));
  EXPECT_EQ(Left(PlanOf("pyramid(u=0, horizon=3)", 2), 3, 2), (Texts{"222", "111", "000"}));
  // K[m, t] = clip(S + floor(t u) - m, 0, S), with u a half.
  const RolloutPlan half = PlanOf("pyramid(u=0.5, horizon=5)", 3);
  const Texts rows = Left(half, 5, 3 + 2);
  for (int64_t m = 0; m <= 5; ++m)
    for (int64_t t = 0; t < 5; ++t) {
      const int64_t k = std::clamp<int64_t>(3 + static_cast<int64_t>(std::floor(0.5 * static_cast<double>(t))) - m, 0, 3);
      EXPECT_EQ(rows[static_cast<size_t>(m)][static_cast<size_t>(t)] - '0', k) << m << " " << t;
    }
}

// The recursion of AR-Diffusion: a counter goes on by one once the frame before it is done, else it is s behind it.
Texts AdRecursion(int64_t frames, int64_t steps, int64_t s) {
  std::vector<int64_t> now(static_cast<size_t>(frames), 0);
  Texts all;
  while (now.back() < steps) {
    const std::vector<int64_t> before = now;
    for (size_t i = 0; i < now.size(); ++i)
      now[i] = std::clamp<int64_t>(i == 0 || before[i - 1] == steps ? before[i] + 1 : now[i - 1] - s, 0, steps);
    std::string text;
    for (const int64_t n : now) text += static_cast<char>('0' + n);
    all.push_back(text);
  }
  return all;
}

TEST(Rows, AdHasThePublishedRowsAndFollowsItsRecursion) {
  EXPECT_EQ(AdRecursion(3, 4, 2), (Texts{"100", "200", "310", "420", "431", "442", "443", "444"}));
  EXPECT_EQ(AdRecursion(3, 4, 1), (Texts{"100", "210", "321", "432", "443", "444"}));
  EXPECT_EQ(AdRecursion(3, 4, 4).size(), 12U);
  for (int64_t s = 0; s <= 6; ++s) {
    const Texts expected = AdRecursion(5, 4, s);
    Texts rows = Progress(PlanOf("ad(s=" + std::to_string(s) + ", horizon=5)", 4), 5, static_cast<int64_t>(expected.size()));
    rows.erase(rows.begin());
    EXPECT_EQ(rows, expected) << s;
  }
}

TEST(Rows, PipelineHasMagisLevelsAndIterations) {
  const double four[] = {0, .02174, .1, .3, 1}, eight[] = {0, .00526, .02174, .05172, .1, .17606, .3, .52128, 1};
  for (int i = 0; i <= 4; ++i) EXPECT_NEAR(1 - MagiLevels(4)[static_cast<size_t>(i)], four[i], 5e-6);
  for (int i = 0; i <= 8; ++i) EXPECT_NEAR(1 - MagiLevels(8)[static_cast<size_t>(i)], eight[i], 5e-6);
  RolloutPlan plan = PlanOf("pipeline(window=2, steps=4)", 1);
  plan.horizon = 3;
  EXPECT_EQ(Progress(plan, 3, 8), (Texts{"000", "100", "200", "310", "420", "431", "442", "443", "444"}));  // (S / W)(N + W - 1) = 8 rows
  EXPECT_EQ(plan.RowAt(8).first, 3);                                                                        // the next group
  const RolloutPlan blocks = PlanOf("pipeline(window=2, steps=4, block=3)", 1);
  EXPECT_EQ(blocks.RowAt(2).in, (std::vector<double>{blocks.levels[2], blocks.levels[2], blocks.levels[2], 1, 1, 1}));
  EXPECT_EQ(blocks.RowAt(3).finish, (std::vector<int64_t>{0, 1, 2}));
}

TEST(Rows, RollingHasItsSizesAndLevels) {
  RolloutPlan plan = PlanOf("rolling(window=3)", 1);
  plan.horizon = 4;
  std::vector<int64_t> sizes, visits(4, 0);
  for (int64_t m = 0; m < 6; ++m) {
    const RolloutRow row = plan.RowAt(m);
    EXPECT_EQ(row.update, Update::kRenoise);
    sizes.push_back(row.Frames());
    for (int64_t i = 0; i < row.Frames(); ++i) ++visits[static_cast<size_t>(row.first + i)];
    for (size_t i = 0; i < row.in.size(); ++i) EXPECT_LT(row.out[i], row.in[i]);
  }
  EXPECT_EQ(sizes, (std::vector<int64_t>{1, 2, 3, 3, 2, 1}));
  EXPECT_EQ(visits, (std::vector<int64_t>{3, 3, 3, 3}));
  const std::vector<double> levels = PlanOf("rolling(window=5)", 1, kAll, "flow(shift=5)").levels;
  const double published[] = {1, .9524, .8824, .7692, .5556, 0};
  for (int i = 0; i < 6; ++i) EXPECT_NEAR(levels[static_cast<size_t>(i)], published[i], 5e-5);
}

TEST(Rows, RolloutsThatShouldBeOneAre) {
  const auto same = [](const std::string& a, const std::string& b, int64_t steps) {
    const RolloutPlan x = PlanOf(a, steps), y = PlanOf(b, steps);
    for (int64_t m = 0; m < 60; ++m) {
      const RolloutRow p = x.RowAt(m), q = y.RowAt(m);
      if (p.first != q.first || p.finish != q.finish || p.in.size() != q.in.size()) return false;
    }
    return true;
  };
  EXPECT_TRUE(same("pyramid(u=4)", "sequential", 4));
  EXPECT_TRUE(same("pyramid(u=9)", "sequential", 4));
  EXPECT_TRUE(same("ad(s=4)", "sequential", 4));
  EXPECT_TRUE(same("pipeline(window=1, steps=4)", "sequential", 4));
  EXPECT_TRUE(same("rolling(window=4)", "pyramid(u=1)", 4));
  EXPECT_TRUE(same("sliding(window=8, sink=2)", "sequential", 4));
  EXPECT_TRUE(same("ad(s=0, horizon=5)", "pyramid(u=0, horizon=5)", 4));
  EXPECT_FALSE(same("pyramid(u=1)", "sequential", 4));
}

// Every frame of an endless rollout takes every step once, in order, and is finished once, in order; rows far away are as those at first.
TEST(Rows, EveryFrameTakesEveryStepOnce) {
  for (const std::string spec :
       {"sequential", "sequential(block=3)", "pyramid(u=1)", "pyramid(u=0.5)", "pyramid(u=1.7)", "ad(s=2)", "ad(s=3, horizon=4)",
        "pyramid(u=0, horizon=6)", "pipeline(window=2, steps=6, block=2)", "rolling(window=5, block=2)", "sliding"}) {
    const RolloutPlan plan = PlanOf(spec, 4);
    std::vector<int64_t> done(400, 0);
    int64_t next = 0, in_flight = 0;
    for (int64_t m = 0; next < 200; ++m) {
      const RolloutRow row = plan.RowAt(m);
      ASSERT_EQ(row.first, next) << spec << " row " << m;
      ASSERT_GT(row.Frames(), 0) << spec << " row " << m;
      in_flight = std::max(in_flight, row.Frames());
      for (int64_t i = 0; i < row.Frames(); ++i) {
        ASSERT_EQ(row.in[static_cast<size_t>(i)], plan.levels[static_cast<size_t>(done[static_cast<size_t>(row.first + i)]++)]) << spec;
        ASSERT_GE(row.in[static_cast<size_t>(i)], row.in[static_cast<size_t>(std::max<int64_t>(i - 1, 0))]) << spec;
      }
      for (const int64_t f : row.finish) {
        ASSERT_EQ(f, next++) << spec;
        ASSERT_EQ(done[static_cast<size_t>(f)], plan.Steps()) << spec;
      }
    }
    EXPECT_EQ(in_flight, plan.FramesInFlight()) << spec;
  }
  const RolloutPlan pyramid = PlanOf("pyramid(u=1)", 4);
  for (const int64_t m : {int64_t{1'000'000}, int64_t{1'000'000'000'000}}) {
    EXPECT_EQ(pyramid.RowAt(m).first, m - 3);
    EXPECT_EQ(pyramid.RowAt(m).in, pyramid.RowAt(3).in);
  }
}

TEST(Rows, LatencyAndCostAreThoseOfTheTable) {
  const auto latency = [](const std::string& spec) { return PlanOf(spec, 4).ReactionLatency(); };
  EXPECT_EQ(latency("sequential"), 0);
  EXPECT_EQ(latency("sliding"), 0);
  EXPECT_EQ(latency("sequential(block=3)"), 2);
  EXPECT_EQ(latency("pyramid(u=1)"), 3);
  EXPECT_EQ(latency("ad(s=2)"), 1);
  EXPECT_EQ(latency("pipeline(window=4, steps=8)"), 3);
  EXPECT_EQ(latency("pipeline(window=4, steps=8, block=6)"), 23);
  EXPECT_EQ(latency("rolling(window=5)"), 4);
  EXPECT_EQ(latency("pyramid(u=0, horizon=7)"), 6);
  EXPECT_EQ(PlanOf("pyramid(u=1)", 4).ForwardsPerFrame(), 5);
  EXPECT_EQ(PlanOf("rolling(window=5)", 4).ForwardsPerFrame(), 6);
}

std::string Refusal(const std::string& spec, int64_t steps, const Capabilities& able) {
  try {
    PlanOf(spec, steps, able);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(Rows, WhatAModelWasNotTrainedForIsRefusedWithTheReason) {
  const Capabilities forced{.clean_label = true}, blocks{.clean_label = true, .block = 3},
      listed{.accepts_mixed_levels = true, .few_step = true, .levels = {1, 0.9, 0.75, 0.5}};
  EXPECT_EQ(Refusal("sequential", 4, forced), "");
  EXPECT_EQ(Refusal("sliding(window=8, sink=2)", 4, forced), "");
  for (const std::string spec : {"pyramid(u=1)", "ad(s=2)", "pipeline(window=2)", "rolling(window=3)", "pyramid(u=0, horizon=3)"})
    EXPECT_NE(Refusal(spec, 4, forced).find("not trained for"), std::string::npos) << spec;
  EXPECT_EQ(Refusal("pyramid(u=4)", 4, forced), "");
  EXPECT_EQ(Refusal("sequential", 4, blocks), "");
  EXPECT_EQ(PlanOf("sequential", 4, blocks).block, 3);
  const Capabilities whole{.clean_label = true, .causal = false};
  EXPECT_EQ(Refusal("sequential(block=9)", 4, whole), "");
  EXPECT_EQ(Refusal("pyramid(u=0, horizon=9)", 4, whole), "");
  EXPECT_NE(Refusal("pyramid(u=1)", 4, whole).find("not trained for"), std::string::npos);
  EXPECT_NE(Refusal("sequential(block=2)", 4, blocks).find("blocks of 3"), std::string::npos);
  EXPECT_EQ(PlanOf("pyramid(u=1)", 4, listed).levels, (std::vector<double>{1, 0.9, 0.75, 0.5, 0}));
  EXPECT_NE(Refusal("sequential", 8, listed).find("exactly 4 steps"), std::string::npos);
  Capabilities told = listed;  // of the size of its step: longer ones on its grid
  told.step_size = true;
  EXPECT_EQ(PlanOf("sequential", 2, told).levels, (std::vector<double>{1, 0.75, 0}));
  EXPECT_NE(Refusal("sequential", 3, told).find("divisors of 4 steps"), std::string::npos);
  EXPECT_NE(Refusal("pipeline(window=2, steps=8)", 4, listed).find("exactly 4 steps"), std::string::npos);
  EXPECT_NE(Refusal("pyramid(u=0)", 4, kAll).find("horizon"), std::string::npos);
  EXPECT_NE(Refusal("pipeline(window=3, steps=4)", 4, kAll).find("divide"), std::string::npos);
  EXPECT_NE(Refusal("pyramids(u=1)", 4, kAll).find("pyramid"), std::string::npos);
}

}  // namespace
}  // namespace orrery
