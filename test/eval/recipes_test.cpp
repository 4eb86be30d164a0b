// Runs joined, seeds grouped, numbers over seeds: against closed forms and hand-made files.
#include "eval/report/recipes.h"

#include <gtest/gtest.h>

#include <cmath>

#include "../core/error_of.h"
#include "core/rng.h"
#include "eval/report/page.h"
#include "eval/report/table.h"
#include "state/registry.h"

namespace orrery {
namespace {

namespace fs = std::filesystem;

Metric Number(const std::string& id, double value, int64_t count = 8) {
  Metric m;
  m.id = id;
  m.world = "maze";
  m.value = value;
  m.interval = Interval{value - 0.1, value + 0.1};
  m.count = count;
  m.anchors = {{"perfect", 1}};
  return m;
}

Evaluation Model(const std::string& name, const std::string& state, int seed, const std::string& hash, std::vector<Metric> metrics) {
  Evaluation e;
  e.model = {{"name", name},
             {"kind", "model"},
             {"state", state},
             {"path", "flow(mean=0)"},
             {"layout", "frame_causal"},
             {"depth", 1},
             {"rollout", {{"steps", 4}}},
             {"parameters", 5'000'000},
             {"sha256", {{"model.safetensors", hash}}},
             {"training_seed", seed}};
  e.metrics = std::move(metrics);
  return e;
}

TEST(Recipes, SeedsOfOneSpecAreOneRow) {
  const std::vector<Evaluation> all{Model("a0", "window(frames=16)", 0, "x", {Number("quality.psnr", 20)}),
                                    Model("b0", "window(frames=16) + ssm()", 0, "y", {Number("quality.psnr", 30)}),
                                    Model("a1", "window(frames=16)", 1, "z", {Number("quality.psnr", 22)})};
  const std::vector<Recipe> recipes = Recipes(all);
  ASSERT_EQ(recipes.size(), 2u);
  EXPECT_EQ(recipes[0].name, "window(frames=16)");
  ASSERT_EQ(recipes[0].runs.size(), 2u);
  EXPECT_EQ(recipes[0].runs[1]->model.at("name"), "a1");
  EXPECT_EQ(recipes[0].mechanism.kind, "sliding window");
  EXPECT_EQ(recipes[1].mechanism.kind, "hidden variable");
  EXPECT_TRUE(recipes[1].mechanism.explicit_state);
  const SeedValues psnr = ValuesOf(recipes[0], "quality.psnr", "maze");
  ASSERT_EQ(psnr.size(), 2u);
  EXPECT_EQ(psnr[1].value, 22);
}

// Two checkpoints of one seed (a longer training, say) are not two seeds.
TEST(Recipes, TheSameSeedTwiceIsTwoRows) {
  const std::vector<Evaluation> all{Model("short", "window(frames=16)", 0, "x", {}), Model("long", "window(frames=16)", 0, "y", {}),
                                    Model("other", "window(frames=16)", 1, "z", {})};
  const std::vector<Recipe> recipes = Recipes(all);
  ASSERT_EQ(recipes.size(), 3u);
  EXPECT_EQ(recipes[0].name, "window(frames=16), short");
  Evaluation axial = Model("axial", "window(frames=16)", 2, "w", {});
  axial.model["layout"] = "axial";
  EXPECT_EQ(Recipes({all[0], axial})[1].name, "window(frames=16), layout axial");
}

TEST(Recipes, RunsOfOneModelAreJoined) {
  Evaluation quick = Model("models/a", "window(frames=16)", 0, "x", {Number("quality.psnr", 20, 12), Number("quality.ssim", 0.5, 12)});
  Evaluation full = Model("./models/a", "window(frames=16)", 0, "x", {Number("quality.psnr", 21, 48), Number("cost.time-exponent", 0)});
  quick.protocol = {
      {"plans", Json::array()},
      {"failed",
       {{{"probe", "cost"}, {"world", "maze"}, {"reason", "no room"}}, {{"probe", "revisit"}, {"world", "maze"}, {"reason", "no room"}}}}};
  full.protocol = {{"plans", {{{"probe", "cost"}, {"world", "maze"}}}}, {"failed", Json::array()}};
  Metric missing;
  missing.id = "quality.ssim";
  missing.world = "maze";
  missing.cause = "none";
  full.metrics.push_back(missing);
  for (const auto& order : {std::vector{quick, full}, std::vector{full, quick}}) {
    const std::vector<Evaluation> joined = JoinRuns(order);
    ASSERT_EQ(joined.size(), 1u);
    ASSERT_EQ(joined[0].metrics.size(), 3u);
    for (const Metric& m : joined[0].metrics) {
      ASSERT_TRUE(m.value) << m.id;
      EXPECT_NE(m.id == "quality.psnr" ? *m.value : 21, 20) << "the one of more scenarios";
    }
    ASSERT_EQ(joined[0].protocol.at("failed").size(), 1u) << "what the other run has done has not failed";
    EXPECT_EQ(joined[0].protocol.at("failed")[0].at("probe"), "revisit");
  }
  EXPECT_EQ(JoinRuns({quick, Model("models/a", "window(frames=16)", 0, "other", {})}).size(), 2u) << "other weights under the same name";
}

TEST(Recipes, FoldersOfRunsAreFound) {
  const fs::path folder = fs::temp_directory_path() / fmt::format("orrery-runs-{}", ::getpid());
  SaveEvaluation(Model("b", "window(frames=16)", 0, "x", {}), folder / "b");
  SaveEvaluation(Model("a", "window(frames=16)", 1, "y", {}), folder / "a");
  SaveEvaluation(Model("cell", "window(frames=16)", 1, "y", {}), folder / "cells/a/similarity");
  const std::vector<Evaluation> all = LoadRuns({folder});
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].model.at("name"), "a");
  EXPECT_EQ(LoadRuns({folder / "b"}).size(), 1u);
  EXPECT_NE(ErrorOf([&] { LoadRuns({folder / "cells"}); }).find("eval.json"), std::string::npos);
  fs::remove_all(folder);
}

TEST(Mechanisms, AreToldFromTheirSpecs) {
  EXPECT_EQ(DescribeState("").kind, "none");
  EXPECT_EQ(DescribeState("mist(3)").kind, "unknown");
  const Mechanism window = DescribeState("window(8)"), dense = DescribeState("dense"),
                  both = DescribeState("window(8) + ssm() + retrieval.key(k=2)");
  EXPECT_EQ(window.window, 8);
  EXPECT_TRUE(window.implicit && window.bounded);
  EXPECT_EQ(dense.kind, "full attention");
  EXPECT_TRUE(dense.implicit && !dense.bounded && dense.window < 0);
  EXPECT_EQ(both.kind, "hybrid");
  EXPECT_FALSE(both.implicit || both.explicit_state);
  EXPECT_EQ(DescribeState("window(8) + retrieval.pose(k=2)").kind, "external retrieval");
  EXPECT_EQ(DescribeState("window(8) + moba(k=2)").kind, "internal retrieval");
  EXPECT_EQ(DescribeState("window(8) + framepack()").kind, "static compression");
}

// What H4 asks of measured bytes is so of the declared ones: beside a window too, whose bytes hide the slope of the whole.
TEST(Mechanisms, DeclaredBytesGrowLinearlyOrNotAtAll) {
  int growing = 0, constant = 0;
  for (const std::string& name : States().Names())
    for (const std::string& spec : {name, "window(4) + " + name}) {
      if (spec == "window(4) + dense") continue;  // keeps every frame, nothing is left for a window
      const Mechanism m = DescribeState(spec);
      const auto memory = MakeMemory(spec, MemoryGeometry{});
      const auto bytes = [&](int64_t frames) { return static_cast<double>(memory->StateBytes(frames, at::kFloat)); };
      const double last = bytes(4096) - bytes(2048), before = bytes(2048) - bytes(1024);
      if (m.bounded) {
        EXPECT_EQ(last, 0) << spec;
        constant += m.explicit_state;
      } else {
        EXPECT_NEAR(std::log2(last / before), 1, 0.1) << spec;
        ++growing;
      }
    }
  EXPECT_GT(growing, 5);
  EXPECT_GT(constant, 5);
}

SeedValues Seeds(const std::vector<std::vector<double>>& by_seed) {
  SeedValues out;
  for (const auto& scenarios : by_seed) out.push_back({Mean(scenarios), {}, scenarios});
  return out;
}

// The variance of a mean over S seeds and n scenarios is that of the seeds / S + that of the scenarios / n.
TEST(CrossedBootstrap, HasTheVarianceOfTheMean) {
  constexpr int kSeeds = 4, kScenarios = 20, kRepeats = 300;
  constexpr double kSeedSd = 1, kScenarioSd = 2;
  Rng rng(1);
  double sum = 0;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    std::vector<double> scenario(kScenarios);
    for (double& v : scenario) v = kScenarioSd * rng.Normal();
    std::vector<std::vector<double>> by_seed;
    for (int s = 0; s < kSeeds; ++s) {
      const double shift = kSeedSd * rng.Normal();
      by_seed.emplace_back();
      for (const double v : scenario) by_seed.back().push_back(v + shift);
    }
    const SeedValues seeds = Seeds(by_seed);
    const Resampled r = Resample(
        {&seeds, 1}, [](std::span<const double> m) { return m[0]; }, 300);
    double mean = Mean(r.draws), square = 0;
    for (const double d : r.draws) square += (d - mean) * (d - mean);
    sum += square / static_cast<double>(r.draws.size());
  }
  const double expected = kSeedSd * kSeedSd / kSeeds + kScenarioSd * kScenarioSd / kScenarios;
  EXPECT_NEAR(sum / kRepeats, expected, 0.1 * expected);
}

TEST(CrossedBootstrap, WhatIsCommonToScenariosCancels) {
  Rng rng(2);
  std::vector<double> a, b, c;
  for (int i = 0; i < 20; ++i) {
    a.push_back(10 * rng.Normal());
    b.push_back(a.back() + 1);
    c.push_back(10 * rng.Normal());
  }
  const auto difference = [](std::span<const double> m) { return m[1] - m[0]; };
  const Resampled paired = Resample(std::vector{Seeds({a}), Seeds({b})}, difference);
  EXPECT_NEAR(paired.value, 1, 1e-9);
  EXPECT_LT(paired.interval.high - paired.interval.low, 1e-9);
  const Resampled apart = Resample(std::vector{Seeds({a}), Seeds({c})}, difference);
  EXPECT_GT(apart.interval.high - apart.interval.low, 5);
}

TEST(CrossedBootstrap, NumbersWithAnIntervalAloneAreDrawnFromIt) {
  const SeedValues one{{3, Interval{1, 5}, {}}};
  const Resampled r = Resample({&one, 1}, [](std::span<const double> m) { return m[0]; });
  EXPECT_EQ(r.value, 3);
  EXPECT_NEAR(r.interval.low, 1, 0.15);
  EXPECT_NEAR(r.interval.high, 5, 0.15);
}

Metric Gained(double far) {
  Metric m = Number("persistence.revisit.gain", far);
  m.by["gap=0016"] = {0.9, Interval{0.8, 1}, 8};
  m.by["gap=0064"] = {far + 0.1, Interval{far, far + 0.2}, 8};
  m.by["gap=0128"] = {far - 0.1, Interval{far - 0.2, far}, 8};
  return m;
}

Metric Bytes(double at_256) {
  Metric m = Number("cost.bytes-exponent", 0);
  m.curve = Curve{{64, 256}, {1024, 1024 * at_256}, {}, {}, "frames of history", "bytes of state", true, true};
  return m;
}

MechanismTable Table() {
  const std::vector<Evaluation> all{
      Model("a0", "window(frames=16)", 0, "1", {Number("quality.psnr", 20), Gained(0.1), Bytes(100)}),
      Model("a1", "window(frames=16)", 1, "2", {Number("quality.psnr", 22), Gained(0.3), Bytes(100)}),
      Model("b", "window(frames=16) + ssm()", 0, "3", {Number("quality.psnr", 20.5), Gained(0.5), Bytes(200)}),
      Model("c", "dense()", 0, "4", {Number("quality.psnr", 19), Gained(0.6), Bytes(900)})};
  return MechanismTables(Recipes(all)).at(0);
}

TEST(MechanismTable, RowsAreRecipesAndColumnsHeadlines) {
  const MechanismTable t = Table();
  EXPECT_EQ(t.world, "maze");
  ASSERT_EQ(t.rows.size(), 3u);
  std::map<std::string, size_t> column;
  for (size_t i = 0; i < t.columns.size(); ++i) column[t.columns[i].heading] = i;
  EXPECT_EQ(column.size(), 5u) << "PSNR, gain in the window and beyond, kB at 256, bytes exponent";
  const MechanismRow& window = t.rows[0];
  EXPECT_EQ(window.seeds, 2);
  EXPECT_EQ(window.kind, "sliding window");
  EXPECT_EQ(window.dynamics, "frame_causal, flow, 4 steps");
  EXPECT_DOUBLE_EQ(*window.cells[column.at("PSNR, dB")].value, 21);
  EXPECT_LT(window.cells[column.at("PSNR, dB")].interval->low, 20.2) << "seeds differ by 2 dB";
  EXPECT_DOUBLE_EQ(*window.cells[column.at("gain in window")].value, 0.9);
  EXPECT_DOUBLE_EQ(*window.cells[column.at("gain beyond")].value, 0.2);
  EXPECT_DOUBLE_EQ(*window.cells[column.at("kB at 256")].value, 100);
  EXPECT_FALSE(window.cells[column.at("kB at 256")].interval.has_value());
  EXPECT_EQ(std::count_if(t.notes.begin(), t.notes.end(), [](const std::string& n) { return n.find("1 seed") != std::string::npos; }), 1);
}

// PSNR and bytes are headlines here: the window is best in both, so nothing else is on the front.
TEST(MechanismTable, ParetoMarksWhatNothingBeats) {
  MechanismTable t = Table();
  EXPECT_TRUE(t.rows[0].pareto);
  EXPECT_FALSE(t.rows[1].pareto);
  EXPECT_FALSE(t.rows[2].pareto);
}

TEST(MechanismTable, IsShownAsTextAndPage) {
  const std::vector<MechanismTable> tables{Table()};
  const std::string text = TableText(tables), html = TableHtml(tables);
  for (const char* shown : {"maze\n", "persistence", "* window(frames=16)", "gain beyond", "0.2 ["})
    EXPECT_NE(text.find(shown), std::string::npos) << shown << "\n" << text;
  for (const char* shown : {"<table class=\"mechanisms\">", "hidden variable", "<svg", "kB of state after 256 frames", "◆"})
    EXPECT_NE(html.find(shown), std::string::npos) << shown;
  size_t points = 0;
  for (size_t at = html.find("<circle"); at != std::string::npos; at = html.find("<circle", at + 1)) ++points;
  EXPECT_EQ(points, 3u);
  const Json json = TableJson(tables);
  EXPECT_EQ(json[0]["rows"][0]["cells"]["PSNR, dB"]["value"], 21.0);
  EXPECT_EQ(json[0]["rows"][0]["pareto"], true);
}

TEST(ReportPage, FailedProbesStandInRedOnTop) {
  Evaluation e = Model("a", "window(frames=16)", 0, "x", {Number("quality.psnr", 20)});
  EXPECT_EQ(ReportPage({e}).find("id=\"failed\""), std::string::npos);
  e.protocol["failed"] = {{{"probe", "revisit"}, {"world", "maze"}, {"reason", "no room for <this>"}}};
  const std::string page = ReportPage({e});
  EXPECT_NE(page.find("<div class=\"banner\" id=\"failed\">1 probe ended in an error"), std::string::npos);
  EXPECT_NE(page.find("revisit on maze: no room for &lt;this&gt;"), std::string::npos);
}

// Curves of long films carry the survey's two landmarks, short ones do not.
TEST(ReportPage, LongFilmsHaveTheirLandmarks) {
  const auto page = [](double last) {
    Metric m = Number("persistence.collapse.survival", 0.5);
    m.curve = Curve{{0, last / 2, last}, {1, 0.7, 0.5}, {}, {}, "imagined frames", "share of films that last"};
    return ReportPage({Model("a", "window(frames=16)", 0, "x", {m})});
  };
  EXPECT_NE(page(2048).find(">600</text>"), std::string::npos);
  EXPECT_NE(page(2048).find(">1800</text>"), std::string::npos);
  EXPECT_EQ(page(1024).find(">1800</text>"), std::string::npos);
  EXPECT_EQ(page(256).find("class=\"marker\""), std::string::npos);
}

}  // namespace
}  // namespace orrery
