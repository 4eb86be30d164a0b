// Suites: cells that resume, ranks that share, dummies that score as they must.
#include "eval/suite/suite.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include <cmath>
#include <set>

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
  const fs::path cell = folder_ / "shared/cells/dummy_copy/physics-iq-pendulum/eval.json";
  ASSERT_TRUE(fs::exists(cell));
  const auto before = fs::last_write_time(cell);
  EXPECT_EQ(Metrics(RunSuite(Dummies({"dummy:copy", "dummy:noise"}), first, folder_ / "shared")), alone);
  EXPECT_EQ(fs::last_write_time(cell), before);
  EXPECT_TRUE(fs::exists(folder_ / "shared/dummy_noise/eval.json"));
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
