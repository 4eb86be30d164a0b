#include "worlds/billiards.h"
#include "worlds/canvas.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/rng.h"

namespace orrery {
namespace {

Billiards Table(double restitution = 1, double friction = 0) {
  BilliardsOptions options;
  options.restitution = restitution;
  options.friction = friction;
  return Billiards(options);
}

void Act(Billiards& world, int action, int times = 1) {
  for (int i = 0; i < times; ++i) world.Step(std::vector<float>{static_cast<float>(action)});
}

double Energy(const std::vector<Ball>& balls) {
  double energy = 0;
  for (const Ball& b : balls) energy += 0.5 * b.radius * b.radius * (b.vx * b.vx + b.vy * b.vy);
  return energy;
}

TEST(Billiards, HeadOnEqualBallsSwapTheirSpeeds) {
  Billiards world = Table();
  world.SetBalls({{0, 0, 3, 5, 6, 0, 0.5f}, {1, 1, 7, 5, 0, 0, 0.5f}});
  Act(world, 0, 20);  // contact after 0.5 s, when the cue is at x = 6
  EXPECT_NEAR(world.Balls()[0].vx, 0, 1e-3);
  EXPECT_NEAR(world.Balls()[0].x, 6, 0.01);
  EXPECT_NEAR(world.Balls()[1].vx, 6, 1e-3);
  EXPECT_NEAR(world.Balls()[1].x, 7 + 6 * (20 / 30.0 - 0.5), 0.03);
}

TEST(Billiards, ObliqueHitFollowsTheLineOfCentres) {
  Billiards world = Table();
  const float offset = 0.5f;  // the cue passes half a radius below the centre: sin = 0.5
  world.SetBalls({{0, 0, 2, 5 - offset, 8, 0, 0.5f}, {1, 1, 5, 5, 0, 0, 0.5f}});
  Act(world, 0, 12);
  const Ball& cue = world.Balls()[0];
  const Ball& hit = world.Balls()[1];
  EXPECT_NEAR(std::atan2(hit.vy, hit.vx), std::asin(offset / 1.0), 0.03);
  EXPECT_NEAR(std::hypot(hit.vx, hit.vy), 8 * std::cos(std::asin(0.5)), 0.2);
  EXPECT_NEAR(cue.vx + hit.vx, 8, 1e-3) << "momentum";
  EXPECT_NEAR(cue.vy + hit.vy, 0, 1e-3);
}

TEST(Billiards, RestitutionAndFrictionTakeTheirShare) {
  Billiards bounce = Table(0.5);
  bounce.SetBalls({{0, 0, 8, 5, 10, 0, 0.5f}});
  Act(bounce, 0, 10);
  EXPECT_NEAR(bounce.Balls()[0].vx, -5, 1e-3);
  Billiards roll = Table(1, 3);
  roll.SetBalls({{0, 0, 2, 5, 3, 0, 0.5f}});
  Act(roll, 0, 15);
  EXPECT_NEAR(roll.Balls()[0].vx, 1.5, 1e-3) << "3 m/s^2 for half a second";
  Act(roll, 0, 30);
  EXPECT_EQ(roll.Balls()[0].vx, 0) << "a ball comes to a full stop";
}

TEST(Billiards, EnergyIsKeptAndBallsStayApart) {
  BilliardsOptions options;
  options.balls = 8;
  options.speed = 12;
  options.friction = 0;
  options.restitution = 1;
  Billiards world(options);
  for (uint64_t seed = 0; seed < 5; ++seed) {
    world.Reset(seed);
    const double start = Energy(world.Balls());
    for (int i = 0; i < 600; ++i) {
      Act(world, 0);
      const std::vector<Ball>& balls = world.Balls();
      ASSERT_LE(Energy(balls), start * 1.01);
      for (size_t a = 0; a < balls.size(); ++a) {
        ASSERT_GE(balls[a].x, balls[a].radius);
        ASSERT_LE(balls[a].y, world.TableHeight() - balls[a].radius);
        for (size_t b = 0; b < a; ++b) {
          const double gap = std::hypot(balls[a].x - balls[b].x, balls[a].y - balls[b].y) - balls[a].radius - balls[b].radius;
          ASSERT_GT(gap, -0.09) << "half a pixel";
        }
      }
    }
    EXPECT_GT(Energy(world.Balls()), 0.99 * start);
  }
}

TEST(Billiards, PushesGoWhereTheirNamesSay) {
  const float cosines[8] = {1, 1, 0, -1, -1, -1, 0, 1}, sines[8] = {0, 1, 1, 1, 0, -1, -1, -1};
  for (int direction = 0; direction < 8; ++direction) {
    Billiards world = Table();
    world.SetBalls({{0, 0, 5, 5, 0, 0, 0.5f}});
    Act(world, 1 + direction);
    const Ball& cue = world.Balls()[0];
    EXPECT_NEAR(std::hypot(cue.vx, cue.vy), 1.2, 1e-4);
    EXPECT_GE(cue.vx * cosines[direction] + cue.vy * sines[direction], 1.19);
    Act(world, 1 + direction, 60);
    EXPECT_LE(std::hypot(world.Balls()[0].vx, world.Balls()[0].vy), Billiards::kMaxSpeed * 1.0001);
  }
}

TEST(Billiards, UpIsUpInThePicture) {
  Billiards world = Table();
  world.SetBalls({{0, 0, 5, 8, 0, 0, 0.6f}});
  std::vector<uint8_t> rgb(64 * 64 * 3);
  world.Render(rgb);
  const auto white = [&](int x, int y) {
    return std::min({rgb[3 * (64 * y + x)], rgb[3 * (64 * y + x) + 1], rgb[3 * (64 * y + x) + 2]}) > 220;
  };
  EXPECT_TRUE(white(32, 64 - 4 - static_cast<int>(8 * 5.6)));
  EXPECT_FALSE(white(32, 4 + static_cast<int>(8 * 5.6)));
}

TEST(Billiards, EveryColourIsDistinct) {
  Billiards world = Table();
  std::vector<std::array<uint8_t, 3>> centres;
  for (int32_t color = 0; color < kPaletteColors; ++color) {
    world.SetBalls({{0, color, 5, 5, 0, 0, 1}});
    std::vector<uint8_t> rgb(64 * 64 * 3);
    world.Render(rgb);
    centres.push_back({rgb[3 * (64 * 33 + 33)], rgb[3 * (64 * 33 + 33) + 1], rgb[3 * (64 * 33 + 33) + 2]});
  }
  for (size_t a = 0; a < centres.size(); ++a)
    for (size_t b = 0; b < a; ++b) {
      int distance = 0;
      for (int c = 0; c < 3; ++c) distance += std::abs(centres[a][c] - centres[b][c]);
      EXPECT_GT(distance, 60) << a << ' ' << b;
    }
}

TEST(Billiards, ABallAddedFarAwayChangesNothingAndOneInTheWayDoes) {
  const std::vector<Ball> balls = {{0, 0, 2, 5, 5, 0, 0.5f}, {1, 1, 7, 5, 0, 0, 0.5f}};
  Billiards plain = Table(), far = Table(), near = Table();
  for (Billiards* world : {&plain, &far, &near}) world->SetBalls(balls);
  const int32_t id = far.AddBall({0, 3, 1, 1, 0, 0, 0.5f});
  near.AddBall({0, 3, 4.5f, 5, 0, 0, 0.5f});
  for (Billiards* world : {&plain, &far, &near}) Act(*world, 0, 40);
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(far.Balls()[i], plain.Balls()[i]);
  EXPECT_NE(near.Balls()[0], plain.Balls()[0]);
  far.RemoveBall(id);
  EXPECT_EQ(far.Balls(), plain.Balls());
  EXPECT_EQ(far.AddBall({0, 3, 1, 1, 0, 0, 0.5f}), id + 1) << "ids are not used again";
}

TEST(Billiards, ImpossibleTablesAreRefused) {
  Billiards world = Table();
  world.SetBalls({{0, 0, 3, 5, 6, 0, 0.5f}, {1, 1, 7, 5, 0, 0, 0.5f}});
  const std::string before = world.Snapshot();
  EXPECT_THROW(world.SetBalls({}), Error);
  EXPECT_THROW(world.SetBalls({{3, 0, 5, 5, 0, 0, 0.5f}}), Error);
  EXPECT_THROW(world.AddBall({0, 2, 3.2f, 5, 0, 0, 0.5f}), Error);
  EXPECT_THROW(world.AddBall({0, 2, 0.2f, 5, 0, 0, 0.5f}), Error);
  EXPECT_THROW(world.AddBall({0, 2, NAN, 5, 0, 0, 0.5f}), Error);
  EXPECT_THROW(world.AddBall({0, 2, 5, 8, 1e9f, 0, 0.5f}), Error);
  EXPECT_THROW(world.AddBall({0, 99, 5, 8, 0, 0, 0.5f}), Error);
  EXPECT_THROW(world.AddBall({0, 2, 5, 8, 0, 0, 3}), Error);
  EXPECT_THROW(world.RemoveBall(0), Error);
  EXPECT_THROW(world.RemoveBall(7), Error);
  EXPECT_EQ(world.Snapshot(), before);
}

}  // namespace
}  // namespace orrery
