// Ways through a maze, drawn by hand: what each of the scores sees and what it does not.
#include <gtest/gtest.h>

#include "eval/persistence/solving.h"
#include "eval/suite/probe.h"
#include "scenes.h"

namespace orrery {
namespace {

// The true way goes right, then down: an L of length 0.5 + 0.25.
const std::vector<Point> kTrue = {{0.25, 0.25}, {0.75, 0.25}, {0.75, 0.5}};
constexpr Point kGoal{0.75, 0.5};
constexpr double kHalf = 0.0625;

TEST(Way, TheTrueOneIsExact) {
  const WayScore score = ScoreWay(kTrue, kTrue, kGoal, kHalf);
  EXPECT_EQ(score.progress, 1);
  EXPECT_TRUE(score.reached && score.arrived && score.exact);
  EXPECT_NEAR(*score.deviation, 0, 1e-12);
}

// Steps do not matter, only the line: the same L in 60 small steps.
TEST(Way, IsTakenAtEqualLengths) {
  std::vector<Point> fine;
  for (int i = 0; i <= 40; ++i) fine.push_back({0.25 + 0.0125 * i, 0.25});
  for (int i = 1; i <= 20; ++i) fine.push_back({0.75, 0.25 + 0.0125 * i});
  EXPECT_TRUE(ScoreWay(fine, kTrue, kGoal, kHalf).exact);
}

// Straight to the goal: it is reached, on a shorter way that leaves the true one at once. Directions part by atan(1/2), so the ways are
// 0.01 apart after 0.01 / (2 sin(atan(1/2) / 2)) of 0.75.
TEST(Way, AShortCutReachesTheGoalOffTheWay) {
  const std::vector<Point> cut = {{0.25, 0.25}, {0.75, 0.5}};
  const WayScore score = ScoreWay(cut, kTrue, kGoal, kHalf);
  EXPECT_TRUE(score.reached && score.arrived);
  EXPECT_FALSE(score.exact);
  EXPECT_FALSE(score.deviation);
  EXPECT_NEAR(score.progress, 0.01 / (2 * std::sin(std::atan(0.5) / 2)) / 0.75, 0.002);
}

// Half the first leg and back again, then the whole way: twice a quarter longer than 0.75. It keeps to the way for the first third.
TEST(Way, ADetourIsLonger) {
  const std::vector<Point> detour = {{0.25, 0.25}, {0.5, 0.25}, {0.25, 0.25}, {0.75, 0.25}, {0.75, 0.5}};
  const WayScore score = ScoreWay(detour, kTrue, kGoal, kHalf);
  EXPECT_NEAR(*score.deviation, 0.5 / 0.75, 1e-9);
  EXPECT_NEAR(score.progress, (0.25 + 0.005) / 0.75, 0.002);
  EXPECT_TRUE(score.reached);
  EXPECT_FALSE(score.exact);
}

TEST(Way, BackwardsItBeginsInTheGoalAndDoesNotEndThere) {
  const std::vector<Point> back(kTrue.rbegin(), kTrue.rend());
  const WayScore score = ScoreWay(back, kTrue, kGoal, kHalf);
  EXPECT_TRUE(score.reached);
  EXPECT_FALSE(score.arrived);
  EXPECT_EQ(score.progress, 0);
}

TEST(Way, StandingStillKeepsToItForOneHundredth) {
  const std::vector<Point> still = {{0.25, 0.25}, {0.25, 0.25}};
  const WayScore score = ScoreWay(still, kTrue, kGoal, kHalf);
  EXPECT_FALSE(score.reached);
  EXPECT_NEAR(score.progress, 0.01 / 0.75, 0.002);
  EXPECT_EQ(ScoreWay({}, kTrue, kGoal, kHalf).progress, 0);
  EXPECT_THROW(ScoreWay(kTrue, still, kGoal, kHalf), Error);
}

// A wall column at x = 2 with a hole at y = 3; ice at (1, 1).
bool Free(size_t, Cell c) { return c.x != 2 || c.y == 3; }
bool Ice(Cell c) { return c == Cell{1, 1}; }

TEST(Moves, StraightThroughAWallIsAViolation) {
  const std::vector<Cell> through = {{0, 0}, {1, 0}, {2, 0}, {3, 0}};
  const MoveCheck check = CheckMoves(through, Free, Ice);
  EXPECT_EQ(check.moves, 3);
  EXPECT_EQ(check.violations, 1);
  EXPECT_EQ(check.redundancy, 0);
}

TEST(Moves, AJumpIsOneUnlessItSlides) {
  EXPECT_EQ(CheckMoves(std::vector<Cell>{{0, 1}, {0, 3}}, Free, Ice).violations, 1);
  EXPECT_EQ(CheckMoves(std::vector<Cell>{{0, 0}, {1, 1}}, Free, Ice).violations, 1);
  EXPECT_EQ(CheckMoves(std::vector<Cell>{{1, 0}, {1, 2}}, Free, Ice).violations, 0);  // over the ice
  EXPECT_EQ(CheckMoves(std::vector<Cell>{{1, 3}, {2, 3}, {3, 3}}, Free, Ice).violations, 0);
}

// There and back: of five cells entered three are different. Rest does not count.
TEST(Moves, LoopsAreRedundant) {
  const MoveCheck check = CheckMoves(std::vector<Cell>{{0, 0}, {0, 0}, {0, 1}, {0, 2}, {0, 1}, {0, 1}, {0, 0}}, Free, Ice);
  EXPECT_EQ(check.moves, 4);
  EXPECT_NEAR(check.redundancy, 1 - 3.0 / 5, 1e-12);
}

// Two pixels in three frames, of which frames 0 and 5 are looked at: one of 4 looks has changed by more than 5, one is masked.
TEST(MapFidelity, CountsChangedPixelsOfEveryFifthFrame) {
  std::vector<uint8_t> film(6 * 2 * 3, 100), first(2 * 3, 100);
  Masks masks(6, 1, 2);
  for (int c = 0; c < 3; ++c) film[static_cast<size_t>(5 * 6 + c)] = 106;  // frame 5, pixel 0
  for (int c = 0; c < 3; ++c) film[static_cast<size_t>(1 * 6 + c)] = 255;  // frame 1 is not looked at
  EXPECT_NEAR(*MapFidelity(first, {film, 1, 2}, masks), 1 - 0.25, 1e-12);
  masks.At(5)[0] = 1;
  EXPECT_EQ(*MapFidelity(first, {film, 1, 2}, masks), 1);
  for (int c = 0; c < 3; ++c) film[static_cast<size_t>(5 * 6 + 3 + c)] = 105;  // by 5: not more
  EXPECT_EQ(*MapFidelity(first, {film, 1, 2}, masks), 1);
  std::fill(masks.on.begin(), masks.on.end(), uint8_t{1});
  EXPECT_FALSE(MapFidelity(first, {film, 1, 2}, masks));
}

double Value(const ProbeResult& result, const std::string& name) {
  for (const Metric& m : result.metrics)
    if (m.id == "persistence.solve." + name) return m.value.value_or(-1);
  Fail("no metric {}", name);
}

TEST(Solve, TellsTheDummiesApart) {
  ProbePlan plan;
  plan.probe = "solve";
  plan.scenarios = 3;
  plan.frames = 64;
  for (const char* world : {"keys", "pair"}) {
    plan.world = world;
    const ProbeResult copy = ProbeSolve(*Judged("dummy:copy"), plan), still = ProbeSolve(*Judged("dummy:ignore"), plan),
                      mixed = ProbeSolve(*Judged("dummy:shuffle"), plan), back = ProbeSolve(*Judged("dummy:reverse"), plan),
                      noise = ProbeSolve(*Judged("dummy:noise"), plan);
    for (const Metric& m : copy.metrics) Check(m);
    for (const char* name : {"progress", "reached", "arrived", "exact", "map"}) EXPECT_EQ(Value(copy, name), 1) << world << " " << name;
    for (const char* name : {"violations", "deviation", "unseen"}) EXPECT_NEAR(Value(copy, name), 0, 1e-9) << world << " " << name;
    EXPECT_EQ(Value(still, "reached"), 0);
    EXPECT_LE(Value(still, "progress"), 0.1);
    EXPECT_GT(Value(mixed, "violations"), 0.2);
    EXPECT_EQ(Value(back, "arrived"), 0);
    EXPECT_LE(Value(back, "progress"), 0.1);
    EXPECT_LT(Value(noise, "map"), 0.7);
    EXPECT_EQ(Value(noise, "exact"), 1);
  }
}

TEST(Solve, RefusesAViewThatShowsAPart) {
  ProbePlan plan;
  plan.probe = "solve";
  plan.world = "keys(view=7)";
  plan.scenarios = 2;
  plan.frames = 64;
  EXPECT_THROW(ProbeSolve(*Judged("dummy:copy"), plan), Error);
}

}  // namespace
}  // namespace orrery
