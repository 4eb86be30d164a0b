// The evaluation as data and as a page.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "core/file.h"
#include "eval/report/axes.h"
#include "eval/report/chart.h"
#include "eval/report/page.h"

namespace orrery {
namespace {

namespace fs = std::filesystem;

Metric Sound() {
  Metric m;
  m.id = "causality.twin.cne";
  m.world = "dominoes";
  m.direction = "lower";
  m.lowest = 0;
  m.value = 0.25;
  m.interval = Interval{0.2, 0.3};
  m.method = "cluster-bootstrap-2000";
  m.count = 12;
  m.anchors = {{"perfect", 0}, {"ignore", 1}};
  m.by["intervention=remove"] = {0.5, Interval{0.4, 0.6}, 6};
  m.per_scenario = {0.1, 0.4};
  m.curve = Curve{{1, 2, 3}, {0.1, 0.2, 0.3}, {0, 0.1, 0.2}, {0.2, 0.3, 0.4}, "frames", "error"};
  m.notes = {"effects < 1 px & more are left out"};
  return m;
}

Evaluation Whole() {
  Evaluation e;
  e.run = {{"id", "r1"}, {"seed", 3}};
  e.model = {{"name", "dummy:copy"}, {"kind", "dummy"}};
  e.protocol = {{"context", 8}};
  e.metrics = {Sound()};
  Metric missing;
  missing.id = "quality.fvd";
  missing.world = "dominoes";
  missing.cause = "5 clips are fewer than the 64 features";
  e.metrics.push_back(missing);
  e.sanity = {{"causality.twin.cne", "ignore", "= 1", 1.0, true}};
  e.claims = {{"H6", "causal masks leak nothing", "paired-bootstrap", 0.0, std::nullopt, Interval{-0.1, 0.1}, "undecided", "one seed"}};
  e.strips = {{"dominoes seed 4", "worst", "\x89PNG-bytes"}};
  return e;
}

std::string MessageOf(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(Report, AnEvaluationSurvivesTheDisk) {
  const fs::path folder = fs::temp_directory_path() / fmt::format("orrery-report-{}", ::getpid());
  Evaluation e = Whole();
  e.extra["later"] = {{"field", 1}};
  SaveEvaluation(e, folder);
  const Evaluation back = LoadEvaluation(folder);
  EXPECT_EQ(ToJson(back).dump(), ToJson(e).dump());
  EXPECT_EQ(back.strips[0].png, e.strips[0].png);
  EXPECT_EQ(back.extra["later"]["field"], 1);
  EXPECT_FALSE(back.metrics[1].value.has_value());
  fs::remove_all(folder);
}

TEST(Report, AnotherSchemaIsRefusedWithTheReason) {
  Json json = ToJson(Whole());
  json["schema"] = "orrery.eval/2";
  const std::string message = MessageOf([&] { EvaluationFromJson(json, "x/eval.json"); });
  EXPECT_NE(message.find("x/eval.json"), std::string::npos);
  EXPECT_NE(message.find("orrery.eval/1"), std::string::npos);
  EXPECT_NE(message.find("orrery.eval/2"), std::string::npos);
  json["schema"] = "orrery.eval/1";
  json["metrics"][0].erase("n");
  EXPECT_NE(MessageOf([&] { EvaluationFromJson(json, "x"); }).find("not a whole evaluation"), std::string::npos);
}

TEST(Report, BrokenRulesAreNamed) {
  const auto broken = [](const std::function<void(Metric&)>& damage) {
    Metric m = Sound();
    damage(m);
    return MessageOf([&] { Check(m); });
  };
  EXPECT_EQ(broken([](Metric&) {}), "");
  EXPECT_NE(broken([](Metric& m) { m.value = std::nan(""); }).find("not a finite number"), std::string::npos);
  EXPECT_NE(broken([](Metric& m) { m.per_scenario[1] = std::numeric_limits<double>::infinity(); }).find("not a finite"), std::string::npos);
  EXPECT_NE(broken([](Metric& m) { m.value.reset(); }).find("no cause"), std::string::npos);
  EXPECT_NE(broken([](Metric& m) { m.anchors.clear(); }).find("anchors"), std::string::npos);
  EXPECT_NE(broken([](Metric& m) { m.interval.reset(); }).find("interval"), std::string::npos);
  EXPECT_NE(broken([](Metric& m) { m.count = 0; }).find("0 scenarios"), std::string::npos);
  EXPECT_NE(broken([](Metric& m) { m.curve->y.pop_back(); }).find("differ in length"), std::string::npos);
  EXPECT_NE(broken([](Metric& m) { m.id = "fid"; }).find("begins with"), std::string::npos);
}

TEST(Report, ThePageStandsAloneAndShowsEverything) {
  const std::string page = ReportPage({Whole()});
  for (const char* outside : {"http://", "https://", "<script", "src=\"/", "@import"}) {
    size_t at = page.find(outside);
    while (at != std::string::npos && page.compare(at, 27, "http://www.w3.org/2000/svg\"") == 0) at = page.find(outside, at + 1);
    EXPECT_EQ(at, std::string::npos) << outside;
  }
  for (const char* shown : {"causality.twin.cne", "quality.fvd", "5 clips are fewer", "All 1 sanity checks hold", "undecided",
                            "intervention=remove", "effects &lt; 1 px &amp; more", "<svg", "data:image/png;base64,iVBORy1ieXRlcw=="})
    EXPECT_NE(page.find(shown), std::string::npos) << shown;
}

TEST(Report, AFailingSanityRowTurnsTheBannerRed) {
  Evaluation e = Whole();
  EXPECT_EQ(ReportPage({e}).find("class=\"banner\""), std::string::npos);
  e.sanity.push_back({"quality.psnr", "blur", "< copy", 100.0, false});
  const std::string page = ReportPage({e});
  EXPECT_NE(page.find("class=\"banner\""), std::string::npos);
  EXPECT_NE(page.find("1 of 2 sanity checks failed"), std::string::npos);
}

TEST(Report, SeveralSubjectsStandSideBySide) {
  Evaluation a = Whole(), b = Whole();
  b.model["name"] = "dummy:ignore";
  b.metrics[0].value = 1;
  b.metrics[0].interval = Interval{0.9, 1.1};
  const std::string page = ReportPage({a, b});
  EXPECT_NE(page.find("<th>dummy:copy</th><th>dummy:ignore</th>"), std::string::npos);
  EXPECT_NE(page.find("0.9 to 1.1"), std::string::npos);
}

Metric Of(const char* id, double value, std::map<std::string, double> anchors, const char* direction = "higher") {
  Metric m;
  m.id = id;
  m.world = "maze";
  m.value = value;
  m.interval = Interval{value - 0.1, value + 0.1};
  m.count = 8;
  m.anchors = std::move(anchors);
  m.direction = direction;
  return m;
}

TEST(Axes, AScoreLiesBetweenWhoKnowsNothingAndTheBest) {
  EXPECT_DOUBLE_EQ(*AnchoredScore(Of("quality.ssim", 0.7, {{"perfect", 1}, {"frozen", 0.4}})), 0.5);
  EXPECT_DOUBLE_EQ(*AnchoredScore(Of("causality.twin.cne", 0.25, {{"perfect", 0}, {"ignore", 1}}, "lower")), 0.75);
  EXPECT_DOUBLE_EQ(*AnchoredScore(Of("causality.x", 0.1, {{"perfect", 1}, {"ignore", 0.2}})), 0) << "worse than knowing nothing";
  EXPECT_DOUBLE_EQ(*AnchoredScore(Of("persistence.x", 0.9, {{"perfect", 1}, {"constant", 0.6}, {"single-frame", 0.8}})), 0.5)
      << "the better of those who know nothing is the measure";
  EXPECT_DOUBLE_EQ(*AnchoredScore(Of("cost.time-exponent", 0.25, {{"constant", 0}, {"linear", 1}}, "lower")), 0.75);
  EXPECT_FALSE(AnchoredScore(Of("persistence.x", 0.1, {{"constant", 0}, {"real", 0.2}}, "lower"))) << "ends that contradict the direction";
  EXPECT_FALSE(AnchoredScore(Of("quality.psnr", 20, {{"perfect", 100}})));
  Metric missing = Of("quality.ssim", 0, {{"perfect", 1}, {"frozen", 0}});
  missing.value.reset();
  EXPECT_FALSE(AnchoredScore(missing));
}

TEST(Axes, EveryProbeCountsOnce) {
  Evaluation e = Whole();
  e.metrics = {Of("causality.rules.a", 1, {{"perfect", 1}, {"worst", 0}}), Of("causality.rules.b", 0.7, {{"perfect", 1}, {"worst", 0}}),
               Of("causality.twin.remove.cne", 0.5, {{"perfect", 0}, {"ignore", 1}}, "lower")};
  e.metrics.push_back(e.metrics.back());
  e.metrics.back().world = "dominoes";
  e.metrics.back().value = 1;
  const auto axes = AxisScores(e);
  EXPECT_DOUBLE_EQ(*axes[2].score, (0.85 + 0.25) / 2);
  EXPECT_EQ(axes[2].metrics, 3);
  EXPECT_FALSE(axes[0].score);
  const std::string chart = AxesChart({e, Whole()});
  EXPECT_NE(chart.find("causality: 0.55"), std::string::npos) << chart;
  EXPECT_NE(chart.find("not measured"), std::string::npos);
  e.metrics.clear();
  EXPECT_EQ(AxesChart({e}), "");
}

// Three subjects with KID on two nets.
std::vector<Evaluation> Ranked(std::array<double, 3> trained, std::array<double, 3> random) {
  std::vector<Evaluation> all(3, Whole());
  for (size_t i = 0; i < 3; ++i) {
    all[i].model["name"] = fmt::format("m{}", i);
    all[i].metrics = {Of("quality.kid@F-img", trained[i], {{"real", 0}}, "lower"),
                      Of("quality.kid@F-rand", random[i], {{"real", 0}}, "lower")};
  }
  return all;
}

TEST(Axes, OpposedRanksOfNetsAreFlaggedWhenBothAreSure) {
  const auto alike = NetAgreements(Ranked({1, 2, 3}, {10, 20, 30}));
  ASSERT_EQ(alike.size(), 1u);
  EXPECT_EQ(alike[0].spearman, 1);
  EXPECT_TRUE(alike[0].opposed.empty());
  const auto opposed = NetAgreements(Ranked({1, 2, 3}, {20, 10, 30}));
  EXPECT_EQ(opposed[0].spearman, 0.5);
  EXPECT_EQ(opposed[0].opposed, (std::vector<std::pair<std::string, std::string>>{{"m0", "m1"}}));
  EXPECT_TRUE(NetAgreements(Ranked({1, 2, 3}, {10.15, 10, 30}))[0].opposed.empty()) << "within the intervals";
  EXPECT_TRUE(NetAgreements({Ranked({1, 2, 3}, {1, 2, 3})[0]}).empty()) << "two subjects at least have to be left";
  EXPECT_NE(ReportPage(Ranked({1, 2, 3}, {20, 10, 30})).find("<td class=\"fail\">m0 before m1"), std::string::npos);
}

TEST(Chart, AFittedLineIsDashedAndItsPointsStandAlone) {
  Evaluation e = Whole();
  e.metrics[0].curve = Curve{{0, 1, 2}, {1, 2.2, 2.8}, {}, {}, "1 / N", "distance", false, false, {1, 2, 3}};
  const std::string page = ReportPage({e});
  EXPECT_NE(page.find("class=\"fit\""), std::string::npos);
  EXPECT_EQ(EvaluationFromJson(ToJson(e), "a test").metrics[0].curve->fit, e.metrics[0].curve->fit);
  e.metrics[0].curve->fit.pop_back();
  EXPECT_THROW(Check(e.metrics[0]), Error);
}

TEST(Chart, TicksAreRoundNumbersWithinTheAxis) {
  EXPECT_EQ(AxisTicks(0, 10, false), (std::vector<double>{0, 2, 4, 6, 8, 10}));
  EXPECT_EQ(AxisTicks(1, 10000, true), (std::vector<double>{1, 10, 100, 1000, 10000}));
  EXPECT_EQ(AxisTicks(1, 10, true), (std::vector<double>{1, 2, 5, 10}));
}

TEST(Chart, PointsLieWhereTheAxesSay) {
  const std::string svg = LineChart({{"a", {0, 10}, {0, 1}}}, {.title = "t", .x_label = "x", .y_label = "y"});
  // 62 px left, 446 right; the range 0..10 has 5 % room on each side: 0 lies at 62 + 384 * 0.5 / 11.
  EXPECT_NE(svg.find("79.5,"), std::string::npos) << svg;
  EXPECT_NE(svg.find("428.5,"), std::string::npos) << svg;
  EXPECT_NE(LineChart({}, {}).find("no points"), std::string::npos);
  EXPECT_NE(LineChart({{"a", {-1, 0}, {1, 1}}}, {.log_x = true}).find("no points"), std::string::npos);
}

TEST(Chart, Base64MatchesTheStandardsExamples) {  // RFC 4648, section 10
  EXPECT_EQ(Base64(""), "");
  EXPECT_EQ(Base64("f"), "Zg==");
  EXPECT_EQ(Base64("fo"), "Zm8=");
  EXPECT_EQ(Base64("foo"), "Zm9v");
  EXPECT_EQ(Base64("foobar"), "Zm9vYmFy");
}

}  // namespace
}  // namespace orrery
