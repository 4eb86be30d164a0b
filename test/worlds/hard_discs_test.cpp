// The event-driven solver against closed forms, conservation laws, time reversal and Box2D.
#include "worlds/hard_discs.h"

#include <gtest/gtest.h>

#include <cmath>

#include "../core/error_of.h"
#include "core/rng.h"
#include "worlds/billiards.h"
#include "worlds/registry.h"

namespace orrery {
namespace {

constexpr double kFrame = 1.0 / 30;

double Energy(const std::vector<HardDisc>& discs) {
  double energy = 0;
  for (const HardDisc& d : discs) energy += 0.5 * d.mass * (d.vx * d.vx + d.vy * d.vy);
  return energy;
}

// n discs of unequal sizes and masses on a grid of their own, with random velocities.
std::vector<HardDisc> Crowd(int n, uint64_t seed) {
  Rng rng(seed, "crowd");
  std::vector<HardDisc> discs;
  for (int i = 0; i < n; ++i)
    discs.push_back({2 + 2.5 * (i % 3) + rng.Uniform(-0.2, 0.2), 2 + 2.5 * (i / 3) + rng.Uniform(-0.2, 0.2), rng.Uniform(-8, 8),
                     rng.Uniform(-8, 8), rng.Uniform(0.4, 0.9), rng.Uniform(0.5, 4)});
  return discs;
}

TEST(HardDiscs, TimesToTouchAreThoseOfGeometry) {
  EXPECT_DOUBLE_EQ(TimeToTouch({0, 0, 3, 0, 0.5, 1}, {10, 0, -1, 0, 1.5, 1}), 2);
  // Centres meet at distance 5 when the first has gone 4 of its 7: a right triangle of sides 3, 4, 5.
  EXPECT_DOUBLE_EQ(TimeToTouch({0, 0, 2, 0, 2, 1}, {7, 4, 0, 0, 3, 1}), 2);
  EXPECT_EQ(TimeToTouch({0, 0, 2, 0, 2, 1}, {7, 5.001, 0, 0, 3, 1}), INFINITY) << "passes by";
  EXPECT_EQ(TimeToTouch({0, 0, -2, 0, 2, 1}, {7, 0, 0, 0, 3, 1}), INFINITY) << "goes away";
  EXPECT_EQ(TimeToTouch({0, 0, 1, 0, 1, 1}, {1.9, 0, 0, 0, 1, 1}), 0) << "overlap";
}

TEST(HardDiscs, TwoBodiesCollideAsTheClosedFormSays) {
  for (const double e : {1.0, 0.6, 0.0}) {
    const double m = 3, n = 1.25, speed = 4;
    std::vector<HardDisc> head_on = {{0, 0, speed, 0, 0.5, m}, {3, 0, 0, 0, 1, n}};
    const auto hits = MoveHardDiscs({INFINITY, INFINITY, e}, head_on, 1);
    ASSERT_EQ(hits.size(), 1u);
    EXPECT_DOUBLE_EQ(hits[0].time, 1.5 / speed);
    EXPECT_NEAR(hits[0].impulse, (1 + e) * m * n / (m + n) * speed, 1e-13);
    EXPECT_NEAR(head_on[0].vx, (m - e * n) / (m + n) * speed, 1e-14);
    EXPECT_NEAR(head_on[1].vx, (1 + e) * m / (m + n) * speed, 1e-14);
    EXPECT_NEAR(head_on[1].x, 3 + (1 - 1.5 / speed) * head_on[1].vx, 1e-13);
  }
  // Equal masses, oblique: the struck one leaves along the line of centres, the other at a right angle to it.
  std::vector<HardDisc> oblique = {{0, -0.6, 5, 0, 0.5, 1}, {4, 0, 0, 0, 0.5, 1}};
  MoveHardDiscs({}, oblique, 2);
  const double angle = std::asin(0.6);
  EXPECT_NEAR(oblique[1].vx, 5 * std::cos(angle) * std::cos(angle), 1e-13);
  EXPECT_NEAR(oblique[1].vy, 5 * std::cos(angle) * std::sin(angle), 1e-13);
  EXPECT_NEAR(oblique[0].vx * oblique[1].vx + oblique[0].vy * oblique[1].vy, 0, 1e-13);
}

TEST(HardDiscs, OneDiscAmongWallsIsATriangleWave) {
  const double r = 0.7, width = 10, height = 7, vx = 5.3, vy = -3.1;
  std::vector<HardDisc> disc = {{2, 3, vx, vy, r, 1}};
  for (int i = 0; i < 10000; ++i) MoveHardDiscs({width, height, 1}, disc, kFrame);
  const auto wave = [&](double start, double v, double size) {
    const double room = size - 2 * r, unfolded = std::fmod(start - r + v * 10000 * kFrame, 2 * room),
                 positive = unfolded + (unfolded < 0 ? 2 * room : 0);
    return r + (positive <= room ? positive : 2 * room - positive);
  };
  EXPECT_NEAR(disc[0].x, wave(2, vx, width), 1e-9);
  EXPECT_NEAR(disc[0].y, wave(3, vy, height), 1e-9);
}

TEST(HardDiscs, EnergyIsKeptOverTenThousandFrames) {
  for (uint64_t seed = 0; seed < 3; ++seed) {
    std::vector<HardDisc> discs = Crowd(9, seed);
    const double start = Energy(discs);
    int64_t collisions = 0;
    double worst = 0, overlap = 0;
    for (int i = 0; i < 10000; ++i) {
      collisions += static_cast<int64_t>(MoveHardDiscs({10, 10, 1}, discs, kFrame).size());
      worst = std::max(worst, std::abs(Energy(discs) / start - 1));
      for (size_t a = 0; a < discs.size(); ++a)
        for (size_t b = 0; b < a; ++b)
          overlap = std::max(overlap, discs[a].radius + discs[b].radius - std::hypot(discs[a].x - discs[b].x, discs[a].y - discs[b].y));
    }
    EXPECT_LT(worst, 1e-12);
    EXPECT_LT(overlap, 1e-12) << "m";
    EXPECT_GT(collisions, 5000);
  }
}

TEST(HardDiscs, WithoutWallsMomentumAndAngularMomentumAreKept) {
  for (const double e : {1.0, 0.7}) {
    std::vector<HardDisc> discs = Crowd(9, 4);
    for (HardDisc& d : discs) {  // towards the middle, so that they meet
      d.vx = 4.5 - d.x + 0.1 * d.vx;
      d.vy = 4.5 - d.y + 0.1 * d.vy;
    }
    const auto sums = [&] {
      std::array<double, 3> s{};
      for (const HardDisc& d : discs) {
        s[0] += d.mass * d.vx;
        s[1] += d.mass * d.vy;
        s[2] += d.mass * (d.x * d.vy - d.y * d.vx);
      }
      return s;
    };
    const auto before = sums();
    EXPECT_GT(MoveHardDiscs({INFINITY, INFINITY, e}, discs, 5).size(), 5u);
    for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(sums()[i], before[i], 1e-11) << i;
  }
}

TEST(HardDiscs, ReversedTimeLeadsBackToTheStart) {
  const std::vector<HardDisc> start = Crowd(4, 7);
  std::vector<HardDisc> discs = start;
  size_t collisions = 0;
  for (int i = 0; i < 120; ++i) collisions += MoveHardDiscs({10, 10, 1}, discs, kFrame).size();
  EXPECT_GT(collisions, 15u);
  double moved = 0;
  for (size_t i = 0; i < discs.size(); ++i) moved = std::max(moved, std::hypot(discs[i].x - start[i].x, discs[i].y - start[i].y));
  EXPECT_GT(moved, 1);
  for (HardDisc& d : discs) d.vx = -d.vx, d.vy = -d.vy;
  for (int i = 0; i < 120; ++i) MoveHardDiscs({10, 10, 1}, discs, kFrame);
  for (size_t i = 0; i < discs.size(); ++i) {
    EXPECT_NEAR(discs[i].x, start[i].x, 1e-9);
    EXPECT_NEAR(discs[i].y, start[i].y, 1e-9);
    EXPECT_NEAR(discs[i].vx, -start[i].vx, 1e-9);
  }
}

TEST(HardDiscs, WhatTouchesNothingIsTheSameToTheBitWithoutTheOthers) {
  // Two pairs in two halves of the box that never meet.
  const std::vector<HardDisc> left = {{1, 2, 0.3, 4, 0.5, 1}, {1.2, 6, -0.2, -5, 0.6, 2}};
  const std::vector<HardDisc> right = {{8.1, 3, 0.1, 3.3, 0.5, 1}, {8.3, 7, 0.05, -4.7, 0.7, 3}};
  std::vector<HardDisc> both = left, alone = left, others = right;
  both.insert(both.begin() + 1, right.begin(), right.end());
  size_t together = 0, apart = 0;
  for (int i = 0; i < 40; ++i) {
    together += MoveHardDiscs({10, 10, 0.9}, both, kFrame).size();
    apart += MoveHardDiscs({10, 10, 0.9}, alone, kFrame).size() + MoveHardDiscs({10, 10, 0.9}, others, kFrame).size();
  }
  EXPECT_EQ(both, (std::vector<HardDisc>{alone[0], others[0], others[1], alone[1]}));
  EXPECT_EQ(together, apart);
  EXPECT_GT(together, 3u);
}

TEST(HardDiscs, FrameLengthDoesNotMatter) {
  std::vector<HardDisc> once = Crowd(5, 9), often = once;
  MoveHardDiscs({10, 10, 1}, once, 1);
  for (int i = 0; i < 240; ++i) MoveHardDiscs({10, 10, 1}, often, 1.0 / 240);
  for (size_t i = 0; i < once.size(); ++i) EXPECT_NEAR(once[i].x, often[i].x, 1e-9);
}

TEST(HardDiscs, DiscsThatLoseEnergyComeToRestInFiniteTime) {
  for (const double e : {0.0, 0.1, 0.5, 0.9}) {
    std::vector<HardDisc> discs = Crowd(9, 3);
    double energy = Energy(discs);
    size_t most = 0;
    for (int i = 0; i < 2000; ++i) {
      for (HardDisc& d : discs) d.vx += 0.2;  // all pressed to one side
      energy = Energy(discs);
      const auto collisions = MoveHardDiscs({10, 10, e}, discs, kFrame);
      most = std::max(most, collisions.size());
      ASSERT_LE(Energy(discs), energy * (1 + 1e-12));
      for (const HardDisc& d : discs) ASSERT_TRUE(d.x > d.radius - 1e-9 && d.x < 10 - d.radius + 1e-9 && d.y > d.radius - 1e-9);
    }
    EXPECT_LT(most, 2000u) << e;
  }
}

TEST(HardDiscs, TheWorldAgreesWithBox2DUntilAndAfterTheFirstCollision) {
  int pairs = 0, walls = 0;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    const auto exact = MakeWorld("billiards(friction=0, restitution=1, speed=8, solver=exact)"),
               box2d = MakeWorld("billiards(friction=0, restitution=1, speed=8)");
    exact->Reset(seed);
    box2d->Reset(seed);
    const auto distance = [&](size_t variable) {
      double most = 0;
      const auto a = exact->TrueState()[variable].values, b = box2d->TrueState()[variable].values;
      for (size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a[i] - b[i]));
      return most;
    };
    ASSERT_EQ(distance(0), 0);
    for (int frame = 0; frame < 300; ++frame) {
      exact->Step(std::vector<float>{0});
      box2d->Step(std::vector<float>{0});
      if (exact->Events().empty() && box2d->Events().empty()) {
        ASSERT_LT(distance(0), 1e-4) << "m, from floats";
        continue;
      }
      if (exact->Events() != box2d->Events() || exact->Events().size() != 1) break;  // two at once, or at the border of a frame
      (exact->Events()[0].kind == "collision" ? pairs : walls)++;
      // Box2D stops at a contact within its slop of 0.3 mm, which moves the line of centres a little.
      EXPECT_LT(distance(0), 1e-3) << "m";
      EXPECT_LT(distance(1), exact->Events()[0].kind == "cushion" ? 1e-5 : 0.02) << "m/s";
      break;
    }
  }
  EXPECT_GT(pairs, 10);
  EXPECT_GT(walls, 30);
}

TEST(HardDiscs, TheWorldKeepsItsEnergyAndRefusesFriction) {
  BilliardsOptions options;
  options.balls = 8;
  options.friction = 0;
  options.restitution = 1;
  options.solver = "exact";
  Billiards world(options);
  world.Reset(3);
  const auto energy = [&] {
    double sum = 0;
    for (const Ball& b : world.Balls()) sum += b.radius * b.radius * (b.vx * b.vx + b.vy * b.vy);
    return sum;
  };
  const double start = energy();
  int collisions = 0;
  for (int i = 0; i < 10000; ++i) {
    world.Step(std::vector<float>{0});
    for (const WorldEvent& e : world.Events()) collisions += e.kind == "collision";
    ASSERT_LT(std::abs(energy() / start - 1), 1e-9);
  }
  EXPECT_GT(collisions, 500);
  EXPECT_EQ(ErrorOf([] { MakeWorld("billiards(solver=exact)"); }),
            "billiards: solver=exact knows collision times of balls that keep their speed; expected friction=0, got friction=1.5");
  EXPECT_EQ(MakeWorld("billiards(solver=box2d)")->Facts().spec, MakeWorld("billiards")->Facts().spec);
  EXPECT_NE(MakeWorld("billiards(friction=0, solver=exact)")->Facts().spec, MakeWorld("billiards(friction=0)")->Facts().spec);
}

}  // namespace
}  // namespace orrery
