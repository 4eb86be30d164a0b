// Rules of the rooms and actions read off films: by hand, and on dummies that break one thing.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "../core/error_of.h"
#include "core/rng.h"
#include "eval/causality/action_reading.h"
#include "eval/causality/grid_rules.h"
#include "eval/causality/maze_pose.h"
#include "eval/suite/films.h"
#include "scenes.h"
#include "worlds/trajectory.h"

namespace orrery {
namespace {

Scenario TryRulesScenario() {
  Scenario s;
  s.world = "keys";
  s.context = 4;
  const auto world = MakeWorld(s.world);
  s.seed = SeedWithRoom("try-rules(frames=127)", *world, 3);
  s.actions = PlanTrajectory("try-rules(frames=127)", *world, s.seed).actions;
  return s;
}

GridFilm Judged(const char* dummy, const Scenario& s) {
  const auto start = ContextEnd(s);
  std::vector<Keys::Action> actions;
  for (auto t = static_cast<size_t>(s.context - 1); t < s.actions.size(); ++t)
    actions.push_back(static_cast<Keys::Action>(std::lround(s.actions[t][0])));
  const at::Tensor film = Imagine(*orrery::Judged(std::string("dummy:") + dummy), s, 0).frames;
  return JudgeSteps(dynamic_cast<const Keys&>(*start), Span(film), actions);
}

std::map<std::string, std::pair<int, int>> ByRule(const std::vector<GridStep>& steps) {
  std::map<std::string, std::pair<int, int>> rules;
  for (const GridStep& step : steps) {
    ++rules[step.rule].first;
    rules[step.rule].second += step.legal;
  }
  return rules;
}

TEST(GridRules, TheTruthKeepsThemAllAndTheTrajectoryAsksForMost) {
  const Scenario s = TryRulesScenario();
  const auto [steps, done] = Judged("copy", s);
  EXPECT_EQ(done, true);
  for (const GridStep& step : steps) EXPECT_TRUE(step.readable && step.legal && step.possible) << step.rule;
  const auto rules = ByRule(steps);
  for (const char* rule : {"turn", "walk", "pick", "drop", "unlock", "wrong-key", "lever", "done"})
    EXPECT_TRUE(rules.contains(rule)) << rule;
  EXPECT_EQ(rules.at("wrong-key").first, 2);
  EXPECT_EQ(Judged("frozen", s).done, false);
}

TEST(GridRules, AnyKeyBreaksOneRuleAndNoOther) {
  const auto steps = Judged("anykey", TryRulesScenario()).steps;
  for (const auto& [rule, counts] : ByRule(steps)) {
    if (rule == "wrong-key")
      EXPECT_EQ(counts, (std::pair<int, int>{1, 0})) << "the second finds the door open";
    else
      EXPECT_EQ(counts.first, counts.second) << rule;
  }
}

TEST(GridRules, OtherActionsExplainTheFilmOfWrongOnesAndNoneAShuffledOne) {
  const Scenario s = TryRulesScenario();
  int legal = 0, possible = 0;
  const auto wrong = Judged("wrongact", s).steps;
  for (const GridStep& step : wrong) legal += step.legal, possible += step.possible;
  EXPECT_LT(legal, static_cast<int>(wrong.size()) * 3 / 4);
  EXPECT_EQ(possible, static_cast<int>(wrong.size()));
  possible = 0;
  const auto shuffled = Judged("shuffle", s).steps;
  for (const GridStep& step : shuffled) possible += step.possible;
  EXPECT_LT(possible, static_cast<int>(wrong.size()) / 2);
}

TEST(GridRules, ByHand) {
  Keys keys{KeysOptions{}};
  KeysState s;
  s.tiles.assign(64, {});
  for (size_t i = 0; i < 8; ++i)
    for (const size_t at : {i, 56 + i, 8 * i, 8 * i + 7}) s.tiles[at].item = KeysTile::kWall;
  s.agents = {{3, 3, 0}};
  KeysTile& ahead = s.tiles[8 * 3 + 4];
  EXPECT_EQ(RuleOf(s, Keys::kForward), "walk");
  EXPECT_EQ(RuleOf(s, Keys::kDrop), "idle");
  s.agents[0].carried = 3;
  EXPECT_EQ(RuleOf(s, Keys::kDrop), "drop");
  ahead.item = KeysTile::kDoor;
  ahead.color = 2;
  EXPECT_EQ(RuleOf(s, Keys::kToggle), "unlock");
  EXPECT_EQ(RuleOf(s, Keys::kForward), "blocked");
  s.agents[0].carried = 2;
  EXPECT_EQ(RuleOf(s, Keys::kToggle), "wrong-key");
  ahead = {};
  ahead.floor = KeysTile::kIce;
  EXPECT_EQ(RuleOf(s, Keys::kForward), "slide");
  s.tiles[8 * 3 + 3].floor = KeysTile::kGoal;
  EXPECT_EQ(RuleOf(s, Keys::kDone), "done");
  // A black picture is no state.
  const std::vector<uint8_t> black(3 * 64 * 64, 0);
  const std::vector<Keys::Action> rest = {Keys::kDone};
  const auto [steps, done] = JudgeSteps(keys, {black, 64, 64}, rest);
  EXPECT_FALSE(steps[0].readable || steps[0].legal || steps[0].possible);
  EXPECT_EQ(done, std::nullopt);
  EXPECT_NE(ErrorOf([&] { JudgeSteps(keys, {black, 64, 64}, {}); }).find("a frame an action"), std::string::npos);
}

TEST(ActionReading, ByHand) {
  const ActionRows labels = {{0, 0, 1, 1}, {0, 1, 1, 1}};
  EXPECT_EQ(BalancedAccuracy(labels, labels, std::vector<int64_t>{0, 1}), 1);
  // 0: 2 of 3 right; 1: 3 of 5.
  const ActionRows read = {{0, 1, 1, 0}, {0, 1, 1, 0}};
  EXPECT_NEAR(BalancedAccuracy(labels, read, std::vector<int64_t>{0, 1}), (2.0 / 3 + 3.0 / 5) / 2, 1e-12);
  const ActionScores scores = ScoreActionReading(labels, labels, read, read);
  const double floor = (2.0 / 3 + 4.0 / 5) / 2;  // each film with the other's labels: 0: 1 + 1 of 3; 1: 2 + 2 of 5
  EXPECT_NEAR(scores.floor, floor, 1e-12);
  EXPECT_NEAR(*scores.following.value, ((2.0 / 3 + 3.0 / 5) / 2 - floor) / (1 - floor), 1e-12);
  ASSERT_EQ(scores.actions.size(), 2u);
  EXPECT_NEAR(*scores.actions[0].Precision(), 2.0 / 4, 1e-12);
  EXPECT_NEAR(*scores.actions[1].Recall(), 3.0 / 5, 1e-12);
  EXPECT_NEAR(*scores.f1.value, (2 * 2.0 / 7 + 2 * 3.0 / 9) / 2, 1e-12);
  EXPECT_NE(ScoreActionReading(labels, {{0, 0, 0, 0}, {0, 0, 0, 0}}, read, read).following.cause.find("do not tell"), std::string::npos);
  EXPECT_THROW(ScoreActionReading(labels, labels, {{0}, {1}}, labels), Error);
}

TEST(MazePoses, AreFoundAgainAlongAWalk) {
  const Scenario s = PolicyScenario("maze", 8, 4, 30);
  const auto start = ContextEnd(s);
  const Film film = MakeTruth(s).film;
  const PoseFilm read = ReadMazePoses(dynamic_cast<const Maze&>(*start), Span(Future(s).contiguous()));
  ASSERT_EQ(read.poses.size(), film.poses.size() - 4);
  for (size_t t = 0; t < read.poses.size(); ++t) {
    EXPECT_EQ(read.psnr[t], 100);
    EXPECT_EQ(read.poses[t].x, film.poses[t + 4].x);
    EXPECT_EQ(read.poses[t].angle, film.poses[t + 4].angle);
  }
  EXPECT_THROW(ReadMazePoses(Maze{MazeOptions{.step = "continuous"}}, Span(Future(s).contiguous())), Error);
}

TEST(MazePoses, StepsAreComparedInTheFrameOfTheirBeginning) {
  const StepError same = CompareSteps({1, 1, 0}, {2, 1, 0}, {5, 5, M_PI / 2}, {5, 6, M_PI / 2});
  EXPECT_NEAR(same.cells, 0, 1e-12);
  EXPECT_NEAR(same.degrees, 0, 1e-9);
  const StepError other = CompareSteps({1, 1, 0}, {2, 1, 0.1}, {1, 1, 0}, {1, 1, 2 * M_PI - 0.1});
  EXPECT_NEAR(other.cells, 1, 1e-12);
  EXPECT_NEAR(other.degrees, 0.2 * 180 / M_PI, 1e-9);
}

}  // namespace
}  // namespace orrery
