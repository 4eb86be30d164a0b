// What a state adds to a window: differences whose common part cancels.
#include "eval/report/margins.h"

#include <gtest/gtest.h>

#include <numeric>

namespace orrery {
namespace {

// Values a scenario at gap 32, and their mean at gap 64 without scenarios.
Evaluation Judged(const std::string& state, const std::vector<double>& values, int seed = 0) {
  Evaluation e;
  e.model = {{"name", state + std::to_string(seed)},
             {"kind", "model"},
             {"state", state},
             {"sha256", {{"model.safetensors", state + std::to_string(seed)}}},
             {"training_seed", seed}};
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  Metric m;
  m.id = "persistence.recall.psnr";
  m.world = "maze";
  m.unit = "dB";
  m.direction = "higher";
  m.value = mean;
  m.by["gap=0032"] = {mean, Interval{mean - 5, mean + 5}, std::ssize(values), values};
  if (state.find("ssm") == std::string::npos) m.by["gap=0064"] = {mean, Interval{mean, mean}, 1, {}};
  m.by["other"] = {1.0, Interval{1, 1}, 1, {}};
  e.metrics = {m};
  return e;
}

TEST(Margins, WhatScenariosHaveInCommonCancels) {
  const std::vector<double> base{10, 20, 30, 15, 25}, more{13, 23, 33, 18, 28}, mixed{12, 18, 31, 14, 25};
  const std::vector<Evaluation> all{Judged("window(frames=4) + moba(k=2)", more), Judged("window(frames=4)", base),
                                    Judged("window(frames=4) + ssm()", mixed)};
  const std::vector<Recipe> recipes = Recipes(all);
  const std::vector<MarginTable> tables = Margins(recipes);
  ASSERT_EQ(tables.size(), 1u);
  const MarginTable& t = tables[0];
  EXPECT_EQ(t.baseline, "window(frames=4)");
  EXPECT_EQ(t.parts, (std::vector<std::string>{"gap=0032", "gap=0064"}));
  ASSERT_EQ(t.rows.size(), 2u);
  const Margin& moba = *t.rows[0].margins[0];
  EXPECT_NEAR(moba.value, 3, 1e-9);
  EXPECT_NEAR(moba.interval.low, 3, 1e-9) << "scenarios differ by 20, the two states by 3 in each";
  EXPECT_NEAR(moba.interval.high, 3, 1e-9);
  EXPECT_TRUE(moba.Clear());
  const Margin& ssm = *t.rows[1].margins[0];
  EXPECT_NEAR(ssm.value, 0, 1e-9);
  EXPECT_FALSE(ssm.Clear());
  EXPECT_FALSE(t.rows[1].margins[1]) << "not measured there";
  EXPECT_NE(MarginText(tables).find("+3.00 [3.00, 3.00] *"), std::string::npos) << MarginText(tables);
  EXPECT_NEAR(MarginJson(tables)[0]["rows"][0]["margins"]["gap=0032"]["value"].get<double>(), 3, 1e-9);
  EXPECT_NE(MarginHtml(tables).find("gap 32"), std::string::npos);
}

TEST(Margins, WithoutABareWindowThereAreNone) {
  const std::vector<Evaluation> all{Judged("window(frames=4) + moba(k=2)", {1, 2}), Judged("dense()", {1, 2})};
  EXPECT_TRUE(Margins(Recipes(all)).empty());
  EXPECT_EQ(MarginHtml({}), "");
}

}  // namespace
}  // namespace orrery
