// anykey: rooms in which every key opens every door.
#include <cmath>

#include "eval/dummies/kinds.h"
#include "worlds/keys.h"

namespace orrery {

namespace {

class AnyKey : public StandIn {
 public:
  AnyKey(const Scenario& scenario, std::unique_ptr<World> world) : StandIn("anykey", scenario, std::move(world)) {}

 protected:
  // Whoever carries a key before a locked door carries the right one.
  void Advance(std::span<const float> action) override {
    auto& keys = dynamic_cast<Keys&>(Inner());
    KeysState state = keys.State();
    const auto side = static_cast<int32_t>(std::lround(std::sqrt(static_cast<double>(state.tiles.size()))));
    const int index = static_cast<int>(action[0]);
    const bool two = state.agents.size() == 2;
    for (size_t i = 0; i < state.agents.size(); ++i) {
      KeysAgent& agent = state.agents[i];
      const int what = !two ? index : i == 0 ? index / Keys::kActions : index % Keys::kActions;
      const auto [dx, dy] = Keys::kAhead[static_cast<size_t>(agent.heading)];
      const KeysTile& door = state.tiles[static_cast<size_t>((agent.y + dy) * side + agent.x + dx)];
      if (what == Keys::kToggle && agent.carried && door.item == KeysTile::kDoor && !door.open)
        agent.carried = static_cast<uint8_t>(1 + door.color);
    }
    if (!(state == keys.State())) keys.SetState(std::move(state));
    StandIn::Advance(action);
  }
};

}  // namespace

DummyWorld AnyKeyDummy(const Scenario& scenario) {
  auto world = ContextEnd(scenario);
  if (!dynamic_cast<const Keys*>(world.get())) Fail("dummy:anykey means nothing in {}: there are no keys", scenario.world);
  return std::make_unique<AnyKey>(scenario, std::move(world));
}

}  // namespace orrery
