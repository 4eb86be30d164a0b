#include "worlds/keys.h"

#include <algorithm>

#include "core/rng.h"
#include "worlds/snapshot.h"

namespace orrery {

namespace {

constexpr uint8_t kGateColor = 5, kBoxColor = 7;
constexpr std::array<uint8_t, 4> kKeyColors = {1, 2, 3, 4};  // red, blue, yellow, violet

constexpr std::array<const char*, Keys::kActions> kActionNames = {"left", "right", "forward", "pick", "drop", "toggle", "done"};

int64_t Pixels(const PairOptions& o) { return Keys::kTilePixels * (o.view ? o.view : o.size); }

PairOptions Checked(const PairOptions& o) {
  RequireRange<int64_t>("keys", "size", o.size, 8, 16);
  if (o.view != 0 && o.view != 5 && o.view != 7) Fail("keys: 'view' must be 0, 5 or 7, got {}", o.view);
  if (!o.camera.empty() && o.camera != "a" && o.camera != "b") FailUnknown("camera", o.camera, std::vector<std::string>{"a", "b"});
  if (o.gate != "lever" && o.gate != "button") FailUnknown("keys gate", o.gate, std::vector<std::string>{"lever", "button"});
  return o;
}

// The item leaves one tile for another; the floors stay.
void MoveItem(KeysTile& from, KeysTile& to) {
  to.item = from.item;
  to.color = from.color;
  to.open = from.open;
  to.id = from.id;
  from.item = KeysTile::kEmpty;
  from.color = from.open = 0;
  from.id = 0;
}

}  // namespace

Keys::Keys(const KeysOptions& o) : Keys(PairOptions{o.size, o.view, "", o.gate}, FormatSpec("keys", Json(o))) {}

Keys::Keys(const PairOptions& options, std::string spec)
    : FlatWorld(std::move(spec), Pixels(options), Pixels(options), 8),
      options_(Checked(options)),
      agents_(options.camera.empty() ? 1 : 2),
      size_(static_cast<int32_t>(options.size)) {
  for (const char* a : kActionNames) {
    if (agents_ == 1) facts_.actions.names.push_back(a);
    for (const char* b : kActionNames)
      if (agents_ == 2) facts_.actions.names.push_back(fmt::format("{}/{}", a, b));
  }
  facts_.actions.count = static_cast<int64_t>(facts_.actions.names.size());
  facts_.interventions = {
      {"key-color", "the first key on the floor gets another colour", "own", {{"color", 4, "1 red, 2 blue, 3 yellow, 4 violet"}}},
      {"cut-links", "levers and buttons no longer reach their gate", "own", {}},
      {"move-box", "the box is put on an empty tile", "own", {{"x", 1, "column"}, {"y", 1, "row"}}},
      {"open-door", "the locked door stands open", "own", {}},
      {"floor", "the floor gets another tint, which means nothing", "own", {{"tint", 1, "0..2"}}}};
  Reset(0);
}

Facts Keys::Describe() {
  return {"keys", "rooms seen from above with keys, doors, levers, gates, a box and ice: exact rules",
          "own, after MiniGrid (arXiv 2306.13831)",
          DescribeParams(Json(KeysOptions{}), {{"size", "tiles of 8 pixels a side, 8..16"},
                                               {"view", "0: all of the grid; 5 or 7: what lies before the agent, who looks up"},
                                               {"gate", "what opens the gate: lever or button"}})};
}

Pair::Pair(const PairOptions& options) : Keys(options, FormatSpec("pair", Json(options))) {
  if (options.camera.empty()) FailUnknown("camera", "", std::vector<std::string>{"a", "b"});
}

Facts Pair::Describe() {
  return {"pair", "the rooms of keys with two agents, each with actions of its own", "own",
          DescribeParams(Json(PairOptions{}), {{"size", "tiles of 8 pixels a side, 8..16"},
                                               {"view", "0: all of the grid; 5 or 7: what lies before the agent who looks"},
                                               {"camera", "who looks: a or b"},
                                               {"gate", "what opens the gate: lever or button"}})};
}

void Keys::Reset(uint64_t seed) {
  Generate(seed);
  events_.clear();
}

// A wall with a locked door parts the grid; a second wall with a gate parts the far side. The agent, its key, a wrong key, the
// box and some ice are on the near side, the goal behind the gate, the lever (or button) before it.
void Keys::Generate(uint64_t seed) {
  Rng rng(seed, "keys");
  state_ = {};
  state_.tiles.assign(static_cast<size_t>(size_) * size_, {});
  auto next_id = static_cast<int16_t>(1 + agents_);
  const auto between = [&](int32_t low, int32_t high) { return low + static_cast<int32_t>(rng.Below(high - low + 1)); };
  const auto wall = [&](int32_t x, int32_t y) { At(x, y).item = KeysTile::kWall; };
  const auto put = [&](std::array<int32_t, 2> at, uint8_t item, uint8_t color) {
    At(at[0], at[1]) = {KeysTile::kPlain, 0, item, color, 0, next_id++};
  };
  const int32_t last = size_ - 2, column = between(size_ / 2 - 1, size_ / 2), row = between(3, size_ - 4);
  for (int32_t i = 0; i < size_; ++i) wall(i, 0), wall(i, size_ - 1), wall(0, i), wall(size_ - 1, i);
  for (int32_t y = 1; y <= last; ++y) wall(column, y);
  for (int32_t x = column + 1; x <= last; ++x) wall(x, row);
  const bool goal_below = rng.Bernoulli(0.5);
  const int32_t room_low = goal_below ? 1 : row + 1, room_high = goal_below ? row - 1 : last;  // of the room between door and gate
  const int32_t door_y = between(room_low, room_high), gate_x = between(column + 1, last);
  // An empty plain tile of a rectangle, off the ways through door and gate.
  const auto place = [&](int32_t x0, int32_t y0, int32_t x1, int32_t y1) {
    for (;;) {
      const int32_t x = between(x0, x1), y = between(y0, y1);
      const bool way = (std::abs(x - column) <= 1 && y == door_y) || (x == gate_x && std::abs(y - row) <= 1);
      if (At(x, y).item == KeysTile::kEmpty && At(x, y).floor == KeysTile::kPlain && !way && !Occupied(x, y))
        return std::array<int32_t, 2>{x, y};
    }
  };
  const uint8_t key_color = kKeyColors[rng.Below(4)];
  uint8_t other_color = kKeyColors[rng.Below(3)];
  if (other_color == key_color) other_color = kKeyColors[3];
  put({column, door_y}, KeysTile::kDoor, key_color);
  put({gate_x, row}, KeysTile::kGate, kGateColor);
  // A tile away from every wall of the near side, as far as there is room, so that the box can be pushed each way.
  const int32_t left = std::min(2, column - 1), right = std::max(left, column - 2);
  put(place(left, 2, right, last - 1), KeysTile::kBox, kBoxColor);
  if (options_.gate == "button") {
    const auto [x, y] = place(left, 2, right, last - 1);
    At(x, y).floor = KeysTile::kButton;
    At(x, y).floor_color = kGateColor;
  } else {
    put(place(column + 1, room_low, last, room_high), KeysTile::kLever, kGateColor);
    const auto [x, y] = place(1, 1, column - 1, last);
    At(x, y).floor = KeysTile::kIce;
  }
  const auto goal = goal_below ? place(column + 1, row + 1, last, last) : place(column + 1, 1, last, row - 1);
  At(goal[0], goal[1]).floor = KeysTile::kGoal;
  put(place(1, 1, column - 1, last), KeysTile::kKey, key_color);
  put(place(1, 1, column - 1, last), KeysTile::kKey, other_color);
  for (int64_t i = 0; i < agents_; ++i) {
    const auto [x, y] = i == 0 ? place(1, 1, column - 1, last) : place(column + 1, room_low, last, room_high);
    state_.agents.push_back({x, y, static_cast<int32_t>(rng.Below(4))});
  }
}

bool Keys::Occupied(int32_t x, int32_t y) const {
  return std::any_of(state_.agents.begin(), state_.agents.end(), [&](const KeysAgent& a) { return a.x == x && a.y == y; });
}

bool Keys::Walkable(int32_t x, int32_t y) const {
  const KeysTile& tile = At(x, y);
  if (Occupied(x, y)) return false;
  return tile.item == KeysTile::kEmpty || ((tile.item == KeysTile::kDoor || tile.item == KeysTile::kGate) && tile.open);
}

void Keys::Step(std::span<const float> action) {
  facts_.actions.Check(action);
  events_.clear();
  const int index = static_cast<int>(action[0]);
  Act(0, static_cast<Action>(agents_ == 1 ? index : index / kActions));
  if (agents_ == 2) Act(1, static_cast<Action>(index % kActions));
  MoveGates();
}

void Keys::Act(int64_t i, Action action) {
  KeysAgent& agent = state_.agents[i];
  const auto [dx, dy] = kAhead[agent.heading];
  KeysTile& ahead = At(agent.x + dx, agent.y + dy);
  switch (action) {
    case kLeft:
      agent.heading = (agent.heading + 3) % 4;
      break;
    case kRight:
      agent.heading = (agent.heading + 1) % 4;
      break;
    case kForward:
      Forward(i);
      break;
    case kPick:
      if (ahead.item != KeysTile::kKey || agent.carried) break;
      agent.carried = static_cast<uint8_t>(1 + ahead.color);
      agent.carried_id = ahead.id;
      events_.push_back({"pick", 1 + i, ahead.id});
      ahead.item = KeysTile::kEmpty;
      ahead.color = 0;
      ahead.id = 0;
      break;
    case kDrop:
      if (ahead.item != KeysTile::kEmpty || ahead.floor != KeysTile::kPlain || !agent.carried || Occupied(agent.x + dx, agent.y + dy))
        break;
      ahead.item = KeysTile::kKey;
      ahead.color = static_cast<uint8_t>(agent.carried - 1);
      ahead.id = agent.carried_id;
      agent.carried = 0;
      agent.carried_id = 0;
      events_.push_back({"drop", 1 + i, ahead.id});
      break;
    case kToggle:
      Toggle(i, ahead);
      break;
    case kDone:
      if (At(agent.x, agent.y).floor != KeysTile::kGoal || agent.done) break;
      agent.done = 1;
      events_.push_back({"done", 1 + i, -1});
      break;
  }
}

void Keys::Forward(int64_t i) {
  KeysAgent& agent = state_.agents[i];
  const auto [dx, dy] = kAhead[agent.heading];
  if (At(agent.x + dx, agent.y + dy).item == KeysTile::kBox) Push(i, agent.x + dx, agent.y + dy, dx, dy);
  while (Walkable(agent.x + dx, agent.y + dy)) {
    agent.x += dx;
    agent.y += dy;
    if (At(agent.x, agent.y).floor != KeysTile::kIce) return;
    events_.push_back({"slide", 1 + i, -1});
  }
}

void Keys::Push(int64_t i, int32_t x, int32_t y, int32_t dx, int32_t dy) {
  const auto takes = [&](int32_t u, int32_t v) {
    return At(u, v).item == KeysTile::kEmpty && At(u, v).floor != KeysTile::kGoal && !Occupied(u, v);
  };
  while (takes(x + dx, y + dy)) {
    MoveItem(At(x, y), At(x + dx, y + dy));
    x += dx;
    y += dy;
    events_.push_back({"push", 1 + i, At(x, y).id});
    if (At(x, y).floor != KeysTile::kIce) return;
  }
}

void Keys::Toggle(int64_t i, KeysTile& ahead) {
  KeysAgent& agent = state_.agents[i];
  if (ahead.item == KeysTile::kDoor && !ahead.open && agent.carried == 1 + ahead.color) {
    ahead.open = 1;
    agent.carried = 0;
    agent.carried_id = 0;
    events_.push_back({"unlock", 1 + i, ahead.id});
  } else if (ahead.item == KeysTile::kLever) {
    ahead.open ^= 1;
    events_.push_back({"lever", 1 + i, ahead.id});
  }
}

void Keys::MoveGates() {
  if (!state_.linked) return;
  for (int32_t y = 0; y < size_; ++y)
    for (int32_t x = 0; x < size_; ++x) {
      KeysTile& gate = At(x, y);
      if (gate.item != KeysTile::kGate) continue;
      bool open = Occupied(x, y);
      for (int32_t v = 0; v < size_ && !open; ++v)
        for (int32_t u = 0; u < size_ && !open; ++u) {
          const KeysTile& t = At(u, v);
          const bool pressed = t.item == KeysTile::kBox || Occupied(u, v);
          open = (t.item == KeysTile::kLever && t.color == gate.color && t.open) ||
                 (t.floor == KeysTile::kButton && t.floor_color == gate.color && pressed);
        }
      if (open != static_cast<bool>(gate.open)) events_.push_back({open ? "gate-open" : "gate-shut", -1, gate.id});
      gate.open = open;
    }
}

std::vector<StateVariable> Keys::TrueState() const {
  const auto number = [](auto value) { return static_cast<double>(value); };
  std::vector<double> agents, tiles;
  for (const KeysAgent& a : state_.agents)
    agents.insert(agents.end(), {number(a.x), number(a.y), number(a.heading), number(a.carried) - 1, number(a.done)});
  for (const KeysTile& t : state_.tiles) tiles.insert(tiles.end(), {number(t.floor), number(t.item), number(t.color), number(t.open)});
  return {{"agents", {agents_, 5}, std::move(agents)}, {"tiles", {size_, size_, 4}, std::move(tiles)}};
}

std::vector<WorldObject> Keys::Objects() const {
  constexpr std::array<const char*, 7> kinds = {"", "", "key", "door", "box", "lever", "gate"};
  const auto place = [](int32_t tile) { return static_cast<double>(kTilePixels) * (tile + 0.5); };
  std::vector<WorldObject> objects;
  for (const KeysAgent& a : state_.agents) {
    objects.push_back({1 + static_cast<int64_t>(objects.size()), "agent", place(a.x), place(a.y), {static_cast<double>(a.heading)}});
  }
  for (const KeysAgent& a : state_.agents)
    if (a.carried) objects.push_back({a.carried_id, "key", place(a.x), place(a.y), {0, a.carried - 1.0}});
  for (int32_t y = 0; y < size_; ++y)
    for (int32_t x = 0; x < size_; ++x)
      if (const KeysTile& t = At(x, y); t.id)
        objects.push_back({t.id, kinds[t.item], place(x), place(y), {static_cast<double>(t.open), static_cast<double>(t.color)}});
  std::sort(objects.begin(), objects.end(), [](const WorldObject& a, const WorldObject& b) { return a.id < b.id; });
  return objects;
}

void Keys::DoIntervene(const std::string& name, const Json& params) {
  KeysState s = state_;
  const auto find = [&](uint8_t item) -> KeysTile& {
    const auto found = std::find_if(s.tiles.begin(), s.tiles.end(), [&](const KeysTile& t) { return t.item == item; });
    if (found == s.tiles.end()) Fail("keys: {} finds nothing to change now", name);
    return *found;
  };
  if (name == "key-color") {
    const int64_t color = params["color"];
    RequireRange<int64_t>("keys: key-color", "color", color, 1, 4);
    find(KeysTile::kKey).color = static_cast<uint8_t>(color);
  } else if (name == "cut-links") {
    s.linked = 0;
  } else if (name == "move-box") {
    const int64_t x = params["x"], y = params["y"];
    RequireRange<int64_t>("keys: move-box", "x", x, 1, size_ - 2);
    RequireRange<int64_t>("keys: move-box", "y", y, 1, size_ - 2);
    KeysTile& to = s.tiles[static_cast<size_t>(y * size_ + x)];
    if (to.item != KeysTile::kEmpty || Occupied(static_cast<int32_t>(x), static_cast<int32_t>(y)))
      Fail("keys: move-box: tile ({}, {}) is not empty", x, y);
    MoveItem(find(KeysTile::kBox), to);
  } else if (name == "open-door") {
    find(KeysTile::kDoor).open = 1;
  } else {
    const int64_t tint = params["tint"];
    RequireRange<int64_t>("keys: floor", "tint", tint, 0, 2);
    s.floor_color = static_cast<uint8_t>(tint);
  }
  SetState(std::move(s));
}

void Keys::SetState(KeysState state) {
  Check(state);
  state_ = std::move(state);
  events_.clear();
}

void Keys::Check(const KeysState& s) const {
  const auto require = [](bool fine, std::string_view what) {
    if (!fine) Fail("keys state: {}", what);
  };
  require(static_cast<int32_t>(s.tiles.size()) == size_ * size_, "the grid has another size than this world");
  const auto at = [&](int32_t x, int32_t y) -> const KeysTile& { return s.tiles[static_cast<size_t>(y * size_ + x)]; };
  for (int32_t i = 0; i < size_; ++i)
    for (const KeysTile* t : {&at(i, 0), &at(i, size_ - 1), &at(0, i), &at(size_ - 1, i)})
      require(t->item == KeysTile::kWall, "the outer ring must be wall");
  for (const KeysTile& t : s.tiles)
    require(t.floor <= KeysTile::kGoal && t.item <= KeysTile::kGate && t.color < kPaletteColors && t.floor_color < kPaletteColors &&
                t.open <= 1 && t.id >= 0,
            "a tile is out of range");
  require(static_cast<int64_t>(s.agents.size()) == agents_, "another number of agents than this world has");
  for (const KeysAgent& a : s.agents) {
    require(a.x >= 1 && a.y >= 1 && a.x < size_ - 1 && a.y < size_ - 1, "an agent is off the grid");
    const KeysTile& under = at(a.x, a.y);
    require(under.item == KeysTile::kEmpty || ((under.item == KeysTile::kDoor || under.item == KeysTile::kGate) && under.open),
            "an agent is inside something");
    require(a.heading >= 0 && a.heading < 4 && a.carried <= kPaletteColors && a.done <= 1, "a value of an agent is out of range");
  }
  require(agents_ == 1 || s.agents[0].x != s.agents[1].x || s.agents[0].y != s.agents[1].y, "two agents are on one tile");
  require(s.linked <= 1 && s.floor_color <= 2, "a value is out of range");
}

std::string Keys::Snapshot() const {
  SnapshotWriter out(facts_.spec);
  for (const KeysTile& t : state_.tiles) {
    for (const uint8_t value : {t.floor, t.floor_color, t.item, t.color, t.open}) out.Put(value);
    out.Put(t.id);
  }
  for (const KeysAgent& a : state_.agents) {
    for (const int32_t value : {a.x, a.y, a.heading}) out.Put(value);
    out.Put(a.carried);
    out.Put(a.carried_id);
    out.Put(a.done);
  }
  out.Put(state_.linked);
  out.Put(state_.floor_color);
  return std::move(out).Finish();
}

void Keys::Restore(std::string_view snapshot) {
  SnapshotReader in(snapshot, facts_.spec);
  KeysState s;
  s.tiles.resize(static_cast<size_t>(size_) * size_);
  for (KeysTile& t : s.tiles) {
    for (uint8_t* value : {&t.floor, &t.floor_color, &t.item, &t.color, &t.open}) *value = in.Get<uint8_t>();
    t.id = in.Get<int16_t>();
  }
  s.agents.resize(static_cast<size_t>(agents_));
  for (KeysAgent& a : s.agents) {
    for (int32_t* value : {&a.x, &a.y, &a.heading}) *value = in.Get<int32_t>();
    a.carried = in.Get<uint8_t>();
    a.carried_id = in.Get<int16_t>();
    a.done = in.Get<uint8_t>();
  }
  s.linked = in.Get<uint8_t>();
  s.floor_color = in.Get<uint8_t>();
  in.Finish();
  SetState(std::move(s));
}

}  // namespace orrery
