// keys and pair: to get the right key and unlock the door; in pair, with the gate open as well.
#include <algorithm>
#include <cmath>

#include "eval/planning/plans.h"
#include "worlds/keys.h"
#include "worlds/policy.h"
#include "worlds/registry.h"

namespace orrery {

namespace {

using Action = Keys::Action;
constexpr int64_t kLongestPlan = 40;  // steps
constexpr int64_t kCandidates = 48, kErrands = 2;

size_t Side(const KeysState& s) { return static_cast<size_t>(std::lround(std::sqrt(static_cast<double>(s.tiles.size())))); }

// Tiles that an agent may walk on by a plan: the ice would carry it on.
bool Free(const KeysState& s, int32_t x, int32_t y) {
  const KeysTile& t = s.tiles[static_cast<size_t>(y) * Side(s) + static_cast<size_t>(x)];
  if (std::any_of(s.agents.begin(), s.agents.end(), [&](const KeysAgent& a) { return a.x == x && a.y == y; })) return false;
  return t.floor != KeysTile::kIce && (t.item == KeysTile::kEmpty || ((t.item == KeysTile::kDoor || t.item == KeysTile::kGate) && t.open));
}

// A shortest list of turns and steps after which the agent looks at a tile from beside it; none: there is no way.
std::optional<std::vector<Action>> WayTo(const KeysState& s, size_t agent, int32_t x, int32_t y) {
  struct Node {
    KeysAgent at;
    int64_t parent;
    Action action;
  };
  std::vector<Node> nodes = {{s.agents[agent], -1, Keys::kDone}};
  std::vector<uint8_t> known(4 * s.tiles.size());
  for (size_t head = 0; head < nodes.size(); ++head) {
    const KeysAgent at = nodes[head].at;
    const auto [dx, dy] = Keys::kAhead[static_cast<size_t>(at.heading)];
    if (at.x + dx == x && at.y + dy == y) {
      std::vector<Action> way;
      for (auto i = static_cast<int64_t>(head); nodes[static_cast<size_t>(i)].parent >= 0; i = nodes[static_cast<size_t>(i)].parent)
        way.push_back(nodes[static_cast<size_t>(i)].action);
      std::reverse(way.begin(), way.end());
      return way;
    }
    for (const Action action : {Keys::kForward, Keys::kLeft, Keys::kRight}) {
      KeysAgent next = at;
      if (action == Keys::kForward) next.x += dx, next.y += dy;
      if (action == Keys::kLeft) next.heading = (at.heading + 3) % 4;
      if (action == Keys::kRight) next.heading = (at.heading + 1) % 4;
      if (action == Keys::kForward && !Free(s, next.x, next.y)) continue;
      uint8_t& seen = known[4 * (static_cast<size_t>(next.y) * Side(s) + static_cast<size_t>(next.x)) + static_cast<size_t>(next.heading)];
      if (std::exchange(seen, 1)) continue;
      nodes.push_back({next, static_cast<int64_t>(head), action});
    }
  }
  return std::nullopt;
}

// The actions of both agents, one of whom does nothing.
std::vector<float> Joint(size_t agents, size_t agent, Action action) {
  if (agents == 1) return {static_cast<float>(action)};
  return {static_cast<float>(agent == 0 ? action * Keys::kActions + Keys::kDone : Keys::kDone * Keys::kActions + action)};
}

// What one agent does, tried in a copy of the world as it goes.
class Doer {
 public:
  Doer(const Keys& now, size_t agent) : world_(MakeWorld(now.Facts().spec)), agent_(agent) { world_->Restore(now.Snapshot()); }

  const std::vector<Action>& Done() const { return done_; }

  // To the key of that id, with hands empty; to door, lever or box, if there is a way. False: nothing was done.
  bool Get(int64_t key) {
    if (Me().carried_id == key) return false;
    if (Me().carried && !Drop()) return false;
    return At([&](const KeysTile& t) { return t.item == KeysTile::kKey && t.id == key; }, Keys::kPick);
  }
  bool Use(uint8_t item) {
    return At([&](const KeysTile& t) { return t.item == item; }, item == KeysTile::kBox ? Keys::kForward : Keys::kToggle);
  }
  void Wander(Rng& rng) {
    for (int64_t i = 4 + rng.Below(7); i > 0; --i)
      Do(rng.Bernoulli(0.6) ? Keys::kForward : rng.Bernoulli(0.5) ? Keys::kLeft : Keys::kRight);
  }

 private:
  const KeysState& State() const { return dynamic_cast<const Keys&>(*world_).State(); }
  const KeysAgent& Me() const { return State().agents[agent_]; }

  void Do(Action action) {
    world_->Step(Joint(State().agents.size(), agent_, action));
    done_.push_back(action);
  }
  bool Drop() {
    for (int turn = 0; turn < 4 && Me().carried; ++turn) {
      if (turn) Do(Keys::kLeft);
      Do(Keys::kDrop);
    }
    return !Me().carried;
  }
  bool At(const std::function<bool(const KeysTile&)>& wanted, Action then) {
    const auto side = static_cast<int64_t>(Side(State()));
    const auto& tiles = State().tiles;
    const auto found = std::find_if(tiles.begin(), tiles.end(), wanted);
    if (found == tiles.end()) return false;
    const auto place = found - tiles.begin();
    const auto way = WayTo(State(), agent_, static_cast<int32_t>(place % side), static_cast<int32_t>(place / side));
    if (!way) return false;
    for (const Action action : *way) Do(action);
    Do(then);
    return true;
  }

  std::unique_ptr<World> world_;
  size_t agent_;
  std::vector<Action> done_;
};

// Two errands one after the other, each to a key, the door, the lever or the box, or nowhere.
std::vector<Action> Errands(const Keys& now, size_t agent, Rng& rng) {
  std::vector<int64_t> keys;
  for (const WorldObject& o : now.Objects())
    if (o.kind == "key") keys.push_back(o.id);
  Doer doer(now, agent);
  for (int64_t i = 0; i < kErrands; ++i) {
    const auto errand = static_cast<size_t>(rng.Below(static_cast<int64_t>(keys.size()) + 4));
    bool went = false;
    if (errand < keys.size()) went = doer.Get(keys[errand]);
    if (errand == keys.size()) went = doer.Use(KeysTile::kDoor);
    if (errand == keys.size() + 1) went = doer.Use(KeysTile::kBox);
    if (errand == keys.size() + 2) went = doer.Use(KeysTile::kLever);
    if (!went) doer.Wander(rng);
  }
  return doer.Done();
}

// What the agents do at the same time.
ActionPlan Together(const std::vector<std::vector<Action>>& each) {
  ActionPlan plan;
  const auto at = [&](size_t agent, size_t t) { return t < each[agent].size() ? each[agent][t] : Keys::kDone; };
  for (size_t t = 0; t < each[0].size() || (each.size() == 2 && t < each[1].size()); ++t)
    plan.push_back({static_cast<float>(each.size() == 1 ? at(0, t) : at(0, t) * Keys::kActions + at(1, t))});
  return plan;
}

std::vector<ActionPlan> AllErrands(World& now, Rng& rng) {
  const auto& keys = dynamic_cast<const Keys&>(now);
  std::vector<ActionPlan> plans;
  for (int64_t i = 0; i < kCandidates; ++i) {
    std::vector<std::vector<Action>> each;
    for (size_t agent = 0; agent < keys.State().agents.size(); ++agent) each.push_back(Errands(keys, agent, rng));
    plans.push_back(Together(each));
    if (std::ssize(plans.back()) > kLongestPlan) plans.back().resize(kLongestPlan);
  }
  return plans;
}

const WorldObject* Find(const std::vector<WorldObject>& objects, std::string_view kind) {
  const auto found = std::find_if(objects.begin(), objects.end(), [&](const WorldObject& o) { return o.kind == kind; });
  return found == objects.end() ? nullptr : &*found;
}

// The first agent unlocks the door; with a second one the gate stands open too.
class OpenGoal : public Goal {
 public:
  OpenGoal(const World& now, int64_t key, bool gate) : key_(key), gate_(gate), side_(static_cast<double>(now.Facts().width)) {}

  // 1: as wanted. The door counts 1 when it is open, 1/2 when the first agent holds its key, less the way to what is next.
  double Score(const World&, const std::vector<WorldObject>& objects) const override {
    const WorldObject *agent = Find(objects, "agent"), *door = Find(objects, "door"), *gate = Find(objects, "gate");
    const WorldObject* key = FindObject(objects, key_);
    double stage = -1;
    if (door && door->more[0] > 0)
      stage = 1;
    else if (door && agent && key)
      stage = Far(*agent, *key) > 0 ? -Far(*agent, *key) / side_ / 4 : 0.5 - Far(*agent, *door) / side_ / 4;
    return gate_ ? (stage + (gate && gate->more[0] > 0 ? 1 : 0)) / 2 : stage;
  }
  bool Reached(const World& truth) const override {
    const auto objects = truth.Objects();
    return Find(objects, "door")->more[0] > 0 && (!gate_ || Find(objects, "gate")->more[0] > 0);
  }

 private:
  static double Far(const WorldObject& a, const WorldObject& b) { return std::abs(a.x - b.x) + std::abs(a.y - b.y); }

  int64_t key_;
  bool gate_;
  double side_;  // pixels
};

PlanningEpisode OpenEpisode(const PlanningTask& task, const std::string& world, uint64_t seed, int64_t context) {
  for (uint64_t k = 0; k < kPlanningSeeds; ++k) {
    PlanningEpisode episode;
    episode.start = PlanningStart(task, world, DeriveSeed(seed, k), context, kLongestPlan);
    const auto start = ContextEnd(episode.start);
    const auto& keys = dynamic_cast<const Keys&>(*start);
    const bool two = keys.State().agents.size() == 2;
    const std::vector<WorldObject> objects = keys.Objects();
    const WorldObject* door = Find(objects, "door");
    const auto key =
        std::find_if(objects.begin(), objects.end(), [&](const WorldObject& o) { return o.kind == "key" && o.more[1] == door->more[1]; });
    std::vector<Doer> doers;
    for (size_t agent = 0; agent < keys.State().agents.size(); ++agent) doers.emplace_back(keys, agent);
    if (!doers[0].Get(key->id) || !doers[0].Use(KeysTile::kDoor) || (two && !doers[1].Use(KeysTile::kLever))) continue;
    std::vector<std::vector<Action>> each;
    for (const Doer& doer : doers) each.push_back(doer.Done());
    episode.expert = Together(each);
    const auto goal = std::make_shared<OpenGoal>(*start, key->id, two);
    for (const auto& action : episode.expert) start->Step(action);
    if (std::ssize(episode.expert) > kLongestPlan || !goal->Reached(*start)) continue;  // too far, or they stood in each other's way
    episode.known = std::ssize(episode.expert);
    episode.goal = goal;
    return episode;
  }
  Fail("planning: in none of {} grids of {} is there a short way to the key and the door", kPlanningSeeds, world);
}

constexpr std::array<double, kPolicies> kSlips = {0, 0.02, 0.06, 0.12, 0.3, 1};

}  // namespace

const PlanningTask& DoorTask() {
  static const PlanningTask task = {
      "door", 64, 2, true, {Keys::kDone}, kSlips, AllErrands, [](const std::string& world, uint64_t seed, int64_t context) {
        return OpenEpisode(DoorTask(), world, seed, context);
      }};
  return task;
}

const PlanningTask& PassTask() {
  static const PlanningTask task = {
      "pass",
      64,
      2,
      true,
      {Keys::kDone * Keys::kActions + Keys::kDone},
      kSlips,
      AllErrands,
      [](const std::string& world, uint64_t seed, int64_t context) { return OpenEpisode(PassTask(), world, seed, context); }};
  return task;
}

}  // namespace orrery
