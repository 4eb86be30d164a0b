#include "worlds/maze.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <set>

#include "worlds/policy.h"

namespace orrery {
namespace {

enum LatticeAction { kNoop, kForward, kLeft, kRight, kForwardLeft, kForwardRight };

void Act(Maze& maze, int action, int times = 1) {
  for (int i = 0; i < times; ++i) maze.Step(std::vector<float>{static_cast<float>(action)});
}

std::vector<uint8_t> Frame(const Maze& maze) {
  std::vector<uint8_t> rgb(static_cast<size_t>(3 * maze.Facts().height * maze.Facts().width));
  maze.Render(rgb);
  return rgb;
}

std::vector<float> Depth(const Maze& maze) {
  std::vector<float> depth(static_cast<size_t>(maze.Facts().height * maze.Facts().width));
  maze.RenderDepth(depth);
  return depth;
}

// An empty hall with outer walls only, the agent in the middle.
Maze Hall(int64_t size = 15, int64_t objects = 0) {
  MazeOptions options;
  options.size = size;
  options.objects = objects;
  Maze maze(options);
  MazeState state = maze.State();
  for (int32_t y = 1; y < size - 1; ++y)
    for (int32_t x = 1; x < size - 1; ++x) state.map.wall[state.map.Index(x, y)] = 0;
  state.x = state.y = static_cast<int32_t>(size) * Maze::kCell / 2;
  maze.SetState(state);
  return maze;
}

TEST(Heading, AgreesWithTheCLibraryAndTurnsExactly) {
  for (int32_t h = 0; h < kTurn; h += 7) {
    const Direction d = HeadingDirection(h), quarter = HeadingDirection(h + kTurn / 4);
    const double angle = 2 * std::numbers::pi * h / kTurn;
    ASSERT_NEAR(d.x, std::cos(angle), 2e-15);
    ASSERT_NEAR(d.y, std::sin(angle), 2e-15);
    ASSERT_EQ(quarter.x, -d.y);
    ASSERT_EQ(quarter.y, d.x);
  }
  EXPECT_EQ(WrapHeading(-kStep15), kTurn - kStep15);
}

TEST(Maze, OutAndBackReturnsToTheSameBitsAtEveryHeading) {
  Maze maze = Hall();
  for (int turn = 0; turn < 24; ++turn) {
    const std::string before = maze.Snapshot();
    const std::vector<uint8_t> frame = Frame(maze);
    Act(maze, kForward, 12);
    EXPECT_NE(Frame(maze), frame);
    Act(maze, kLeft, 12);
    Act(maze, kForward, 12);
    Act(maze, kRight, 12);
    EXPECT_EQ(maze.Snapshot(), before);
    EXPECT_EQ(Frame(maze), frame);
    Act(maze, kLeft);
  }
}

TEST(Maze, SquareLoopClosesAtEveryHeading) {
  Maze maze = Hall();
  for (int turn = 0; turn < 24; ++turn) {
    const std::string before = maze.Snapshot();
    for (int side = 0; side < 4; ++side) {
      Act(maze, kForward, 9);
      Act(maze, kLeft, 6);
    }
    EXPECT_EQ(maze.Snapshot(), before);
    Act(maze, kRight);
  }
}

TEST(Maze, StepsAreAQuarterCellAlongTheHeadingAndLeftIsCounterClockwise) {
  Maze maze = Hall();
  for (int turn = 0; turn < 24; ++turn) {
    const Pose before = *maze.TruePose();
    Act(maze, turn % 2 ? kForwardLeft : kForwardRight);
    const Pose after = *maze.TruePose();
    const double turned = std::remainder(after.angle - before.angle, 2 * std::numbers::pi);
    EXPECT_NEAR(turned, (turn % 2 ? 1 : -1) * std::numbers::pi / 12, 1e-12);
    EXPECT_NEAR(after.x - before.x, 0.25 * std::cos(after.angle), 0.5 / 64 + 1e-12);
    EXPECT_NEAR(after.y - before.y, 0.25 * std::sin(after.angle), 0.5 / 64 + 1e-12);
    Act(maze, kLeft, turn % 2 ? 0 : 2);
  }
}

TEST(Maze, ContinuousStepsCarryOnAndComeToRest) {
  MazeOptions options;
  options.size = 15;
  options.step = "continuous";
  Maze maze(options);
  MazeState state = Hall().State();
  state.objects = maze.State().objects;
  for (MazeObject& o : state.objects) o.x = o.y = 3 * Maze::kCell / 2;
  maze.SetState(state);
  const auto act = [&](float forward, float turn) { maze.Step(std::vector<float>{forward, turn}); };
  act(1, 0.5f);
  EXPECT_NEAR(maze.State().speed, Maze::kCell / 8, 1);
  for (int i = 0; i < 6; ++i) act(1, 0);
  EXPECT_NEAR(maze.State().speed, Maze::kCell / 4, Maze::kCell / 128);
  const Pose moving = *maze.TruePose();
  act(0, 0);
  EXPECT_NEAR(std::hypot(maze.TruePose()->x - moving.x, maze.TruePose()->y - moving.y), 0.125, 0.01);
  for (int i = 0; i < 30; ++i) act(0, 0);
  EXPECT_EQ(maze.State().speed, 0);
  EXPECT_EQ(maze.State().spin, 0);
  act(-1, 0);
  EXPECT_LT(maze.State().speed, 0);
}

TEST(Maze, NobodyWalksThroughWalls) {
  for (const char* step : {"lattice", "continuous"}) {
    MazeOptions options;
    options.step = step;
    Maze maze(options);
    Rng rng(3);
    const auto policy = MakePolicy("sticky(0.8)");
    for (int i = 0; i < 5000; ++i) {
      maze.Step(policy->Act(maze, rng));
      const Pose pose = *maze.TruePose();
      for (const double dx : {-0.2, 0.2})
        for (const double dy : {-0.2, 0.2})
          ASSERT_FALSE(maze.State().map.Wall(static_cast<int32_t>(pose.x + dx), static_cast<int32_t>(pose.y + dy)));
    }
  }
}

TEST(Maze, MapsAreConnectedWithLoopsAndEveryColour) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    Rng rng(seed);
    const int32_t size = 7 + 2 * static_cast<int32_t>(seed % 9), colors = 1 + static_cast<int32_t>(seed % 8);
    const MazeMap map = GenerateMaze(size, colors, rng);
    const std::vector<int32_t> free = FreeCells(map);
    const std::vector<int32_t> distance = WalkDistances(map.wall, size, {free.front()});
    std::set<int> seen;
    int passages = 0;
    for (const int32_t cell : free) {
      EXPECT_GE(distance[cell], 0);
      seen.insert(map.color[cell]);
      passages += !map.wall[cell + 1] + !map.wall[cell + size];
    }
    EXPECT_EQ(static_cast<int32_t>(seen.size()), colors);
    EXPECT_GE(passages, static_cast<int>(free.size())) << "a tree has one passage less than cells";
    for (int32_t i = 0; i < size; ++i) EXPECT_TRUE(map.Wall(i, 0) && map.Wall(0, i) && map.Wall(i, size - 1) && map.Wall(size - 1, i));
  }
}

// Marches along the ray of each pixel in small steps until it is inside a wall, under the floor or over the ceiling.
TEST(Maze, DepthAgreesWithMarchingThroughTheMap) {
  MazeOptions options;
  options.objects = 0;
  Maze maze(options);
  Rng rng(9);
  const auto policy = MakePolicy("explore");
  for (int frame = 0; frame < 12; ++frame) {
    for (int i = 0; i < 15; ++i) maze.Step(policy->Act(maze, rng));
    const std::vector<float> depth = Depth(maze);
    const Pose pose = *maze.TruePose();
    for (int y = 3; y < 64; y += 10)
      for (int x = 2; x < 64; x += 5) {
        const double across = (x + 0.5) / 32 - 1, down = (y + 0.5) / 32 - 1;
        const double dx = std::cos(pose.angle) + across * std::sin(pose.angle), dy = std::sin(pose.angle) - across * std::cos(pose.angle);
        constexpr double step = 1e-3;
        double t = 0;
        while (std::abs(t * down) < 0.5 && !maze.State().map.Wall(static_cast<int>(pose.x + t * dx), static_cast<int>(pose.y + t * dy)))
          t += step;
        EXPECT_NEAR(depth[y * 64 + x], t, 2 * step) << x << ' ' << y;
      }
  }
}

TEST(Maze, TurningLeftMovesThePictureToTheRight) {
  MazeOptions options;
  options.objects = 0;
  Maze maze(options);
  const std::vector<float> before = Depth(maze);
  Act(maze, kLeft, 2);
  const std::vector<float> after = Depth(maze);
  const int row = 32 * 64;
  int compared = 0;
  for (int x = 4; x < 40; x += 4) {
    const double t = (x + 0.5) / 32 - 1, turned = std::tan(std::atan(t) + std::numbers::pi / 6);
    const double column = (turned + 1) * 32 - 0.5;
    if (column > 62) continue;
    const float low = after[row + static_cast<int>(column)], high = after[row + static_cast<int>(column) + 1];
    if (std::abs(low - high) > 0.2) continue;
    const double distance = before[row + x] * std::hypot(1, t);
    EXPECT_NEAR(0.5 * (low + high) * std::hypot(1, turned), distance, 0.15) << x;
    ++compared;
  }
  EXPECT_GT(compared, 3);
}

TEST(Maze, ObjectsAreSeenAndFound) {
  Maze maze = Hall(15, 1);
  MazeState state = maze.State();
  state.heading = 0;
  state.objects[0] = {state.x + 2 * Maze::kCell, state.y, 0, 0};
  MazeState empty = state;
  empty.objects.clear();
  maze.SetState(empty);
  const std::vector<uint8_t> without = Frame(maze);
  maze.SetState(state);
  const std::vector<uint8_t> with = Frame(maze);
  int red = 0;
  for (size_t i = 0; i < with.size(); i += 3) red += with[i] != without[i] && with[i] > 120 && with[i + 1] < 90;
  EXPECT_GT(red, 10);
  EXPECT_NEAR(Depth(maze)[36 * 64 + 32], 2, 0.01) << "the object stands two cells ahead, below the horizon";
  Act(maze, kForward, 5);
  EXPECT_EQ(maze.State().objects[0].found, 0);
  Act(maze, kForward);
  EXPECT_EQ(maze.State().objects[0].found, 1);
  EXPECT_EQ(maze.TrueState()[4].values[3], 1);
}

TEST(Maze, ObjectsHideBehindWalls) {
  Maze maze = Hall(15, 1);
  MazeState state = maze.State();
  state.heading = 0;
  state.objects[0] = {state.x + 3 * Maze::kCell, state.y, 4, 0};
  const int32_t x = state.x / Maze::kCell + 2, y = state.y / Maze::kCell;
  for (int32_t dy = -2; dy <= 2; ++dy) state.map.wall[state.map.Index(x, y + dy)] = 1;
  MazeState empty = state;
  empty.objects.clear();
  maze.SetState(empty);
  const std::vector<uint8_t> without = Frame(maze);
  maze.SetState(state);
  EXPECT_EQ(Frame(maze), without);
}

TEST(Maze, ImpossibleStatesAreRefused) {
  Maze maze = Hall(15, 1);
  const std::string before = maze.Snapshot();
  const auto refuse = [&](auto change) {
    MazeState state = maze.State();
    change(state);
    EXPECT_THROW(maze.SetState(state), Error);
  };
  refuse([](MazeState& s) { s.x = Maze::kCell / 2; });
  refuse([](MazeState& s) { s.x = -5; });
  refuse([](MazeState& s) { s.y += 1; });
  refuse([](MazeState& s) { s.heading = 5; });
  refuse([](MazeState& s) { s.heading = kTurn; });
  refuse([](MazeState& s) { s.speed = 100; });
  refuse([](MazeState& s) { s.map.wall[0] = 0; });
  refuse([](MazeState& s) { s.map.color[20] = 200; });
  refuse([](MazeState& s) { s.map.wall.pop_back(); });
  refuse([](MazeState& s) { s.objects[0].kind = 99; });
  refuse([](MazeState& s) { s.objects[0].x = 100; });
  EXPECT_EQ(maze.Snapshot(), before);
}

}  // namespace
}  // namespace orrery
