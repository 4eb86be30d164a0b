// stale: what is out of sight stands still, and what a hand does to it goes unnoticed.
#include <algorithm>

#include "eval/dummies/kinds.h"
#include "eval/dummies/sight.h"

namespace orrery {

namespace {

OccluderDisc* FindDisc(OccluderState& state, int32_t id) {
  const auto found = std::find_if(state.discs.begin(), state.discs.end(), [&](const OccluderDisc& d) { return d.id == id; });
  return found == state.discs.end() ? nullptr : &*found;
}

class StaleMaze : public StandIn {
 public:
  explicit StaleMaze(const Scenario& scenario) : StandIn("stale", scenario, ContextEnd(scenario)) {}

 protected:
  void Hand(std::string_view spec) override {
    auto& maze = static_cast<Maze&>(Inner());
    const MazeState before = maze.State();
    const Sight sight = MazeSight(maze);
    StandIn::Hand(spec);
    MazeState s = maze.State();
    for (size_t i = 0; i < before.objects.size(); ++i)
      if (!sight.things[i]) s.objects[i] = before.objects[i];
    for (size_t i = 0; i < before.map.wall.size(); ++i) {
      if (sight.places[i]) continue;
      s.map.wall[i] = before.map.wall[i];
      s.map.color[i] = before.map.color[i];
      s.map.decor[i] = before.map.decor[i];
    }
    maze.SetState(std::move(s));
  }
};

class StaleOccluder : public StandIn {
 public:
  explicit StaleOccluder(const Scenario& scenario) : StandIn("stale", scenario, ContextEnd(scenario)) {}

 protected:
  void Advance(std::span<const float> action) override {
    auto& world = static_cast<Occluder&>(Inner());
    const OccluderState before = world.State();
    const Sight sight = OccluderSight(world);
    StandIn::Advance(action);
    const auto seen = [&](int64_t id) { return sight.things[static_cast<size_t>(id)] != 0; };
    std::erase_if(events_, [&](const WorldEvent& event) { return !seen(event.subject); });
    OccluderState s = world.State();
    for (const OccluderDisc& disc : before.discs)
      if (!seen(disc.id)) *FindDisc(s, disc.id) = disc;
    world.SetState(std::move(s));
    const Sight now = OccluderSight(world);
    for (const OccluderDisc& disc : before.discs)
      if (!seen(disc.id) && now.things[static_cast<size_t>(disc.id)]) events_.push_back({"seen", disc.id, -1});
  }

  void Hand(std::string_view spec) override {
    auto& world = static_cast<Occluder&>(Inner());
    OccluderState before = world.State();
    const Sight sight = OccluderSight(world);
    StandIn::Hand(spec);
    const Sight now = OccluderSight(world);
    OccluderState s = world.State();
    std::erase_if(s.discs, [&](const OccluderDisc& d) { return !FindDisc(before, d.id) && !now.things[static_cast<size_t>(d.id)]; });
    for (const OccluderDisc& disc : before.discs) {
      if (sight.things[static_cast<size_t>(disc.id)]) continue;
      if (OccluderDisc* same = FindDisc(s, disc.id))
        *same = disc;
      else
        s.discs.push_back(disc);
    }
    world.SetState(std::move(s));
  }
};

class StaleKeys : public StandIn {
 public:
  explicit StaleKeys(const Scenario& scenario) : StandIn("stale", scenario, ContextEnd(scenario)) {}

 protected:
  void Advance(std::span<const float> action) override {
    auto& keys = static_cast<Keys&>(Inner());
    const KeysState before = keys.State();
    const Sight sight = KeysSight(keys);
    StandIn::Advance(std::vector<float>{Seen(action[0], before, sight)});
    KeysState s = keys.State();
    const Sight now = KeysSight(keys);
    const bool pulled = Pulled(before) != Pulled(s);
    for (size_t i = 0; i < s.tiles.size(); ++i) {
      KeysTile& gate = s.tiles[i];
      const bool noticed = pulled && (sight.places[i] || now.places[i]);
      if (gate.item != KeysTile::kGate || gate.open == before.tiles[i].open || noticed) continue;
      gate.open = before.tiles[i].open;
      std::erase_if(events_, [&](const WorldEvent& event) { return event.object == gate.id; });
    }
    keys.SetState(std::move(s));
  }

  // Taken whole or not at all.
  void Hand(std::string_view spec) override {
    auto& keys = static_cast<Keys&>(Inner());
    const std::string before = keys.Snapshot();
    const std::vector<WorldObject> objects = keys.Objects();
    const std::vector<KeysTile> tiles = keys.State().tiles;
    const Sight sight = KeysSight(keys);
    StandIn::Hand(spec);
    bool changed = false, noticed = false;
    for (const WorldObject& now : keys.Objects()) {
      if (std::find(objects.begin(), objects.end(), now) != objects.end()) continue;
      changed = true;
      for (size_t i = 0; i < tiles.size(); ++i) noticed = noticed || (tiles[i].id == now.id && sight.places[i]);
    }
    if (changed && !noticed) keys.Restore(before);
  }

 private:
  // The action with that of an agent out of sight replaced by one that does nothing.
  static float Seen(float action, const KeysState& state, const Sight& sight) {
    if (state.agents.size() < 2) return action;
    const size_t side = KeysSide(state);
    std::array<int, 2> actions = {static_cast<int>(action) / Keys::kActions, static_cast<int>(action) % Keys::kActions};
    for (size_t i = 0; i < 2; ++i) {
      const KeysAgent& agent = state.agents[i];
      if (!sight.places[static_cast<size_t>(agent.y) * side + static_cast<size_t>(agent.x)]) actions[i] = Keys::kDone;
    }
    return static_cast<float>(actions[0] * Keys::kActions + actions[1]);
  }

  // How levers and buttons stand.
  static std::vector<uint8_t> Pulled(const KeysState& state) {
    const size_t side = KeysSide(state);
    std::vector<uint8_t> pulled;
    for (size_t i = 0; i < state.tiles.size(); ++i) {
      const KeysTile& tile = state.tiles[i];
      const auto here = [&](const KeysAgent& a) { return static_cast<size_t>(a.y) * side + static_cast<size_t>(a.x) == i; };
      if (tile.item == KeysTile::kLever) pulled.push_back(tile.open);
      if (tile.floor == KeysTile::kButton)
        pulled.push_back(tile.item == KeysTile::kBox || std::any_of(state.agents.begin(), state.agents.end(), here));
    }
    return pulled;
  }
};

}  // namespace

DummyWorld StaleDummy(const Scenario& scenario) {
  switch (RequireHidden("stale", *StartWorld(scenario))) {
    case SightKind::kMaze:
      return std::make_unique<StaleMaze>(scenario);
    case SightKind::kOccluder:
      return std::make_unique<StaleOccluder>(scenario);
    default:
      return std::make_unique<StaleKeys>(scenario);
  }
}

}  // namespace orrery
