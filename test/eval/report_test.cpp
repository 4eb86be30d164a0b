// The evaluation as data and as a page.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "core/file.h"
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
