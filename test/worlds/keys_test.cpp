#include "worlds/keys.h"

#include <gtest/gtest.h>

#include <queue>
#include <unordered_map>

namespace orrery {
namespace {

// Fewest actions to stand on the goal and say done, by breadth-first search over snapshots; empty: there is no way.
std::vector<int> Solve(Keys& world) {
  struct Node {
    std::string snapshot;
    size_t parent;
    int action;
  };
  std::vector<Node> nodes = {{world.Snapshot(), 0, -1}};
  std::unordered_map<std::string, size_t> seen = {{nodes[0].snapshot, 0}};
  for (size_t i = 0; i < nodes.size() && nodes.size() < 400000; ++i)
    for (int action = 0; action < Keys::kActions; ++action) {
      world.Restore(nodes[i].snapshot);
      const float value = static_cast<float>(action);
      world.Step({&value, 1});
      std::string snapshot = world.Snapshot();
      if (!seen.emplace(snapshot, nodes.size()).second) continue;
      nodes.push_back({std::move(snapshot), i, action});
      if (!world.State().agents[0].done) continue;
      std::vector<int> actions;
      for (size_t n = nodes.size() - 1; n; n = nodes[n].parent) actions.insert(actions.begin(), nodes[n].action);
      return actions;
    }
  return {};
}

void Do(Keys& world, std::initializer_list<int> actions) {
  for (const int action : actions) {
    const float value = static_cast<float>(action);
    world.Step({&value, 1});
  }
}

// An empty room of 8 x 8 with the agent at (2, 3), looking right.
KeysState EmptyRoom(const Keys& world) {
  KeysState s = world.State();
  for (KeysTile& t : s.tiles) t = {};
  for (int32_t i = 0; i < 8; ++i)
    for (const int32_t at : {i, 56 + i, 8 * i, 8 * i + 7}) s.tiles[at].item = KeysTile::kWall;
  s.agents[0] = {2, 3, 0};
  return s;
}

TEST(Keys, EveryGridHasAWayWithAKeyADoorAndAGate) {
  for (const std::string gate : {"lever", "button"})
    for (uint64_t seed = 0; seed < (gate == "lever" ? 4u : 2u); ++seed) {
      Keys world(KeysOptions{.gate = gate});
      world.Reset(seed);
      const std::string start = world.Snapshot();
      const std::vector<int> way = Solve(world);
      ASSERT_FALSE(way.empty()) << gate << " " << seed;
      world.Restore(start);
      bool unlocked = false, opened = false;
      for (const int action : way) {
        Do(world, {action});
        for (const WorldEvent& e : world.Events()) {
          unlocked |= e.kind == "unlock";
          opened |= e.kind == "gate-open";
        }
      }
      EXPECT_TRUE(unlocked && opened && world.State().agents[0].done) << gate << " " << seed;
    }
}

TEST(Keys, OnlyTheKeyOfItsColourOpensADoorAndIsUsedUp) {
  Keys world(KeysOptions{});
  KeysState s = EmptyRoom(world);
  s.tiles[8 * 3 + 3] = {0, 0, KeysTile::kDoor, 1, 0, 9};
  s.agents[0].carried = 1 + 2;
  s.agents[0].carried_id = 8;
  world.SetState(s);
  Do(world, {Keys::kToggle, Keys::kForward});
  EXPECT_FALSE(world.State().tiles[8 * 3 + 3].open);
  EXPECT_EQ(world.State().agents[0].x, 2);
  s.agents[0].carried = 1 + 1;
  world.SetState(s);
  Do(world, {Keys::kToggle});
  ASSERT_EQ(world.Events().size(), 1u);
  EXPECT_EQ(world.Events()[0], (WorldEvent{"unlock", 1, 9}));
  EXPECT_EQ(world.State().agents[0].carried, 0);
  Do(world, {Keys::kForward});
  EXPECT_EQ(world.State().agents[0].x, 3);
}

TEST(Keys, BoxesArePushedOneAtATimeAndNotIntoThings) {
  Keys world(KeysOptions{});
  KeysState s = EmptyRoom(world);
  s.tiles[8 * 3 + 3] = {0, 0, KeysTile::kBox, 10, 0, 9};
  s.tiles[8 * 3 + 5] = {0, 0, KeysTile::kBox, 10, 0, 10};
  world.SetState(s);
  Do(world, {Keys::kForward});
  EXPECT_EQ(world.State().agents[0].x, 3);
  EXPECT_EQ(world.State().tiles[8 * 3 + 4].id, 9);
  Do(world, {Keys::kForward});
  EXPECT_EQ(world.State().agents[0].x, 3);
  EXPECT_EQ(world.State().tiles[8 * 3 + 4].id, 9);
}

TEST(Keys, IceCarriesOnUntilSomethingStops) {
  Keys world(KeysOptions{});
  KeysState s = EmptyRoom(world);
  for (const int32_t x : {3, 4, 5}) s.tiles[8 * 3 + x].floor = KeysTile::kIce;
  world.SetState(s);
  Do(world, {Keys::kForward});
  EXPECT_EQ(world.State().agents[0].x, 6);
  s.agents[0] = {6, 3, 2};
  s.tiles[8 * 3 + 3].item = KeysTile::kWall;
  world.SetState(s);
  Do(world, {Keys::kForward});
  EXPECT_EQ(world.State().agents[0].x, 4);
}

TEST(Keys, AButtonHoldsItsGateAndTheGateSparesWhatStandsInIt) {
  Keys world(KeysOptions{});
  KeysState s = EmptyRoom(world);
  s.tiles[8 * 3 + 3].floor = KeysTile::kButton;
  s.tiles[8 * 3 + 3].floor_color = 5;
  s.tiles[8 * 3 + 4] = {0, 0, KeysTile::kGate, 5, 0, 9};
  world.SetState(s);
  Do(world, {Keys::kForward});
  EXPECT_TRUE(world.State().tiles[8 * 3 + 4].open);
  Do(world, {Keys::kForward});
  EXPECT_EQ(world.State().agents[0].x, 4);
  EXPECT_TRUE(world.State().tiles[8 * 3 + 4].open);
  Do(world, {Keys::kForward});
  EXPECT_FALSE(world.State().tiles[8 * 3 + 4].open);
}

TEST(Keys, ACutLinkLeavesTheLeverWithoutEffect) {
  Keys world(KeysOptions{});
  KeysState s = EmptyRoom(world);
  s.tiles[8 * 3 + 3] = {0, 0, KeysTile::kLever, 5, 0, 8};
  s.tiles[8 * 5 + 5] = {0, 0, KeysTile::kGate, 5, 0, 9};
  world.SetState(s);
  Do(world, {Keys::kToggle});
  EXPECT_TRUE(world.State().tiles[8 * 5 + 5].open);
  world.SetState(s);
  world.Intervene("cut-links");
  Do(world, {Keys::kToggle});
  EXPECT_FALSE(world.State().tiles[8 * 5 + 5].open);
}

TEST(Keys, TheViewTurnsWithTheAgent) {
  Keys world(KeysOptions{.view = 7});
  KeysState s = EmptyRoom(world);
  s.tiles[8 * 3 + 4] = {0, 0, KeysTile::kBox, 10, 0, 9};
  for (int32_t heading = 0; heading < 4; ++heading) {
    const std::array<std::array<int32_t, 2>, 4> ahead = {{{4, 3}, {2, 5}, {0, 3}, {2, 1}}};
    KeysState turned = EmptyRoom(world);
    turned.agents[0].heading = heading;
    if (heading == 2) turned.agents[0].x = 4;
    const int32_t x = heading == 2 ? 2 : ahead[heading][0];
    turned.tiles[8 * ahead[heading][1] + x] = {0, 0, KeysTile::kBox, 10, 0, 9};
    world.SetState(turned);
    std::vector<int32_t> ids(56 * 56);
    world.RenderIds(ids);
    // The agent stands in the middle of the lowest row; two tiles ahead is row 4 of 0..6.
    EXPECT_EQ(ids[(4 * 8 + 4) * 56 + 3 * 8 + 4], 9) << heading;
    EXPECT_EQ(ids[(6 * 8 + 4) * 56 + 3 * 8 + 4], 1) << heading;
  }
}

TEST(Pair, ActionsOfOneAgentLeaveTheOtherAlone) {
  Pair world(PairOptions{});
  world.Reset(3);
  const KeysAgent b = world.State().agents[1];
  for (const int a : {Keys::kLeft, Keys::kForward, Keys::kRight, Keys::kForward}) {
    const float action = static_cast<float>(Keys::kActions * a + Keys::kDone);
    world.Step({&action, 1});
  }
  EXPECT_EQ(world.State().agents[1], b);
}

}  // namespace
}  // namespace orrery
