// Suites on recordings: plans that fit the data, dummies that score as they must, causes where a recording knows nothing.
#include "../core/error_of.h"
#include "eval/recordings/plans.h"
#include "eval/suite/suite.h"
#include "recorded.h"

#include <algorithm>
#include <cmath>

namespace orrery {
namespace {

const Metric* Find(const Evaluation& e, std::string_view id) {
  for (const Metric& m : e.metrics)
    if (m.id == id) return &m;
  return nullptr;
}

std::vector<std::unique_ptr<Subject>> Judges(std::initializer_list<const char*> names) {
  std::vector<std::unique_ptr<Subject>> subjects;
  for (const char* name : names) subjects.push_back(Judged(fmt::format("dummy:{}", name)));
  return subjects;
}

TEST_F(Recorded, DummiesScoreOnRecordingsAsTheyMust) {
  RecordSet(Set("a"), 12, 90, 24, 24);
  const SuiteOptions options{.suite = "quick", .worlds = {}, .rank = 0, .ranks = 1, .recordings = {Spec("a")}};
  const auto subjects = Judges({"copy", "frozen", "blur", "noise", "shuffle", "reverse", "random", "lag2", "ignore"});
  const auto all = RunSuite(subjects, options, folder_ / "out");
  std::map<std::string, int> rows;
  for (const SanityRow& r : SanityRows(all)) {
    EXPECT_TRUE(r.pass) << r.metric << " of " << r.dummy << ": expected " << r.expected << ", got " << r.got.value_or(NAN);
    ++rows[r.metric.substr(0, r.metric.find(' '))];
  }
  for (const char* metric : {"quality.psnr", "quality.motion-ratio", "persistence.exposure-gap", "causality.recorded-twin.recall",
                             "causality.recorded-twin.precision", "causality.recorded-twin.leak", "causality.control.delta-psnr"})
    EXPECT_GE(rows[metric], 1) << metric;
  const Metric* unknown = Find(all[0], "causality.control.delta-psnr");
  ASSERT_TRUE(unknown);
  EXPECT_NE(unknown->cause.find("nobody took this action"), std::string::npos) << unknown->cause;
  EXPECT_NE(Find(all[0], "causality.control.calibrated")->cause.find("wrong actions"), std::string::npos);
  EXPECT_TRUE(all.back().metrics.empty()) << "ignore needs a simulator";
  EXPECT_NE(all.back().protocol.at("skipped")[0].at("reason").get<std::string>().find("it needs a simulator"), std::string::npos);
}

TEST_F(Recorded, PlansFitTheEpisodesAndTooFewAreRefused) {
  RecordSet(Set("short"), 6, 45);
  RecordSet(Set("few"), 4, 45);
  std::map<std::string, int64_t> frames;
  for (const ProbePlan& plan : RecordingPlans(Spec("short"), 4)) frames[plan.probe] = plan.frames;
  EXPECT_EQ(frames.at("similarity"), 24);
  EXPECT_EQ(frames.at("drift"), 32) << "of 46 frames 8 are shown; whole windows of 8";
  EXPECT_EQ(frames.at("cost"), 32);
  EXPECT_EQ(frames.at("future-leak"), 24);
  EXPECT_FALSE(frames.contains("distribution")) << "it needs eight films and as many again that are real";
  EXPECT_NE(ErrorOf([&] { RecordingPlans(Spec("few"), 1); }).find("at least 5 episodes"), std::string::npos);
  EXPECT_NE(ErrorOf([&] { RecordingPlans(Spec("short", "validation"), 1); }).find("split=all"), std::string::npos);
}

TEST_F(Recorded, HalfOfTheEpisodesAreTheRealOnesOfADistribution) {
  RecordSet(Set("a"), 20, 45);
  const std::vector<ProbePlan> plans = RecordingPlans(Spec("a"), 1);
  const auto plan = std::find_if(plans.begin(), plans.end(), [](const ProbePlan& p) { return p.probe == "distribution"; });
  ASSERT_NE(plan, plans.end());
  EXPECT_EQ(plan->scenarios, 10);
  const auto score = [&](const char* dummy, const char* id) {
    for (Metric& m : ProbeDistribution(*Judged(dummy), *plan).metrics)
      if (m.id == id) return m;
    Fail("no {}", id);
  };
  EXPECT_GT(*score("dummy:blur", "quality.kid@F-rand").value, *score("dummy:copy", "quality.kid@F-rand").value);
  const Metric trained = score("dummy:copy", "quality.kid@F-img");
  EXPECT_FALSE(trained.value);
  EXPECT_NE(trained.cause.find("never run on this world"), std::string::npos) << trained.cause;
}

TEST_F(Recorded, ACellOfAnotherRecordingInTheSameFolderIsDoneAgain) {
  RecordSet(Set("a"), 6, 45);
  const SuiteOptions options{.suite = "quick", .worlds = {}, .rank = 0, .ranks = 1, .recordings = {Spec("a")}};
  const double before = *Find(RunSuite(Judges({"frozen"}), options, folder_ / "out")[0], "quality.psnr")->value;
  EXPECT_EQ(*Find(RunSuite(Judges({"frozen"}), options, folder_ / "out")[0], "quality.psnr")->value, before);
  std::filesystem::remove_all(Set("a"));
  RecordSet(Set("a"), 6, 45, 0, 0, "maze(size=7, height=16, width=16)");
  EXPECT_NE(*Find(RunSuite(Judges({"frozen"}), options, folder_ / "out")[0], "quality.psnr")->value, before);
}

TEST_F(Recorded, RevisitsAreScoredWhereThereAreAnyAndSaidToBeMissingElsewhere) {
  RecordSet(Set("a"), 12, 400);
  RecordSet(Set("blind"), 6, 45, 0, 0, kRecorded, false);
  ProbePlan plan;
  plan.probe = "revisit";
  plan.scenarios = 12;
  plan.frames = 64;
  plan.world = Spec("a");
  const ProbeResult copy = ProbeRevisit(*Judged("dummy:copy"), plan), random = ProbeRevisit(*Judged("dummy:random"), plan);
  ASSERT_EQ(copy.metrics.size(), 3u);
  EXPECT_EQ(copy.metrics[0].id, "persistence.revisit.gain");
  EXPECT_NEAR(copy.metrics[0].value.value(), 1, 1e-9) << copy.metrics[0].cause;
  EXPECT_NEAR(random.metrics[0].value.value(), 0, 0.3);
  EXPECT_EQ(copy.metrics[0].by.size(), 3u) << "16, 32, 64";
  EXPECT_NEAR(copy.metrics[1].value.value(), 100, 1e-9);
  EXPECT_LT(random.metrics[1].value.value(), 40);
  EXPECT_GT(copy.metrics[1].anchors.at("earlier-picture"), random.metrics[1].value.value()) << "near places look alike";
  EXPECT_NE(copy.metrics[2].cause.find("different numbers of frames"), std::string::npos);
  plan.scenarios = 1;
  EXPECT_NE(ProbeRevisit(*Judged("dummy:copy"), plan).metrics[0].cause.find("fewer than two episodes come back"), std::string::npos);
  plan.world = Spec("blind");
  for (const Metric& m : ProbeRevisit(*Judged("dummy:copy"), plan).metrics) EXPECT_NE(m.cause.find("with poses"), std::string::npos);
}

TEST_F(Recorded, ASetWithoutTwinsSaysSo) {
  RecordSet(Set("a"), 6, 45);
  ProbePlan plan;
  plan.probe = "recorded-twins";
  plan.world = Spec("a");
  const ProbeResult result = ProbeRecordedTwins(*Judged("dummy:copy"), plan);
  EXPECT_EQ(result.metrics.size(), 6u);
  for (const Metric& m : result.metrics) EXPECT_NE(m.cause.find("orrery-record --twins"), std::string::npos);
}

}  // namespace
}  // namespace orrery
