// Overlap of planar views and retrieval by pose: against Monte Carlo, brute force and random walks.
#include "state/implicit/retrieval/view.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

#include "core/rng.h"

namespace orrery {
namespace {

constexpr double kPi = std::numbers::pi;
const FieldOfView kView{.angle = kPi / 2, .range = 4};

double Uniform(Rng& rng, double low, double high) { return low + (high - low) * rng.Uniform(); }

PlanarPose RandomPose(Rng& rng, double side) { return {Uniform(rng, 0, side), Uniform(rng, 0, side), Uniform(rng, -kPi, kPi)}; }

// A sector, told by dot and cross products instead of angles.
bool Sees(const PlanarPose& p, double x, double y, const FieldOfView& view) {
  const double dx = x - p.x, dy = y - p.y, along = dx * std::cos(p.angle) + dy * std::sin(p.angle);
  const double across = std::abs(dy * std::cos(p.angle) - dx * std::sin(p.angle));
  return dx * dx + dy * dy <= view.range * view.range && along > 0 && across <= along * std::tan(view.angle / 2);
}

// Share of a's view that b sees, from `count` random points of a's sector, and its standard error.
std::pair<double, double> MonteCarlo(const PlanarPose& a, const PlanarPose& b, int64_t count, Rng& rng) {
  int64_t both = 0;
  for (int64_t i = 0; i < count; ++i) {
    const double r = kView.range * std::sqrt(rng.Uniform()), angle = a.angle + Uniform(rng, -0.5, 0.5) * kView.angle;
    both += Sees(b, a.x + r * std::cos(angle), a.y + r * std::sin(angle), kView);
  }
  const double p = static_cast<double>(both) / static_cast<double>(count);
  return {p, std::sqrt(std::max(p * (1 - p), 1e-6) / static_cast<double>(count))};
}

double Share(const PlanarPose& a, const PlanarPose& b, int64_t points) {
  const auto asked = ViewPoints(a, kView, points);
  int64_t seen = 0;
  for (const auto& [x, y] : asked) seen += InView(b, x, y, kView);
  return static_cast<double>(seen) / static_cast<double>(asked.size());
}

TEST(View, OverlapIsThatOfMonteCarlo) {
  Rng rng(1);
  double worst = 0, mean = 0;
  const int pairs = 200;
  for (int i = 0; i < pairs; ++i) {
    const PlanarPose a = RandomPose(rng, 5), b = RandomPose(rng, 5);
    const auto [share, error] = MonteCarlo(a, b, 20000, rng);
    // Many points: within the error of chance and a spiral's own of about one point in its border.
    EXPECT_NEAR(Share(a, b, 40000), share, 4 * error + 0.002);
    const double few = std::abs(Share(a, b, 1024) - share);
    worst = std::max(worst, few);
    mean += few / pairs;
  }
  // 1,024 points in the disc are 256 in a view of 90 degrees: better than 256 drawn at random, whose error is 0.03 at a half.
  EXPECT_LT(mean, 0.01);
  EXPECT_LT(worst, 0.05);
}

TEST(View, GreedyPicksAreDistinctAndEachAddsSomething) {
  Rng rng(2);
  for (int i = 0; i < 50; ++i) {
    std::vector<PlanarPose> past;
    for (int t = 0; t < 60; ++t) past.push_back(RandomPose(rng, 6));
    const PlanarPose target = RandomPose(rng, 6);
    const auto asked = ViewPoints(target, kView, 256);
    const auto chosen = CoverView(past, target, kView, 8, 256, 0);
    EXPECT_EQ(std::set<int64_t>(chosen.begin(), chosen.end()).size(), chosen.size());
    std::vector<bool> open(asked.size(), true);
    int64_t last = static_cast<int64_t>(asked.size());
    for (const int64_t f : chosen) {
      int64_t gain = 0, best = 0;
      for (const PlanarPose& other : past) {
        int64_t could = 0;
        for (size_t p = 0; p < asked.size(); ++p) could += open[p] && Sees(other, asked[p][0], asked[p][1], kView);
        best = std::max(best, could);
      }
      for (size_t p = 0; p < asked.size(); ++p)
        if (open[p] && Sees(past[static_cast<size_t>(f)], asked[p][0], asked[p][1], kView)) open[p] = false, ++gain;
      EXPECT_GT(gain, 0);
      EXPECT_EQ(gain, best) << "not the frame that sees most of what is left";
      EXPECT_LE(gain, last);
      last = gain;
    }
  }
}

// Walks that come back: at a pose seen before, the frame of that pose is the first choice, and of two visits the newer.
TEST(View, FindsTheFrameOfTheRevisitedPose) {
  int found = 0, newer = 0;
  const int loops = 100;
  for (int i = 0; i < loops; ++i) {
    Rng rng(100 + static_cast<uint64_t>(i));
    std::vector<PlanarPose> past{RandomPose(rng, 10)};
    for (int t = 1; t < 120; ++t) {
      PlanarPose p = past.back();
      if (rng.Uniform() < 0.4) {
        p.angle = std::remainder(p.angle + (rng.Uniform() < 0.5 ? 1 : -1) * kPi / 6, 2 * kPi);
      } else {
        p.x = std::clamp(p.x + 0.5 * std::cos(p.angle), 0.0, 10.0);
        p.y = std::clamp(p.y + 0.5 * std::sin(p.angle), 0.0, 10.0);
      }
      past.push_back(p);
    }
    const size_t back = 10 + static_cast<size_t>(rng.Uniform() * 100);
    const PlanarPose target = past[back];
    const auto chosen = CoverView(past, target, kView, 3);
    const PlanarPose& first = past[static_cast<size_t>(chosen.at(0))];
    found +=
        std::hypot(first.x - target.x, first.y - target.y) < 0.26 && std::abs(std::remainder(first.angle - target.angle, 2 * kPi)) < 0.01;
    std::vector<PlanarPose> twice = past;
    for (int t = 0; t < 20; ++t) twice.push_back({50, 50, 0});
    twice.push_back(target);
    for (int t = 0; t < 20; ++t) twice.push_back({50, 50, 0});
    newer += CoverView(twice, target, kView, 1).at(0) == static_cast<int64_t>(past.size()) + 20;
  }
  EXPECT_GE(found, 95);
  EXPECT_EQ(newer, loops);
}

// Left border meets left and right meets right: a rule that few overlapping views keep, and those that keep it share most of what they see.
TEST(View, BorderRaysMeetWhereMostIsShared) {
  Rng rng(3);
  int accepted = 0, little = 0, most = 0, most_accepted = 0;
  for (int i = 0; i < 10000; ++i) {
    const PlanarPose a = RandomPose(rng, 6), b = RandomPose(rng, 6);
    const bool rays = RaysMeet(a, b, kView, 0.02 * kView.range);
    const double share = MonteCarlo(a, b, 400, rng).first;
    accepted += rays, little += rays && share<0.4, most += share> 0.7, most_accepted += rays && share > 0.7;
  }
  EXPECT_GT(accepted, 100);
  EXPECT_LT(little, accepted / 50);
  EXPECT_GT(most_accepted, most / 3);
}

TEST(View, RayFramesAreNeverNeighboursInTime) {
  Rng rng(4);
  for (int i = 0; i < 50; ++i) {
    std::vector<PlanarPose> past{RandomPose(rng, 6)};
    for (int t = 1; t < 80; ++t) {
      PlanarPose p = past.back();
      p.angle += Uniform(rng, -0.4, 0.4);
      p.x += 0.3 * std::cos(p.angle), p.y += 0.3 * std::sin(p.angle);
      past.push_back(p);
    }
    std::vector<int64_t> chosen = OverlapView(past, past[static_cast<size_t>(i)], kView, 6, 0.08);
    ASSERT_FALSE(chosen.empty());
    EXPECT_EQ(chosen.back(), 79) << "the newest frame is always read";
    chosen.pop_back();
    std::sort(chosen.begin(), chosen.end());
    for (size_t k = 1; k < chosen.size(); ++k) EXPECT_GT(chosen[k] - chosen[k - 1], 1);
    for (const int64_t f : chosen) EXPECT_TRUE(RaysMeet(past[static_cast<size_t>(f)], past[static_cast<size_t>(i)], kView, 0.08));
  }
}

}  // namespace
}  // namespace orrery
