// Laws that the simulated worlds keep, and what their interventions do.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "worlds/dominoes.h"
#include "worlds/growth.h"
#include "worlds/heading.h"
#include "worlds/occluder.h"
#include "worlds/pendulum.h"
#include "worlds/stack.h"

namespace orrery {
namespace {

void Act(World& world, int action, int frames = 1) {
  const float value = static_cast<float>(action);
  for (int i = 0; i < frames; ++i) world.Step({&value, 1});
}

std::vector<int64_t> Fallen(const Dominoes& world) {
  std::vector<int64_t> ids;
  for (size_t i = 0; i < world.Bodies().size(); ++i)
    if (world.Fallen()[i]) ids.push_back(world.Bodies()[i].id);
  return ids;
}

TEST(AngleDirection, IsTheSineAndCosine) {
  for (double angle = -40; angle < 40; angle += 0.0137) {
    const Direction d = AngleDirection(angle);
    EXPECT_NEAR(d.x, std::cos(angle), 1e-14);
    EXPECT_NEAR(d.y, std::sin(angle), 1e-14);
  }
}

TEST(Pendulum, KeepsItsEnergyOverTwentySeconds) {
  for (const char* kind : {"single", "double", "spring"})
    for (uint64_t seed = 0; seed < 5; ++seed) {
      Pendulum world(PendulumOptions{.kind = kind});
      world.Reset(seed);
      const double before = world.Energy();
      Act(world, 0, 600);
      EXPECT_NEAR(world.Energy(), before, 1e-6 * std::max(1.0, before)) << kind << " " << seed;
    }
}

TEST(Pendulum, SmallSwingsHaveThePeriodOfTheBooks) {
  Pendulum world(PendulumOptions{});
  PendulumState s = world.State();
  s.q[0] = 0.01;
  s.v[0] = 0;
  s.length[0] = 1.5;
  world.SetState(s);
  std::vector<int> turns;
  for (int t = 0; t < 600; ++t) {
    Act(world, 0);
    for (const WorldEvent& e : world.Events())
      if (e.kind == "turn") turns.push_back(t);
  }
  ASSERT_GT(turns.size(), 10u);
  const double half = (turns.back() - turns.front()) / (30.0 * static_cast<double>(turns.size() - 1));
  EXPECT_NEAR(2 * half, 2 * std::numbers::pi * std::sqrt(1.5 / 9.81), 0.01);
}

TEST(Pendulum, DampingOnlyLosesEnergyAndMassChangesNothing) {
  Pendulum world(PendulumOptions{.damping = 0.3}), twin(PendulumOptions{.damping = 0.3});
  world.Reset(4);
  twin.Reset(4);
  twin.Intervene("mass(bob=1, factor=3)");
  double before = world.Energy();
  for (int t = 0; t < 300; ++t) {
    Act(world, 0);
    Act(twin, 0);
    EXPECT_LE(world.Energy(), before);
    before = world.Energy();
    EXPECT_EQ(world.State().q, twin.State().q);
  }
}

TEST(Pendulum, ACutBobFliesAParabola) {
  Pendulum world(PendulumOptions{});
  world.Reset(1);
  Act(world, 0, 20);
  world.Intervene("cut");
  const std::array<double, 4> start = world.State().flight;
  Act(world, 0, 15);
  const std::array<double, 4> now = world.State().flight;
  EXPECT_NEAR(now[0], start[0] + 0.5 * start[2], 1e-12);
  EXPECT_NEAR(now[1], start[1] + 0.5 * start[3] - 0.5 * 9.81 * 0.25, 1e-9);
  EXPECT_THROW(world.Intervene("cut"), Error);
}

TEST(Dominoes, StandUntilPushedAndThenAllFallInOrder) {
  Dominoes world(DominoesOptions{});
  for (uint64_t seed = 0; seed < 5; ++seed) {
    world.Reset(seed);
    Act(world, 0, 300);
    EXPECT_TRUE(Fallen(world).empty()) << seed;
    Act(world, 1);
    std::vector<int64_t> order;
    for (int t = 0; t < 200; ++t) {
      Act(world, 0);
      for (const WorldEvent& e : world.Events()) order.push_back(e.subject);
    }
    ASSERT_EQ(order.size(), 10u) << seed;
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end())) << seed;
  }
}

TEST(Dominoes, WhatIsCutBeforeTheWaveStopsIt) {
  for (uint64_t seed = 0; seed < 5; ++seed)
    for (const char* cut : {"remove(5)", "gap(domino=4, width=1.2)", "blocker(4)"}) {
      Dominoes world(DominoesOptions{});
      world.Reset(seed);
      world.Intervene(cut);
      Act(world, 1);
      Act(world, 0, 300);
      std::vector<int64_t> fallen = Fallen(world);
      // Those before a blocker may lean on it instead of falling.
      if (std::string(cut) == "blocker(4)") {
        EXPECT_GE(fallen.size(), 2u) << seed;
        fallen.resize(2);
        EXPECT_EQ(fallen, (std::vector<int64_t>{1, 2})) << seed;
        fallen = Fallen(world);
        EXPECT_LE(fallen.back(), 4) << seed;
      } else {
        EXPECT_EQ(fallen, (std::vector<int64_t>{1, 2, 3, 4})) << cut << " " << seed;
      }
    }
}

TEST(Dominoes, ACutAfterTheWaveChangesNobodyElse) {
  Dominoes world(DominoesOptions{}), twin(DominoesOptions{});
  for (Dominoes* w : {&world, &twin}) {
    w->Reset(2);
    Act(*w, 1);
    Act(*w, 0, 250);
  }
  EXPECT_EQ(Fallen(world).size(), 10u);
  twin.Intervene("tint(2)");
  Act(world, 0, 50);
  Act(twin, 0, 50);
  EXPECT_EQ(world.Bodies(), twin.Bodies());
}

TEST(Stack, AStraightTowerStandsAndOneWithoutItsMiddleFalls) {
  Stack world(StackOptions{.boxes = 6, .offset = 0});
  for (uint64_t seed = 0; seed < 5; ++seed) {
    world.Reset(seed);
    EXPECT_TRUE(world.Stands(150)) << seed;
    const std::vector<RigidBody> before = world.Bodies();
    Act(world, 0, 150);
    for (size_t i = 0; i < before.size(); ++i) EXPECT_NEAR(world.Bodies()[i].x, before[i].x, 0.02);
    Act(world, 3 * 3);  // take-3
    Act(world, 0, 60);
    EXPECT_LT(world.Bodies()[3].y, before[3].y - 0.9f * 2 * before[2].half_height);
  }
}

TEST(Stack, SomeTowersStandAndSomeFall) {
  Stack world(StackOptions{});
  int standing = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    world.Reset(seed);
    standing += world.Stands(120);
  }
  EXPECT_GT(standing, 15);
  EXPECT_LT(standing, 85);
}

TEST(Occluder, WhatIsHiddenGoesOnAndImpossibleThingsNeedCover) {
  Occluder world(OccluderOptions{.discs = 1});
  for (uint64_t seed = 0; seed < 6; ++seed) {
    world.Reset(seed);
    int hidden = 0, seen = 0;
    for (int t = 0; t < 400; ++t) {
      const OccluderDisc before = world.State().discs[0];
      Act(world, 0);
      const OccluderDisc now = world.State().discs[0];
      EXPECT_EQ(std::abs(now.vx), std::abs(before.vx));
      for (const WorldEvent& e : world.Events()) {
        hidden += e.kind == "hidden";
        seen += e.kind == "seen";
      }
      if (world.Visible()[0] > 0) {
        EXPECT_THROW(world.Intervene("vanish(1)"), Error);
      }
    }
    EXPECT_GT(hidden, 0) << seed;
    EXPECT_GT(seen, 0) << seed;
  }
}

TEST(Occluder, DarknessHidesAllAndThePostIsSolid) {
  Occluder world(OccluderOptions{.post = true});
  world.Reset(3);
  Act(world, 5);
  for (const double visible : world.Visible()) EXPECT_EQ(visible, 0);
  std::vector<bool> left;
  for (const OccluderDisc& d : world.State().discs) left.push_back(d.x < world.PostX());
  Act(world, 0, 500);
  for (size_t i = 0; i < left.size(); ++i) EXPECT_EQ(world.State().discs[i].x < world.PostX(), left[i]);
  world.Intervene("ghost");
  bool crossed = false;
  for (int t = 0; t < 300; ++t) {
    Act(world, 0);
    crossed |= (world.State().discs[0].x < world.PostX()) != left[0];
  }
  EXPECT_TRUE(crossed);
}

TEST(Growth, GoesOnlyForwardsAtTheSpeedAskedFor) {
  for (const char* kind : {"plant", "melt", "fill", "dye", "candle"}) {
    Growth world(GrowthOptions{.kind = kind, .frames = 100});
    world.Reset(6);
    const double start = world.State().progress;
    Act(world, 1, 10);  // stop
    EXPECT_EQ(world.State().progress, start);
    Act(world, 3, 10);  // fast: two a frame
    EXPECT_NEAR(world.State().progress, start + 0.2, 1e-12);
    Act(world, 4, 60);
    EXPECT_EQ(world.State().progress, 1);
  }
}

TEST(Growth, ThePictureShowsTheProgress) {
  for (const char* kind : {"plant", "melt", "fill", "dye", "candle"}) {
    Growth world(GrowthOptions{.kind = kind});
    world.Reset(2);
    std::vector<int64_t> area;
    for (const double progress : {0.1, 0.3, 0.5, 0.7, 0.9}) {
      GrowthState s = world.State();
      s.progress = progress;
      world.SetState(s);
      std::vector<int32_t> ids(64 * 64);
      world.RenderIds(ids);
      area.push_back(std::count(ids.begin(), ids.end(), 1));
    }
    const bool shrinks = area.front() > area.back();
    for (size_t i = 1; i < area.size(); ++i) EXPECT_TRUE(shrinks ? area[i] < area[i - 1] : area[i] > area[i - 1]) << kind << " " << i;
  }
}

}  // namespace
}  // namespace orrery
