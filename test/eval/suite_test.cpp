// Suites: cells that resume, ranks that share, dummies that score as they must.
#include "eval/suite/suite.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include <algorithm>
#include <cmath>
#include <set>

#include "../core/error_of.h"
#include "eval/dummies/registry.h"
#include "worlds/scene.h"

namespace orrery {
namespace {

namespace fs = std::filesystem;

class Suite : public testing::Test {
 protected:
  void SetUp() override { fs::remove_all(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  std::vector<std::unique_ptr<Subject>> Dummies(std::initializer_list<const char*> names) const {
    std::vector<std::unique_ptr<Subject>> subjects;
    for (const char* name : names) subjects.push_back(std::move(MakeSubjects(name).front()));
    return subjects;
  }
  static SuiteOptions Small() { return {.suite = "quick", .worlds = {"pendulum"}, .rank = 0, .ranks = 1}; }
  static std::string Metrics(const std::vector<Evaluation>& all) {
    std::string text;
    for (const Evaluation& e : all) text += ToJson(e).at("metrics").dump();
    return text;
  }

  fs::path folder_ = fs::temp_directory_path() / fmt::format("orrery-suite-{}", ::getpid());
};

TEST_F(Suite, DummiesScoreAsTheyMust) {
  const auto all = RunSuite(Dummies({"dummy:copy", "dummy:take2", "dummy:frozen", "dummy:noise", "dummy:blur"}), Small(), folder_);
  const std::vector<SanityRow> rows = SanityRows(all);
  EXPECT_GT(rows.size(), 15u);
  for (const SanityRow& r : rows)
    EXPECT_TRUE(r.pass) << r.metric << " of " << r.dummy << ": expected " << r.expected << ", got " << r.got.value_or(NAN);
}

TEST_F(Suite, RulesNameDummiesThatThereAreAndSayWhichWereNotAsked) {
  const std::vector<std::string> names = orrery::Dummies().Names();
  const std::vector<std::string> all = UnansweredRules({});
  EXPECT_GT(all.size(), 100u);
  for (const std::string& rule : all)
    EXPECT_TRUE(std::find(names.begin(), names.end(), rule.substr(rule.find(" of ") + 4)) != names.end()) << rule;
  const std::vector<std::string> left = UnansweredRules({{"quality.psnr (maze)", "copy", "100 dB", 100, true}});
  EXPECT_EQ(left.size(), all.size() - 1);
  EXPECT_EQ(std::count(left.begin(), left.end(), "quality.psnr of copy"), 0);
}

TEST_F(Suite, ADummyUnderAFalseNameIsFound) {
  std::vector<Evaluation> all = RunSuite(Dummies({"dummy:copy", "dummy:frozen"}), Small(), folder_);
  all[0].model["name"] = "dummy:frozen";
  all[1].model["name"] = "dummy:copy";
  int failed = 0;
  for (const SanityRow& r : SanityRows(all)) failed += !r.pass;
  EXPECT_GT(failed, 5);
}

TEST_F(Suite, FinishedCellsAreKeptAndRanksChangeNoDigit) {
  const std::string alone = Metrics(RunSuite(Dummies({"dummy:copy", "dummy:noise"}), Small(), folder_ / "alone"));
  SuiteOptions first = Small(), second = Small();
  first.ranks = second.ranks = 2;
  second.rank = 1;
  EXPECT_TRUE(RunSuite(Dummies({"dummy:copy", "dummy:noise"}), second, folder_ / "shared").empty());
  const fs::path cell = folder_ / "shared/cells/dummy_copy/physics-iq-pendulum-kick/eval.json";
  ASSERT_TRUE(fs::exists(cell));
  const auto before = fs::last_write_time(cell);
  EXPECT_EQ(Metrics(RunSuite(Dummies({"dummy:copy", "dummy:noise"}), first, folder_ / "shared")), alone);
  EXPECT_EQ(fs::last_write_time(cell), before);
  EXPECT_TRUE(fs::exists(folder_ / "shared/dummy_noise/eval.json"));
}

// A finished cell of another probe version, plan or subject is done again.
TEST_F(Suite, CellsOfSomethingElseAreDoneAgain) {
  const auto copy = Dummies({"dummy:copy"});
  RunSuite(copy, Small(), folder_);
  const fs::path kept = folder_ / "cells/dummy_copy/physics-iq-pendulum-kick", spoilt = folder_ / "cells/dummy_copy/similarity-pendulum";
  Evaluation e = LoadEvaluation(spoilt);
  const std::string right = ToJson(e).at("metrics").dump();
  for (const char* what : {"/probe_version", "/subject/kind", "/plan/seed"}) {
    e = LoadEvaluation(spoilt);
    ASSERT_TRUE(e.run.at("key").contains(Json::json_pointer(what)));
    e.run["key"][Json::json_pointer(what)] = "another";
    e.metrics.clear();
    SaveEvaluation(e, spoilt);
    const auto before = fs::last_write_time(kept / "eval.json");
    EXPECT_EQ(RunSuite(copy, Small(), folder_)[0].metrics.empty(), false);
    EXPECT_EQ(ToJson(LoadEvaluation(spoilt)).at("metrics").dump(), right) << what;
    EXPECT_EQ(fs::last_write_time(kept / "eval.json"), before) << "the others stay";
  }
}

// The truth, which can be asked of short films alone.
class Brittle : public Subject {
 public:
  explicit Brittle(bool mended = false) : mended_(mended) {}
  std::string Name() const override { return "brittle"; }
  SubjectKind Kind() const override { return SubjectKind::kDummy; }
  std::string Unfit(const Scenario&) const override { return ""; }
  std::unique_ptr<World> Begin(const Scenario& s, uint64_t) const override {
    if (s.Last() > 100 && !mended_) Fail("films of {} frames are too long\nfor it", s.Last());
    if (s.Last() > 80 && !mended_) throw std::logic_error("a bug");
    return ContextEnd(s);
  }

 private:
  bool mended_;
};

TEST_F(Suite, AnErrorOfOneProbeEndsNoRun) {
  std::vector<std::unique_ptr<Subject>> subjects = Dummies({"dummy:copy"});
  subjects.push_back(std::make_unique<Brittle>());
  SuiteOptions options = Small();
  options.probes = {"similarity", "laws"};
  const auto all = RunSuite(subjects, options, folder_);
  const Json& failed = all[1].protocol.at("failed");
  ASSERT_GE(failed.size(), 2u);
  std::set<std::string> reasons;
  for (const Json& cell : failed) {
    EXPECT_EQ(cell.at("probe"), "laws");
    reasons.insert(cell.at("reason"));
  }
  EXPECT_TRUE(reasons.contains("films of 157 frames are too long")) << failed.dump();
  EXPECT_TRUE(reasons.contains("internal error: a bug")) << failed.dump();
  EXPECT_TRUE(all[0].protocol.at("failed").empty());
  // Every number that the other subject has is there, null with the cause.
  ASSERT_EQ(all[1].metrics.size(), all[0].metrics.size());
  int null = 0;
  for (size_t i = 0; i < all[1].metrics.size(); ++i) {
    const Metric& m = all[1].metrics[i];
    EXPECT_EQ(m.id, all[0].metrics[i].id);
    EXPECT_TRUE(m.value || !m.id.starts_with("quality.")) << m.id;
    null += !m.value && reasons.contains(m.cause);
  }
  EXPECT_GE(null, 2);
  // It is tried again, and what went well is kept.
  const fs::path kept = folder_ / "cells/brittle/similarity-pendulum/eval.json";
  const auto before = fs::last_write_time(kept);
  subjects[1] = std::make_unique<Brittle>(true);
  EXPECT_TRUE(RunSuite(subjects, options, folder_)[1].protocol.at("failed").empty());
  EXPECT_EQ(fs::last_write_time(kept), before);
}

TEST_F(Suite, ProbesCanBeChosen) {
  SuiteOptions options = Small();
  options.probes = {"similarity"};
  const auto all = RunSuite(Dummies({"dummy:copy"}), options, folder_);
  for (const Metric& m : all[0].metrics) EXPECT_TRUE(m.id.starts_with("quality.")) << m.id;
  options.probes = {"similarty"};
  EXPECT_NE(ErrorOf([&] { RunSuite(Dummies({"dummy:copy"}), options, folder_); }).find("did you mean 'similarity'"), std::string::npos);
  options.probes = {"revisit"};
  EXPECT_NE(ErrorOf([&] { RunSuite(Dummies({"dummy:copy"}), options, folder_); }).find("among the probes asked for"), std::string::npos);
}

TEST_F(Suite, ScenesGiveWorldsWaysAndSeeds) {
  const ProbePlan plan = ScenePlan("self-consistency", "maze-loop", 2, 0);
  const std::vector<Scenario> scenarios = MakeScenarios(plan);
  const Scene scene = LoadScene("scenes/maze-loop.json");
  for (int64_t i = 0; i < 2; ++i) {
    const StagedScene staged = StageScene(scene, i);
    EXPECT_EQ(scenarios[static_cast<size_t>(i)].seed, staged.seed);
    EXPECT_EQ(scenarios[static_cast<size_t>(i)].actions, staged.trajectory.actions);
    EXPECT_EQ(scenarios[static_cast<size_t>(i)].context, scene.context);
  }
  EXPECT_EQ(plan.Name(), "self-consistency-maze-loop");
  EXPECT_THROW(ScenePlan("twins", "maze-lop", 2, 0), Error);
}

TEST_F(Suite, WhatDoesNotFitIsSkippedWithTheReason) {
  const auto all = RunSuite(Dummies({"dummy:passthru"}), Small(), folder_);
  EXPECT_TRUE(all[0].metrics.empty());
  ASSERT_FALSE(all[0].protocol.at("skipped").empty());
  EXPECT_FALSE(all[0].protocol.at("skipped")[0].at("reason").get<std::string>().empty());
}

TEST_F(Suite, WrongNamesAreRefused) {
  EXPECT_THROW(SuitePlans("fast"), Error);
  SuiteOptions options = Small();
  options.worlds = {"mars"};
  EXPECT_THROW(RunSuite(Dummies({"dummy:copy"}), options, folder_), Error);
}

TEST_F(Suite, EveryPlanNamesAProbeAndACellOfItsOwn) {
  for (const char* suite : {"quick", "full"}) {
    std::set<std::string> names;
    for (const ProbePlan& plan : SuitePlans(suite)) {
      EXPECT_NO_THROW(Probes().Find(plan.probe));
      EXPECT_TRUE(names.insert(plan.Name()).second) << plan.Name();
    }
  }
}

TEST(LauncherRank, ReadsWhatLaunchersSet) {
  EXPECT_EQ(LauncherRank(), (std::pair<int64_t, int64_t>{0, 1}));
  ::setenv("OMPI_COMM_WORLD_RANK", "1", 1);
  ::setenv("OMPI_COMM_WORLD_SIZE", "4", 1);
  EXPECT_EQ(LauncherRank(), (std::pair<int64_t, int64_t>{1, 4}));
  ::unsetenv("OMPI_COMM_WORLD_RANK");
  ::unsetenv("OMPI_COMM_WORLD_SIZE");
}

}  // namespace
}  // namespace orrery
