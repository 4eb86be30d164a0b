#include "worlds/policy.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "worlds/registry.h"

namespace orrery {
namespace {

std::vector<std::vector<float>> Record(const char* spec, const char* policy_spec, int steps, uint64_t seed) {
  const auto world = MakeWorld(spec);
  world->Reset(seed);
  const auto policy = MakePolicy(policy_spec);
  Rng rng(seed, "policy");
  std::vector<std::vector<float>> actions;
  for (int i = 0; i < steps; ++i) {
    actions.push_back(policy->Act(*world, rng));
    world->Step(actions.back());
  }
  return actions;
}

TEST(Policy, SameSeedSameActions) {
  for (const std::string& world : Worlds().Names())
    for (const std::string& policy : Policies().Names()) {
      EXPECT_EQ(Record(world.c_str(), policy.c_str(), 300, 1), Record(world.c_str(), policy.c_str(), 300, 1)) << world << policy;
      EXPECT_NE(Record(world.c_str(), policy.c_str(), 300, 1), Record(world.c_str(), policy.c_str(), 300, 2)) << world << policy;
    }
}

TEST(Policy, RandomDrawsEveryActionAlike) {
  std::vector<int> counts(9);
  for (const auto& action : Record("billiards", "random", 9000, 1)) ++counts[static_cast<size_t>(action[0])];
  for (const int count : counts) EXPECT_NEAR(count, 1000, 120);
  double sum = 0;
  for (const auto& action : Record("maze(step=continuous)", "random", 2000, 1)) {
    ASSERT_EQ(action.size(), 2u);
    EXPECT_LE(std::abs(action[1]), 1);
    sum += action[1] * action[1];
  }
  EXPECT_NEAR(sum / 2000, 1 / 3.0, 0.03);
}

TEST(Policy, StickyKeepsItsActionAsOftenAsAsked) {
  for (const auto& [spec, repeat] : {std::pair{"sticky(repeat=0.5)", 0.5}, std::pair{"sticky(0.95)", 0.95}, std::pair{"sticky(1)", 1.0}}) {
    const auto actions = Record("billiards", spec, 5000, 3);
    int kept = 0;
    for (size_t i = 1; i < actions.size(); ++i) kept += actions[i] == actions[i - 1];
    EXPECT_NEAR(kept / 4999.0, repeat + (1 - repeat) / 9, 0.03);
  }
}

struct Walk {
  int forward = 0, blocked = 0, cells = 0, free = 0;
  std::vector<int> counts = std::vector<int>(6);
};

Walk Explore(const char* spec, int steps, uint64_t seed) {
  const auto world = MakeWorld(spec);
  world->Reset(seed);
  const auto policy = MakePolicy("explore");
  Rng rng(seed);
  Walk walk;
  std::set<std::pair<int, int>> cells;
  const bool lattice = world->Facts().actions.Discrete();
  for (int i = 0; i < steps; ++i) {
    const auto action = policy->Act(*world, rng);
    const Pose before = *world->TruePose();
    world->Step(action);
    const Pose after = *world->TruePose();
    cells.insert({static_cast<int>(after.x), static_cast<int>(after.y)});
    if (lattice) ++walk.counts[static_cast<size_t>(action[0])];
    if (lattice ? action[0] == 1 || action[0] >= 4 : action[0] > 0.5f) {
      ++walk.forward;
      walk.blocked += before.x == after.x && before.y == after.y;
    }
  }
  walk.cells = static_cast<int>(cells.size());
  for (const StateVariable& v : world->TrueState())
    if (v.name == "walls")
      for (const double wall : v.values) walk.free += wall == 0;
  return walk;
}

TEST(Policy, ExplorersOfAMazeWalkInsteadOfBumping) {
  for (const char* spec : {"maze", "maze(step=continuous)", "maze(size=7, objects=0)"})
    for (uint64_t seed = 0; seed < 6; ++seed) {
      const Walk walk = Explore(spec, 1500, seed);
      EXPECT_GT(walk.forward, 800) << spec << seed;
      EXPECT_LT(walk.blocked, 60) << spec << seed;
      EXPECT_GT(walk.cells, 0.7 * walk.free) << spec << seed;
    }
  for (const int count : Explore("maze", 1500, 1).counts) EXPECT_GT(count, 5);
}

TEST(Policy, ExplorersOfATablePushAndRest) {
  const auto actions = Record("billiards", "explore", 2000, 4);
  std::vector<int> counts(9);
  for (const auto& action : actions) ++counts[static_cast<size_t>(action[0])];
  EXPECT_GT(counts[0], 1000);
  for (int direction = 1; direction < 9; ++direction) EXPECT_GT(counts[direction], 20) << direction;
}

class Blank : public World {
 public:
  Blank() { facts_.actions.count = 2; }
  const WorldFacts& Facts() const override { return facts_; }
  void Reset(uint64_t) override {}
  void Step(std::span<const float>) override {}
  void Render(std::span<uint8_t>) const override {}
  std::vector<StateVariable> TrueState() const override { return {}; }
  std::string Snapshot() const override { return {}; }
  void Restore(std::string_view) override {}

 private:
  WorldFacts facts_;
};

TEST(Policy, ErrorsSayWhatIsValid) {
  EXPECT_THROW(MakePolicy("stiky"), Error);
  EXPECT_THROW(MakePolicy("sticky(repeat=2)"), Error);
  EXPECT_THROW(MakePolicy("explore(noise=-1)"), Error);
  EXPECT_THROW(MakePolicy("random(1)"), Error);
  Blank blank;
  Rng rng(1);
  for (const char* policy : {"explore", "random"}) EXPECT_EQ(MakePolicy(policy)->Act(blank, rng).size(), 1u);
}

}  // namespace
}  // namespace orrery
