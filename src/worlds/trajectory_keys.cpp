// Trajectories of the grid worlds, by search through their rules; and looking away, which the maze knows too.
#include <algorithm>
#include <unordered_set>

#include "core/hash.h"
#include "worlds/keys.h"
#include "worlds/maze_walk.h"

namespace orrery {

namespace {

constexpr size_t kMostStates = 200000;  // of one search

// One agent acts, the other (if there is one) says done, which changes nothing away from the goal.
std::vector<float> ActionOf(const Keys& keys, size_t agent, Keys::Action action) {
  if (keys.State().agents.size() == 1) return {static_cast<float>(action)};
  const int other = Keys::kDone;
  return {static_cast<float>(agent == 0 ? action * Keys::kActions + other : other * Keys::kActions + action)};
}

// A breadth-first search: a shortest list of actions of one agent after which `event` has happened. The world is left there.
ActionList Search(Keys& keys, size_t agent, std::string_view event, int64_t object = -1) {
  struct Node {
    KeysState state;
    int64_t parent;
    std::vector<float> action;
  };
  std::vector<Node> nodes = {{keys.State(), -1, {}}};
  std::unordered_set<uint64_t> known = {HashBytes(keys.Snapshot())};
  for (size_t head = 0; head < nodes.size() && nodes.size() < kMostStates; ++head)
    for (const auto action : {Keys::kForward, Keys::kLeft, Keys::kRight, Keys::kPick, Keys::kDrop, Keys::kToggle, Keys::kDone}) {
      keys.SetState(nodes[head].state);
      const std::vector<float> values = ActionOf(keys, agent, action);
      keys.Step(values);
      const bool found = std::any_of(keys.Events().begin(), keys.Events().end(),
                                     [&](const WorldEvent& e) { return e.kind == event && (object < 0 || e.object == object); });
      if (!found && !known.insert(HashBytes(keys.Snapshot())).second) continue;
      nodes.push_back({keys.State(), static_cast<int64_t>(head), values});
      if (!found) continue;
      ActionList actions;
      for (int64_t at = static_cast<int64_t>(nodes.size()) - 1; nodes[static_cast<size_t>(at)].parent >= 0;
           at = nodes[static_cast<size_t>(at)].parent)
        actions.push_back(nodes[static_cast<size_t>(at)].action);
      std::reverse(actions.begin(), actions.end());
      return actions;
    }
  throw NoRoom(fmt::format("solve: no way to \"{}\" from here", event));
}

const KeysTile* FindItem(const KeysState& state, uint8_t item, int color = -1) {
  for (const KeysTile& t : state.tiles)
    if (t.item == item && (color < 0 || t.color == color)) return &t;
  return nullptr;
}

}  // namespace

ActionList SolveKeys(World& world) {
  auto* keys = dynamic_cast<Keys*>(&world);
  if (!keys) Fail("trajectory solve: knows the worlds keys and pair, got {}; use policy(...) or script(...)", world.Facts().spec);
  ActionList actions;
  const auto then = [&](size_t agent, std::string_view event, int64_t object = -1) {
    const ActionList more = Search(*keys, agent, event, object);
    actions.insert(actions.end(), more.begin(), more.end());
  };
  const KeysTile* lever = FindItem(keys->State(), KeysTile::kLever);
  const bool second = keys->State().agents.size() == 2;
  if (second && lever && !lever->open) then(1, "lever");
  const KeysTile* door = FindItem(keys->State(), KeysTile::kDoor);
  if (door && !door->open) {
    if (const KeysTile* key = FindItem(keys->State(), KeysTile::kKey, door->color)) then(0, "pick", key->id);
    then(0, "unlock");
  }
  lever = FindItem(keys->State(), KeysTile::kLever);
  if (lever && !lever->open) then(0, "lever");
  then(0, "done");
  return actions;
}

ActionList LookAway(World& world, int64_t degrees, int64_t hold) {
  const auto* keys = dynamic_cast<const Keys*>(&world);
  const auto* maze = dynamic_cast<const Maze*>(&world);
  if (!keys && !maze)
    Fail("trajectory look-away: knows the worlds maze, keys and pair, got {}; use hide(...), policy(...) or script(...)",
         world.Facts().spec);
  if (keys && !keys->View()) Fail("trajectory look-away: all of the grid is always seen; expected view=5 or 7, got {}", world.Facts().spec);
  const int64_t unit = keys ? 90 : 15;
  RequireRange<int64_t>("trajectory look-away", "hold", hold, 0, 100000);
  if (degrees <= 0 || degrees > 360 || degrees % unit != 0)
    Fail("trajectory look-away: 'degrees' must be a multiple of {} up to 360, got {}", unit, degrees);
  const auto turns = static_cast<int>(degrees / unit);
  if (maze) {
    MazeWalker walker(*maze, "look-away");
    walker.Turn(turns);
    walker.Rest(hold);
    walker.Turn(-turns);
    return walker.Actions();
  }
  const auto eye = static_cast<size_t>(&keys->Eye() - keys->State().agents.data());
  ActionList actions;
  actions.insert(actions.end(), static_cast<size_t>(turns), ActionOf(*keys, eye, Keys::kLeft));
  actions.insert(actions.end(), static_cast<size_t>(hold), ActionOf(*keys, eye, Keys::kDone));
  actions.insert(actions.end(), static_cast<size_t>(turns), ActionOf(*keys, eye, Keys::kRight));
  return actions;
}

}  // namespace orrery
