// Trajectories of the grid worlds, by search through their rules; and looking away, which the maze knows too.
#include <algorithm>
#include <cmath>
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

// A breadth-first search: a shortest list of actions of one agent after which `found` holds. The world is left there. `what` names it in
// messages.
ActionList Search(Keys& keys, size_t agent, std::string_view what, const std::function<bool(const Keys&)>& found) {
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
      const bool end = found(keys);
      if (!end && !known.insert(HashBytes(keys.Snapshot())).second) continue;
      nodes.push_back({keys.State(), static_cast<int64_t>(head), values});
      if (!end) continue;
      ActionList actions;
      for (int64_t at = static_cast<int64_t>(nodes.size()) - 1; nodes[static_cast<size_t>(at)].parent >= 0;
           at = nodes[static_cast<size_t>(at)].parent)
        actions.push_back(nodes[static_cast<size_t>(at)].action);
      std::reverse(actions.begin(), actions.end());
      return actions;
    }
  throw NoRoom(fmt::format("solve: no way to \"{}\" from here", what));
}

// The same until `event` has happened (to `object`, where one is given).
ActionList Search(Keys& keys, size_t agent, std::string_view event, int64_t object = -1) {
  return Search(keys, agent, event, [&](const Keys& now) {
    return std::any_of(now.Events().begin(), now.Events().end(),
                       [&](const WorldEvent& e) { return e.kind == event && (object < 0 || e.object == object); });
  });
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

ActionList TryRules(World& world, int64_t frames, Rng& rng) {
  auto* keys = dynamic_cast<Keys*>(&world);
  if (!keys || keys->State().agents.size() != 1) Fail("trajectory try-rules: knows the world keys, got {}", world.Facts().spec);
  RequireRange<int64_t>("trajectory try-rules", "frames", frames, 1, 100000);
  constexpr int64_t kAtRandom = 24;
  ActionList actions;
  const auto then = [&](const ActionList& more) { actions.insert(actions.end(), more.begin(), more.end()); };
  for (int64_t t = 0; t < kAtRandom; ++t) {  // mostly turns and steps: what runs into walls, keys and the box
    const Keys::Action action = rng.Bernoulli(0.6) ? Keys::kForward : static_cast<Keys::Action>(rng.Below(Keys::kActions));
    actions.push_back({static_cast<float>(action)});
    keys->Step(actions.back());
  }
  const auto ahead = [](const Keys& now) -> const KeysTile& {
    const KeysAgent& a = now.State().agents[0];
    const auto side = static_cast<int32_t>(std::lround(std::sqrt(static_cast<double>(now.State().tiles.size()))));
    const auto [dx, dy] = Keys::kAhead[static_cast<size_t>(a.heading)];
    return now.State().tiles[static_cast<size_t>((a.y + dy) * side + a.x + dx)];
  };
  then(Search(*keys, 0, "the door with another key", [&](const Keys& now) {
    const KeysTile& door = ahead(now);
    const uint8_t carried = now.State().agents[0].carried;
    return door.item == KeysTile::kDoor && !door.open && carried && carried != 1 + door.color;
  }));
  const std::vector<float> toggle = {static_cast<float>(Keys::kToggle)};
  then({toggle, toggle});
  keys->Step(toggle);  // twice: it does not open the second time either
  keys->Step(toggle);
  then(Search(*keys, 0, "drop"));
  then(SolveKeys(*keys));
  if (static_cast<int64_t>(actions.size()) > frames)
    throw NoRoom(fmt::format("try-rules: takes {} frames, more than {}", actions.size(), frames));
  actions.resize(static_cast<size_t>(frames), {static_cast<float>(Keys::kDone)});
  return actions;
}

ActionList BehindBack(World& world, int64_t before, int64_t hold, int64_t after) {
  auto* keys = dynamic_cast<Keys*>(&world);
  if (!keys || keys->State().agents.size() != 2 || !keys->View())
    Fail("trajectory behind-back: knows the world pair with view=5 or 7, got {}", world.Facts().spec);
  RequireRange<int64_t>("trajectory behind-back", "before", before, 0, 100000);
  RequireRange<int64_t>("trajectory behind-back", "hold", hold, 1, 100000);
  RequireRange<int64_t>("trajectory behind-back", "after", after, 0, 100000);
  const auto eye = static_cast<size_t>(&keys->Eye() - keys->State().agents.data());
  const KeysTile* lever = FindItem(keys->State(), KeysTile::kLever);
  if (!lever) throw NoRoom("behind-back: there is no lever");
  const auto other_id = static_cast<int32_t>(2 - eye), lever_id = static_cast<int32_t>(lever->id);
  std::vector<int32_t> ids(static_cast<size_t>(world.Facts().height * world.Facts().width));
  const auto shown = [&](int32_t id) {
    world.RenderIds(ids);
    return std::find(ids.begin(), ids.end(), id) != ids.end();
  };
  if (!shown(lever_id)) throw NoRoom("behind-back: the lever is not in sight");
  ActionList actions;
  const auto act = [&](const std::vector<float>& action, int64_t times) {
    for (int64_t i = 0; i < times; ++i) {
      actions.push_back(action);
      world.Step(action);
    }
  };
  act(ActionOf(*keys, eye, Keys::kDone), before);
  act(ActionOf(*keys, eye, Keys::kLeft), 2);
  if (shown(lever_id) || shown(other_id)) throw NoRoom("behind-back: the lever or the other agent is in sight from behind too");
  const ActionList work = Search(*keys, 1 - eye, "lever");
  if (static_cast<int64_t>(work.size()) > hold)
    throw NoRoom(fmt::format("behind-back: the lever is {} frames away, more than {}", work.size(), hold));
  actions.insert(actions.end(), work.begin(), work.end());
  act(ActionOf(*keys, eye, Keys::kDone), hold - static_cast<int64_t>(work.size()));
  act(ActionOf(*keys, eye, Keys::kRight), 2);
  act(ActionOf(*keys, eye, Keys::kDone), after);
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
