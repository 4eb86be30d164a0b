// wrongact, ignore, mixup: simulators that do not do as they are told.
#include <algorithm>

#include "core/rng.h"
#include "eval/dummies/kinds.h"
#include "worlds/keys.h"
#include "worlds/policy.h"

namespace orrery {

namespace {

class WrongAct : public StandIn {
 public:
  explicit WrongAct(const Scenario& scenario) : StandIn("wrongact", scenario, ContextEnd(scenario)) {}

 protected:
  void Draw() override { actions_ = WrongActions(Plan(), Facts().actions, DeriveSeed(Seed(), "wrongact")); }

  void Advance(std::span<const float> action) override {
    if (actions_.empty()) return StandIn::Advance(action);
    StandIn::Advance(actions_[static_cast<size_t>(Clock()) % actions_.size()]);
  }

 private:
  std::vector<std::vector<float>> actions_;
};

// What does nothing, as far as the names tell; empty: there is none such.
std::vector<float> Idle(const ActionSpace& space) {
  if (!space.Discrete()) {
    std::vector<float> zeros(static_cast<size_t>(space.dims), 0.0f);
    for (size_t i = 0; i < space.low.size(); ++i) zeros[i] = std::clamp(0.0f, space.low[i], space.high[i]);
    return zeros;
  }
  for (const char* name : {"none", "noop", "done", "done/done"})
    if (const auto found = std::find(space.names.begin(), space.names.end(), name); found != space.names.end())
      return {static_cast<float>(found - space.names.begin())};
  return {};
}

class Ignore : public StandIn {
 public:
  explicit Ignore(const Scenario& scenario) : StandIn("ignore", scenario, ContextEnd(scenario)), action_(Idle(Facts().actions)) {
    if (!action_.empty() || Facts().actions.Width() == 0) return;
    if (scenario.context < 2) Fail("dummy:ignore: {} has no action that does nothing, and the context has none to keep", scenario.world);
    action_ = scenario.actions[static_cast<size_t>(scenario.context - 2)];
  }

 protected:
  void Advance(std::span<const float>) override { StandIn::Advance(action_); }
  void Hand(std::string_view) override {}

 private:
  std::vector<float> action_;
};

// Of two agents, each does what the other is told.
class Mixup : public StandIn {
 public:
  Mixup(const Scenario& scenario, std::unique_ptr<World> world) : StandIn("mixup", scenario, std::move(world)) {}

 protected:
  void Advance(std::span<const float> action) override {
    const auto both = static_cast<int>(action[0]);
    const float swapped = static_cast<float>(Keys::kActions * (both % Keys::kActions) + both / Keys::kActions);
    StandIn::Advance(std::span(&swapped, 1));
  }
};

}  // namespace

DummyWorld MixupDummy(const Scenario& scenario) {
  auto world = ContextEnd(scenario);
  const auto* rooms = dynamic_cast<const Keys*>(world.get());
  if (!rooms || rooms->State().agents.size() != 2) Fail("dummy:mixup means nothing in {}: there are no two agents", scenario.world);
  return std::make_unique<Mixup>(scenario, std::move(world));
}

DummyWorld WrongActDummy(const Scenario& scenario) { return std::make_unique<WrongAct>(scenario); }
DummyWorld IgnoreDummy(const Scenario& scenario) { return std::make_unique<Ignore>(scenario); }

std::vector<std::vector<float>> WrongActions(const Scenario& scenario, const ActionSpace& space, uint64_t seed) {
  const std::vector<std::vector<float>> right(scenario.actions.begin() + scenario.context - 1, scenario.actions.end());
  const auto count = static_cast<int64_t>(right.size());
  std::vector<int64_t> wrong(right.size(), 0);  // by start: frames with another action
  int64_t sum = 0;
  for (int64_t start = 1; start < count; ++start) {
    for (int64_t t = 0; t < count; ++t) wrong[start] += right[(t + start) % count] != right[t];
    sum += wrong[start];
  }
  Rng rng(seed, "wrong");
  std::vector<std::vector<float>> actions = right;
  if (sum > 0) {
    int64_t start = 1 + rng.Below(count - 1);
    while (wrong[start] * (count - 1) < sum) start = start + 1 < count ? start + 1 : 1;
    std::rotate(actions.begin(), actions.begin() + start, actions.end());
  } else if (space.dims > 0 || space.count > 1) {
    for (std::vector<float>& action : actions) {  // all are alike
      do action = RandomAction(space, rng);
      while (action == right.front());
    }
  }
  return actions;
}

}  // namespace orrery
