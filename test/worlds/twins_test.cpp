#include "worlds/twins.h"

#include <gtest/gtest.h>

#include "worlds/registry.h"

namespace orrery {
namespace {

struct Twins {
  TwinRun factual, changed;
};

Twins RunBoth(const char* spec, uint64_t seed, const TwinPlan& plan) {
  const auto a = MakeWorld(spec), b = MakeWorld(spec);
  a->Reset(seed);
  b->Restore(a->Snapshot());
  return {RunTwin(*a, plan, false), RunTwin(*b, plan, true)};
}

std::vector<std::vector<float>> Actions(std::initializer_list<std::pair<int, int>> runs) {
  std::vector<std::vector<float>> actions;
  for (const auto& [action, times] : runs) actions.insert(actions.end(), times, {static_cast<float>(action)});
  return actions;
}

TEST(Twins, TheEffectOfATakenDominoIsASuffixOfTheChain) {
  const auto [factual, changed] = RunBoth("dominoes", 3, {Actions({{1, 1}, {0, 250}}), "remove(6)", 0});
  const std::set<int64_t> effect = CausalSet(factual, changed, 1);
  for (int64_t id = 6; id <= 10; ++id) EXPECT_TRUE(effect.contains(id)) << id;
  // Who stands before the gap may fall further, and so may those who lean on them; the beginning of the chain falls as it did.
  for (const int64_t id : {1, 2}) EXPECT_FALSE(effect.contains(id)) << id;
  EXPECT_EQ(CausalSet(factual, changed, 1, 0), std::set<int64_t>{}) << "nothing differs before";
}

TEST(Twins, WithoutAChangeTwinsAreBitEqual) {
  for (const std::string& name : Worlds().Names()) {
    const auto world = MakeWorld(name);
    std::vector<std::vector<float>> actions;
    for (int i = 0; i < 30; ++i)
      actions.push_back(std::vector<float>(static_cast<size_t>(world->Facts().actions.Width()), static_cast<float>(i % 2)));
    const auto [factual, changed] = RunBoth(name.c_str(), 4, {actions, "", 5});
    EXPECT_EQ(factual.frames, changed.frames) << name;
    EXPECT_TRUE(CausalSet(factual, changed, 0).empty()) << name;
    EXPECT_EQ(factual.events, changed.events) << name;
  }
}

TEST(Twins, ARemovedBallChangesItselfAndThoseItWouldHaveMet) {
  const auto [factual, changed] = RunBoth("billiards(balls=3, friction=0)", 8, {Actions({{0, 90}}), "remove(2)", 10});
  const std::set<int64_t> set = CausalSet(factual, changed, 1);
  EXPECT_TRUE(set.contains(3));
  EXPECT_EQ(CausalSet(factual, changed, 0, 10), std::set<int64_t>{}) << "the change comes after frame 10";
  std::set<int64_t> touched = {3};
  for (const auto& events : factual.events)
    for (const WorldEvent& e : events)
      if (e.kind == "collision" && (touched.contains(e.subject) || touched.contains(e.object))) touched.insert({e.subject, e.object});
  for (const int64_t id : set) EXPECT_TRUE(touched.contains(id)) << id;
}

TEST(Twins, APlanThatCannotBeIsRefused) {
  const auto world = MakeWorld("dominoes");
  EXPECT_THROW(RunTwin(*world, {Actions({{0, 3}}), "", 4}, true), Error);
  EXPECT_THROW(RunTwin(*world, {Actions({{0, 3}}), "remove(99)", 1}, true), Error);
}

}  // namespace
}  // namespace orrery
