// Planning tasks: neither trivial nor impossible, and the score of a plan is that of doing it.
#include "eval/planning/task.h"

#include <gtest/gtest.h>

#include "eval/suite/planning_probe.h"

namespace orrery {
namespace {

constexpr int64_t kContext = 8;

class Tasks : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Planning, Tasks, testing::Values("maze", "billiards(balls=3, speed=0)"));

TEST_P(Tasks, TheTruthSolvesWhatBlindPlansDoNot) {
  const PlanningTask& task = TaskOf(GetParam());
  int64_t oracle = 0, blind = 0;
  constexpr int64_t kEpisodes = 60;
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
  Rng rng(3);
  const std::vector<ActionPlan> plans = task.propose(rng);
  const auto world = ContextEnd(episode.start);
  const std::string before = world->Snapshot();
  const std::vector<double> scores = ScorePlans(*world, *episode.goal, plans);
  EXPECT_EQ(world->Snapshot(), before);
  for (size_t i = 0; i < plans.size(); i += 7) {
    const auto fresh = ContextEnd(episode.start);
    for (const auto& action : plans[i]) fresh->Step(action);
    EXPECT_EQ(scores[i], episode.goal->Score(*fresh)) << i;
  }
}

TEST(Planning, AKnownWayReachesThePicture) {
  const PlanningEpisode episode = TaskOf("maze").make("maze", 12, kContext);
  Rng rng(12, "goal");
  bool found = false;  // the way is one of the candidates, and the score of its end is the best there is
  const auto world = ContextEnd(episode.start);
  for (const double score : ScorePlans(*world, *episode.goal, TaskOf("maze").propose(rng))) found = found || score == 0;
  EXPECT_TRUE(found);
  EXPECT_GT(*episode.known, 0);
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
}

TEST(Planning, OtherWorldsHaveNoTask) { EXPECT_THROW(TaskOf("pendulum"), Error); }

}  // namespace
}  // namespace orrery
