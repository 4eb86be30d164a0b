// Planning tasks: neither trivial nor impossible, and the score of a plan is that of doing it.
#include "eval/planning/task.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "eval/suite/planning_probe.h"

namespace orrery {
namespace {

constexpr int64_t kContext = 8;

class Tasks : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Planning, Tasks, testing::Values("maze", "billiards(balls=3, speed=0)", "dominoes(count=8)", "keys", "pair"));

TEST_P(Tasks, TheTruthSolvesWhatBlindPlansDoNot) {
  const PlanningTask& task = TaskOf(GetParam());
  int64_t oracle = 0, blind = 0;
  constexpr int64_t kEpisodes = 40;
  for (uint64_t i = 0; i < kEpisodes; ++i) {
    const PlanningEpisode episode = task.make(GetParam(), 5'000 + i, kContext);
    oracle += RunPlanned(task, episode, i, ContextEnd).reached;
    blind += RunPlanned(task, episode, i, {}).reached;
  }
  EXPECT_GE(oracle, 0.95 * kEpisodes) << blind;
  EXPECT_LE(blind, 0.3 * kEpisodes) << oracle;
}

// Against plans done one by one from a fresh world.
TEST_P(Tasks, SharedBeginningsChangeNoScore) {
  const PlanningTask& task = TaskOf(GetParam());
  const PlanningEpisode episode = task.make(GetParam(), 77, kContext);
  const auto world = ContextEnd(episode.start);
  const std::vector<ActionPlan> plans = Candidates(task, *world, 3, 0);
  const std::string before = world->Snapshot();
  const std::vector<double> scores = ScorePlans(*world, *episode.goal, plans);
  EXPECT_EQ(world->Snapshot(), before);
  for (size_t i = 0; i < plans.size(); i += 7) {
    const auto fresh = ContextEnd(episode.start);
    for (const auto& action : plans[i]) fresh->Step(action);
    EXPECT_EQ(scores[i], episode.goal->Score(*fresh, fresh->Objects())) << i;
  }
}

// The expert's way does what is asked, in the steps that are known, and idle actions do not undo it.
TEST_P(Tasks, AKnownWayReachesTheGoal) {
  const PlanningTask& task = TaskOf(GetParam());
  for (uint64_t seed = 0; seed < 8; ++seed) {
    const PlanningEpisode episode = task.make(GetParam(), 900 + seed, kContext);
    if (!episode.known) continue;
    const auto world = ContextEnd(episode.start);
    for (int64_t t = 0; t < *episode.known; ++t) {
      EXPECT_FALSE(episode.goal->Reached(*world)) << seed << " " << t;
      world->Step(episode.expert[static_cast<size_t>(t)]);
    }
    EXPECT_TRUE(episode.goal->Reached(*world)) << seed;
    EXPECT_GT(*episode.known, 0);
    EXPECT_LE(*episode.known, task.steps);
  }
}

// More slips, less worth: the order that a subject is asked to find.
TEST_P(Tasks, PoliciesAreOfGradedWorth) {
  const PlanningTask& task = TaskOf(GetParam());
  constexpr int64_t kEpisodes = 40;
  std::array<double, kPolicies> worth{}, reached{};
  for (uint64_t i = 0; i < kEpisodes; ++i) {
    const PlanningEpisode episode = task.make(GetParam(), 7'000 + i, kContext);
    const auto world = ContextEnd(episode.start);
    const ActionPlan expert = episode.expert.empty() ? RunPlanned(task, episode, i, ContextEnd).done : episode.expert;
    const std::vector<ActionPlan> plans = PolicyPlans(task, expert, world->Facts().actions, i);
    const std::vector<double> scores = ScorePlans(*world, *episode.goal, plans);
    for (size_t p = 0; p < kPolicies; ++p) {
      worth[p] += scores[p] / kEpisodes;
      const auto truth = ContextEnd(episode.start);
      for (const auto& action : plans[p]) {
        truth->Step(action);
        if (episode.goal->Spoilt(*truth)) break;
        if (!episode.goal->Reached(*truth)) continue;
        ++reached[p];
        break;
      }
    }
  }
  for (size_t p = 1; p < kPolicies; ++p) EXPECT_LT(worth[p], worth[p - 1]) << p;
  EXPECT_GE(reached.front(), 0.95 * kEpisodes);
  EXPECT_LE(reached.back(), 0.3 * kEpisodes);
}

// A grid that is seen whole has its objects read off the picture: the same scores as from the objects themselves.
TEST(Planning, ScoresOfTilesAreReadOffThePicture) {
  for (const char* world : {"keys", "pair"}) {
    const PlanningTask& task = TaskOf(world);
    const PlanningEpisode episode = task.make(world, 31, kContext);
    const auto begun = ContextEnd(episode.start);
    const std::vector<ActionPlan> plans = Candidates(task, *begun, 5, 0);
    const auto reader = ReaderOf(task, *begun);
    ASSERT_TRUE(reader);
    EXPECT_EQ(ScorePlans(*begun, *episode.goal, plans, reader.get()), ScorePlans(*begun, *episode.goal, plans)) << world;
  }
  std::string cause;
  EXPECT_FALSE(ReaderOf(TaskOf("billiards"), *ContextEnd({"billiards", 1, 1, {}, "", 0, 0}), &cause));
  EXPECT_NE(cause.find("bodies"), std::string::npos);
  EXPECT_FALSE(ReaderOf(TaskOf("maze"), *ContextEnd({"maze", 1, 1, {}, "", 0, 0})));
}

TEST(Planning, ADoorIsHalfOpenWithItsKey) {
  const PlanningEpisode episode = TaskOf("keys").make("keys", 4, kContext);
  const auto world = ContextEnd(episode.start);
  const auto score = [&] { return episode.goal->Score(*world, world->Objects()); };
  EXPECT_LE(score(), 0);
  for (size_t t = 0; t + 1 < episode.expert.size(); ++t) world->Step(episode.expert[t]);
  EXPECT_GT(score(), 0);  // before the door, key in hand
  EXPECT_LT(score(), 0.5);
  world->Step(episode.expert.back());
  EXPECT_EQ(score(), 1);
  EXPECT_EQ(episode.goal->Score(*world, {}), -1);  // nothing was recognised
}

TEST(Planning, ReturnCountsSteps) {
  PlannedEpisode episode;
  episode.steps = 12;
  EXPECT_EQ(episode.Return(48), 0);
  episode.reached = true;
  EXPECT_EQ(episode.Return(48), 0.875);
}

TEST(Planning, RegretIsNoneForTheTruthAndAllForFrozenPictures) {
  ProbePlan plan;
  plan.probe = "planning";
  plan.world = "maze";
  plan.scenarios = 6;
  plan.frames = 24;
  const auto value = [&](const char* subject, const char* name) {
    for (const Metric& m : ProbePlanning(*MakeSubjects(subject)[0], plan).metrics)
      if (m.id == std::string("causality.planning.picture.") + name) return m.value.value_or(-99);
    return -99.0;
  };
  EXPECT_NEAR(value("truth", "regret"), 0, 1e-12);
  EXPECT_NEAR(value("truth", "fidelity-spearman"), 1, 1e-12);
  EXPECT_NEAR(value("dummy:frozen", "regret"), 1, 1e-12);
  EXPECT_NEAR(value("dummy:frozen", "fidelity-spearman"), 0, 1e-12);
  EXPECT_NEAR(value("truth", "policy-kendall"), 1, 1e-12);
  EXPECT_NEAR(value("truth", "policy-violation"), 0, 1e-12);
  EXPECT_NEAR(value("dummy:frozen", "policy-kendall"), 0, 1e-12);
  EXPECT_GT(value("dummy:frozen", "policy-violation"), 0);
}

TEST(Planning, OtherWorldsHaveNoTask) { EXPECT_THROW(TaskOf("pendulum"), Error); }

}  // namespace
}  // namespace orrery
