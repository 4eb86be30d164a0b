// Laws of motion read from tracks: closed forms, and worlds whose constants are known.
#include <gtest/gtest.h>

#include <cmath>

#include "core/rng.h"
#include "eval/causality/disc_laws.h"
#include "eval/causality/pendulum_laws.h"
#include "worlds/billiards.h"
#include "worlds/hard_discs.h"
#include "worlds/registry.h"

namespace orrery {
namespace {

// Objects after every action of `frames`, none first.
ObjectFilm Play(World& world, int64_t frames) {
  ObjectFilm film;
  for (int64_t t = 0; t < frames; ++t) {
    world.Step(std::vector<float>{0});
    film.push_back(world.Objects());
  }
  return film;
}

TEST(Tracks, FillGapsAndAreDiscarded) {
  const auto at = [](double x) { return std::vector<WorldObject>{{3, "ball", x, 2 * x, {}}}; };
  const Track track = *TrackOf({{}, at(1), {}, {}, at(4), {}}, 3);
  EXPECT_EQ(track.x, (std::vector<double>{1, 1, 2, 3, 4, 4}));
  EXPECT_EQ(track.y, (std::vector<double>{2, 2, 4, 6, 8, 8}));
  EXPECT_EQ(track.missing, 4);
  EXPECT_DOUBLE_EQ(Travel(track), 3 * std::sqrt(5.0));
  EXPECT_FALSE(TrackOf({{}, at(1)}, 4));
  const Track still{{1, 1, 1, 1}, {0, 0, 0, 0}, 0}, moves{{1, 2, 3, 4}, {0, 0, 0, 0}, 0};
  EXPECT_FALSE(Discarded(std::vector<std::optional<Track>>{moves}, std::vector{moves}));
  EXPECT_TRUE(Discarded(std::vector<std::optional<Track>>{still}, std::vector{moves}));
  EXPECT_FALSE(Discarded(std::vector<std::optional<Track>>{still}, std::vector{still})) << "the truth stands still too";
  EXPECT_TRUE(Discarded(std::vector<std::optional<Track>>{track}, std::vector{moves})) << "seldom seen";
  EXPECT_TRUE(Discarded(std::vector<std::optional<Track>>{std::nullopt}, std::vector{moves}));
}

TEST(Tracks, RatesOfLinesAreExactAndOfACubeAsByHand) {
  std::vector<double> line, cube;
  for (int t = 0; t < 20; ++t) {
    line.push_back(3 - 0.25 * t);
    cube.push_back(std::pow(t - 10, 3));
  }
  for (const auto& rate : Rates(line, 30)) EXPECT_NEAR(*rate, -7.5, 1e-12);
  // Cubics pass the smoothing unchanged. Of u^3 at u = 0 the line through -8, -1, 0, 1, 8 has the slope 34 / 10, the central difference 1.
  EXPECT_NEAR(*Rates(cube, 1)[10], 0.7 * 3.4 + 0.3 * 1, 1e-9);
}

TEST(Tracks, RatesStopAtACollision) {
  Track track;
  std::vector<double> speed;
  double x = 0, v = 2;
  for (int t = 0; t < 16; ++t) {
    track.x.push_back(x);
    track.y.push_back(0);
    speed.push_back(v);
    if (t == 7) {  // bounces 0.3 of the way to the next frame
      x += 0.3 * v - 0.7 * v;
      v = -v;
    } else {
      x += v;
    }
  }
  const std::vector<int64_t> breaks = VelocityBreaks(track, 0.05);
  EXPECT_EQ(breaks, (std::vector<int64_t>{7, 8, 9}));
  EXPECT_EQ(MedianBend(track), 0);
  const auto rates = Rates(track.x, 1, breaks);
  for (size_t t = 0; t < rates.size(); ++t) {
    if (t == 7 || t == 8)
      EXPECT_FALSE(rates[t]) << t;
    else
      EXPECT_NEAR(*rates[t], speed[t], 1e-9) << t;
  }
  const std::vector<int64_t> alone = {4, 5};
  EXPECT_FALSE(Rates(track.x, 1, alone)[4]) << "a piece of one frame";
}

TEST(Invariance, ByHand) {
  EXPECT_EQ(Invariance(std::vector<double>{5, 5, 5}), 1);
  EXPECT_DOUBLE_EQ(Invariance(std::vector<double>{99, 101}), 1 / 1.01);       // deviation 1, mean 100
  EXPECT_DOUBLE_EQ(Invariance(std::vector<double>{1, 3}), 1 / 2.0);           // mean 2 is neither 10 deviations nor 10
  EXPECT_DOUBLE_EQ(Invariance(std::vector<double>{-1, 1}), 1 / 2.0);          // mean 0
  EXPECT_DOUBLE_EQ(Invariance(std::vector<double>{-15, -5}), 1 / (1 + 0.5));  // |mean| is 10
  EXPECT_DOUBLE_EQ(*WindowedInvariance(std::vector<double>{1, 1, 1, 3}, 2), (1 + 1 + 0.5) / 3);
  EXPECT_FALSE(WindowedInvariance(std::vector<double>{1, 1}, 2));
}

TEST(Swing, SmallSwingsHaveTheClosedForm) {
  const double length = 1.5, g = 3.7, damping = 0.4, w0 = std::sqrt(g / length), w = std::sqrt(w0 * w0 - damping * damping / 4);
  Swing swing;
  for (int t = 0; t < 150; ++t) {
    const double s = t / 30.0;
    swing.angle.push_back(1e-3 * std::exp(-damping * s / 2) * std::cos(w * s + 0.3));
    swing.length.push_back(length);
  }
  const SwingFit fit = FitSwing(swing.angle, length, 30);
  EXPECT_NEAR(fit.gravity, g, 1e-4);
  EXPECT_NEAR(fit.damping, damping, 1e-4);
  EXPECT_LT(fit.nmse, 1e-9);
  for (const double half : HalfPeriods(swing, 30)) EXPECT_NEAR(half, M_PI / w, 1e-3);
  std::vector<double> back(swing.angle.rbegin(), swing.angle.rend());
  EXPECT_NEAR(FitSwing(back, length, 30).damping, -damping, 1e-4);
  EXPECT_EQ(FitSwing(std::vector<double>(20, 0.3), length, 30).nmse, 1);
  EXPECT_THROW(FitSwing(std::vector<double>(7, 0.3), length, 30), Error);
}

TEST(Swing, OfTheWorldKeepsEnergyAndGivesItsConstants) {
  for (const char* spec : {"pendulum", "pendulum(damping=0.5)"}) {
    const auto world = MakeWorld(spec);
    world->Reset(5);
    const PendulumView view = *ViewPendulum(*world);
    const Swing swing = ReadSwing(*TrackOf(Play(*world, 120), 1), view);
    for (const double length : swing.length) EXPECT_NEAR(length, view.length, 1e-9);
    const SwingFit fit = FitSwing(swing.angle, view.length, view.fps);
    EXPECT_NEAR(fit.gravity, kStandardGravity, 1e-3) << spec;
    EXPECT_NEAR(fit.damping, view.damping, 1e-3) << spec;
    EXPECT_LT(fit.nmse, 1e-6) << spec;
    const std::vector<double> energy = SwingEnergy(swing, view.fps);
    if (view.damping == 0) {
      EXPECT_NEAR(energy[60], energy[20], 0.02 * energy[20]);
    }
    if (view.damping > 0) {
      EXPECT_LT(energy[100], 0.5 * energy[10]);
    }
    Rng rng(4);
    std::vector<double> shaken = swing.angle;
    for (double& angle : shaken) angle += 0.1 * rng.Normal();
    EXPECT_GT(FitSwing(shaken, view.length, view.fps).nmse, 0.01);
  }
  EXPECT_FALSE(ViewPendulum(*MakeWorld("pendulum(kind=double)")));
  EXPECT_FALSE(ViewPendulum(*MakeWorld("billiards")));
}

TEST(Fall, IsAParabola) {
  std::vector<double> down;
  for (int t = 0; t < 9; ++t) down.push_back(2 - 0.7 * t / 30.0 + 0.5 * 4.2 * t * t / 900.0);
  EXPECT_NEAR(*FitFall(down, 30), 4.2, 1e-9);
  EXPECT_FALSE(FitFall(std::vector<double>(3, 1.0), 30));
  const auto world = MakeWorld("pendulum");
  world->Reset(3);
  const PendulumView view = *ViewPendulum(*world);
  world->Intervene("cut");
  EXPECT_FALSE(ViewPendulum(*world));
  const Track track = *TrackOf(Play(*world, 8), 1);
  std::vector<double> fall;
  for (const double y : track.y) fall.push_back((y - view.pivot_y) / view.scale);
  EXPECT_NEAR(*FitFall(fall, 30), kStandardGravity, 1e-6);
}

TEST(Discs, TheWorldsRestitutionAndInvariantsAreFound) {
  for (const double e : {1.0, 0.8}) {
    const auto world = MakeWorld(fmt::format("billiards(speed=8, friction=0, restitution={}, solver=exact)", e));
    const DiscTable table = *ViewTable(*world);
    EXPECT_NEAR(table.restitution, e, 1e-9);
    world->Reset(11);
    const ObjectFilm film = Play(*world, 90);
    std::vector<Track> tracks;
    for (int64_t id = 1; id <= 4; ++id) tracks.push_back(*TrackOf(film, id));
    const DiscFilm discs = ReadDiscs(tracks, table);
    const CollisionFit fit = FitCollisions(discs, table);
    EXPECT_GT(fit.stretches, 5);
    EXPECT_NEAR(fit.restitution, e, 2e-3);
    EXPECT_LT(fit.nmse, 1e-3);
    const double energy = *WindowedInvariance(DiscEnergy(discs), 20);
    if (e == 1) {
      EXPECT_GT(energy, 0.99);
    }
    if (e < 1) {
      EXPECT_LT(energy, 0.98);
    }
    EXPECT_EQ(PenetrationRate(discs, table, 0.02), 0);
    for (const std::vector<double>& run : DiscMomenta(discs, table)) EXPECT_GT(*WindowedInvariance(run, 20), 0.95);
  }
  EXPECT_FALSE(ViewTable(*MakeWorld("billiards")));
  EXPECT_FALSE(ViewTable(*MakeWorld("pendulum")));
}

TEST(Discs, VelocitiesAreComparedBeforeAndAfterAHit) {
  DiscTable table{10, 10, 0.5, 1, 0, 10, 1, 10};
  const auto straight = [&](double vx) {
    Track track;
    for (int t = 0; t < 10; ++t) track.x.push_back(1 + 0.1 * vx * t), track.y.push_back(5);
    return ReadDiscs(std::vector{track}, table);
  };
  const VelocityError error = CompareVelocities(straight(3), straight(2), std::vector<int64_t>{6});
  EXPECT_NEAR(*error.before, 1, 1e-9);
  EXPECT_NEAR(*error.after, 1, 1e-9);
  EXPECT_FALSE(CompareVelocities(straight(3), straight(2), std::vector<int64_t>{10}).after) << "it is never hit";
}

TEST(Discs, WhatLiesInOneAnotherIsCounted) {
  DiscTable table{10, 10, 0.5, 1, 0, 10, 1, 10};
  Track still, comes;
  for (int t = 0; t < 5; ++t) {
    still.x.push_back(5), still.y.push_back(5);
    comes.x.push_back(3.5 + 0.2 * t), comes.y.push_back(5);  // overlaps by -0.5, -0.3, -0.1, 0.1, 0.3
  }
  EXPECT_DOUBLE_EQ(PenetrationRate(ReadDiscs(std::vector{still, comes}, table), table, 0.05), 0.4);
}

}  // namespace
}  // namespace orrery
