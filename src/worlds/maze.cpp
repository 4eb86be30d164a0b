#include "worlds/maze.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "worlds/snapshot.h"

namespace orrery {

namespace {

enum LatticeAction { kNoop, kForward, kLeft, kRight, kForwardLeft, kForwardRight };

MazeOptions Checked(const MazeOptions& o) {
  RequireRange<int64_t>("maze", "size", o.size, 5, 31);
  if (o.size % 2 == 0) Fail("maze: 'size' must be odd, got {}", o.size);
  RequireRange<int64_t>("maze", "colors", o.colors, 1, kMazeColors);
  RequireRange<int64_t>("maze", "objects", o.objects, 0, kObjectKinds);
  RequireRange<int64_t>("maze", "height", o.height, 16, 512);
  RequireRange<int64_t>("maze", "width", o.width, 16, 512);
  if (o.height % 2 != 0) Fail("maze: 'height' must be even, got {}", o.height);
  if (o.step != "lattice" && o.step != "continuous") FailUnknown("maze step", o.step, std::vector<std::string>{"lattice", "continuous"});
  return o;
}

int32_t Rounded(double value) { return static_cast<int32_t>(std::floor(value + 0.5)); }

// Half of the old rate and half of the one asked for; the rest of the division is dropped towards zero, so that a
// motion nobody asks for dies out.
int32_t Blend(int32_t old_rate, float asked, int32_t full) { return (old_rate + Rounded(static_cast<double>(asked) * full)) / 2; }

}  // namespace

Maze::Maze(const MazeOptions& options)
    : options_(Checked(options)),
      lattice_(options.step == "lattice"),
      raycaster_(static_cast<int>(options.height), static_cast<int>(options.width)) {
  facts_.spec = FormatSpec("maze", Json(options));
  facts_.height = options.height;
  facts_.width = options.width;
  facts_.fps = 15;
  facts_.has_pose = facts_.has_depth = facts_.has_ids = true;
  const Param x{"x", 1, "column"}, y{"y", 1, "row"};
  facts_.interventions = {{"move-object", "puts an object into another cell", "own", {{"object", 2, "id, from 2"}, x, y}},
                          {"swap-objects", "two objects change places", "own", {{"first", 2, "id, from 2"}, {"second", 3, "id, from 2"}}},
                          {"wall", "closes or opens a cell inside the outer ring", "own", {x, y, {"on", true, "wall or not"}}},
                          {"paint", "another colour for a cell", "own", {x, y, {"color", 0, "0..11"}}},
                          {"light", "switches the light", "own", {{"on", false, "on or off"}}}};
  if (lattice_) {
    facts_.actions.names = {"noop", "forward", "left", "right", "forward-left", "forward-right"};
    facts_.actions.count = 6;
  } else {
    facts_.actions = {0, 2, {"forward", "turn"}, {-1, -1}, {1, 1}};
  }
  Reset(0);
}

Facts Maze::Describe() {
  return {"maze", "a textured 3-D maze seen from inside, with coloured objects to find", "own",
          DescribeParams(Json(MazeOptions{}),
                         {{"size", "cells a side, outer walls included; odd, 5..31"},
                          {"colors", "regions of the map, each with its own colour and texture; 1..12"},
                          {"objects", "objects to find; 0..8"},
                          {"step", "lattice: turns of 15 degrees, steps of 0.25 cells; continuous: speed and spin with inertia"},
                          {"height", "of the frame in pixels; even, 16..512"},
                          {"width", "of the frame in pixels; 16..512"}})};
}

void Maze::Reset(uint64_t seed) {
  Rng rng(seed, "maze");
  MazeState state;
  state.map = GenerateMaze(static_cast<int32_t>(options_.size), static_cast<int32_t>(options_.colors), rng);
  std::vector<int32_t> free = FreeCells(state.map);
  const auto draw_cell = [&] {
    const size_t index = static_cast<size_t>(rng.Below(static_cast<int64_t>(free.size())));
    const int32_t cell = free[index];
    free.erase(free.begin() + static_cast<std::ptrdiff_t>(index));
    return std::array<int32_t, 2>{cell % state.map.size, cell / state.map.size};
  };
  const auto [x, y] = draw_cell();
  state.x = x * kCell + kCell / 2;
  state.y = y * kCell + kCell / 2;
  std::vector<int32_t> open;
  constexpr std::array<std::array<int32_t, 2>, 4> sides = {{{1, 0}, {0, 1}, {-1, 0}, {0, -1}}};
  for (int32_t side = 0; side < 4; ++side)
    if (!state.map.Wall(x + sides[side][0], y + sides[side][1])) open.push_back(side * kTurn / 4);
  state.heading = open[rng.Below(static_cast<int64_t>(open.size()))];
  for (int64_t i = 0; i < options_.objects && !free.empty(); ++i) {
    const auto [ox, oy] = draw_cell();
    state.objects.push_back({ox * kCell + kCell / 2, oy * kCell + kCell / 2, static_cast<uint8_t>(i), 0});
  }
  state_ = std::move(state);
  events_.clear();
}

// A quarter of a cell along heading i * 15 degrees, in 1/64 cell; quarter turns are exact rotations.
std::array<int32_t, 2> Maze::LatticeStep(int32_t heading) {
  constexpr std::array<std::array<int32_t, 2>, 6> first_quarter = {{{16, 0}, {15, 4}, {14, 8}, {11, 11}, {8, 14}, {4, 15}}};
  const int32_t index = heading / kStep15;
  const auto [x, y] = first_quarter[index % 6];
  switch (index / 6) {
    case 0:
      return {x, y};
    case 1:
      return {-y, x};
    case 2:
      return {-x, -y};
    default:
      return {y, -x};
  }
}

bool Maze::Clear(const MazeMap& map, int32_t x, int32_t y) const {
  for (const int32_t sx : {-kRadius, kRadius})
    for (const int32_t sy : {-kRadius, kRadius})
      if (map.Wall((x + sx) / kCell, (y + sy) / kCell)) return false;
  return true;
}

void Maze::Move(int32_t dx, int32_t dy) {
  if (Clear(state_.map, state_.x + dx, state_.y)) state_.x += dx;
  if (Clear(state_.map, state_.x, state_.y + dy)) state_.y += dy;
}

void Maze::Step(std::span<const float> action) {
  facts_.actions.Check(action);
  events_.clear();
  if (lattice_) {
    const int choice = static_cast<int>(action[0]);
    if (choice == kLeft || choice == kForwardLeft) state_.heading = WrapHeading(state_.heading + kStep15);
    if (choice == kRight || choice == kForwardRight) state_.heading = WrapHeading(state_.heading - kStep15);
    if (choice == kForward || choice == kForwardLeft || choice == kForwardRight) {
      const auto [dx, dy] = LatticeStep(state_.heading);
      Move(dx * kLatticeUnit, dy * kLatticeUnit);
    }
  } else {
    state_.speed = Blend(state_.speed, action[0], kCell / 4);
    state_.spin = Blend(state_.spin, action[1], kStep15);
    state_.heading = WrapHeading(state_.heading + state_.spin);
    const Direction forward = HeadingDirection(state_.heading);
    Move(Rounded(state_.speed * forward.x), Rounded(state_.speed * forward.y));
  }
  for (size_t i = 0; i < state_.objects.size(); ++i) {
    MazeObject& object = state_.objects[i];
    const int64_t dx = object.x - state_.x, dy = object.y - state_.y;
    if (object.found || dx * dx + dy * dy > int64_t{kCell} * kCell / 4) continue;
    object.found = 1;
    events_.push_back({"found", 1, 2 + static_cast<int64_t>(i)});
  }
}

MazeCamera Maze::Camera() const {
  return {static_cast<double>(state_.x) / kCell, static_cast<double>(state_.y) / kCell, HeadingDirection(state_.heading)};
}

std::vector<Billboard> Maze::Billboards() const {
  std::vector<Billboard> billboards;
  for (const MazeObject& o : state_.objects)
    billboards.push_back({static_cast<double>(o.x) / kCell, static_cast<double>(o.y) / kCell, o.kind});
  return billboards;
}

void Maze::Render(std::span<uint8_t> rgb) const {
  ORRERY_CHECK(static_cast<int64_t>(rgb.size()) == 3 * options_.height * options_.width);
  if (state_.dark)
    std::fill(rgb.begin(), rgb.end(), uint8_t{0});
  else
    raycaster_.Render(state_.map, Billboards(), Camera(), rgb);
}

void Maze::RenderDepth(std::span<float> depth) const {
  ORRERY_CHECK(static_cast<int64_t>(depth.size()) == options_.height * options_.width);
  raycaster_.Depth(state_.map, Billboards(), Camera(), depth);
}

void Maze::RenderIds(std::span<int32_t> ids) const {
  ORRERY_CHECK(static_cast<int64_t>(ids.size()) == options_.height * options_.width);
  std::vector<float> depth(ids.size());
  raycaster_.Depth(state_.map, Billboards(), Camera(), depth, ids);
  for (int32_t& id : ids) id = id == 0 || state_.dark ? 0 : id + 1;
}

std::vector<WorldObject> Maze::Objects() const {
  const Pose pose = *TruePose();
  std::vector<WorldObject> objects = {{1, "agent", pose.x, pose.y, {pose.angle}}};
  for (size_t i = 0; i < state_.objects.size(); ++i) {
    const MazeObject& o = state_.objects[i];
    objects.push_back({2 + static_cast<int64_t>(i),
                       "object",
                       static_cast<double>(o.x) / kCell,
                       static_cast<double>(o.y) / kCell,
                       {static_cast<double>(o.kind), static_cast<double>(o.found)}});
  }
  return objects;
}

void Maze::Perturb(uint64_t take) {
  if (take == 0 || lattice_) return;
  Rng rng(take, "take");
  const auto nudge = [&](double deviation) { return Rounded(deviation * rng.Normal()); };
  const int32_t dx = nudge(0.02 * kCell), dy = nudge(0.02 * kCell);
  Move(dx, dy);
  state_.heading = WrapHeading(state_.heading + nudge(0.02 * kStep15));
}

void Maze::DoIntervene(const std::string& name, const Json& params) {
  MazeState s = state_;
  const auto object = [&](const char* key) -> MazeObject& {
    const int64_t id = params[key], last = 1 + static_cast<int64_t>(s.objects.size());
    if (id < 2 || id > last) Fail("maze: {}: '{}' must be the id of an object, 2..{}, got {}", name, key, last, id);
    return s.objects[static_cast<size_t>(id - 2)];
  };
  const auto cell = [&] {
    const int64_t x = params["x"], y = params["y"];
    RequireRange<int64_t>("maze: " + name, "x", x, 1, options_.size - 2);
    RequireRange<int64_t>("maze: " + name, "y", y, 1, options_.size - 2);
    return std::array<int32_t, 2>{static_cast<int32_t>(x), static_cast<int32_t>(y)};
  };
  if (name == "move-object") {
    const auto [x, y] = cell();
    MazeObject& o = object("object");
    o.x = x * kCell + kCell / 2;
    o.y = y * kCell + kCell / 2;
  } else if (name == "swap-objects") {
    MazeObject &a = object("first"), &b = object("second");
    std::swap(a.x, b.x);
    std::swap(a.y, b.y);
  } else if (name == "wall") {
    const auto [x, y] = cell();
    s.map.wall[s.map.Index(x, y)] = params["on"].get<bool>();
  } else if (name == "paint") {
    const auto [x, y] = cell();
    const int64_t color = params["color"];
    RequireRange<int64_t>("maze: paint", "color", color, 0, kMazeColors - 1);
    s.map.color[s.map.Index(x, y)] = static_cast<uint8_t>(color);
  } else {
    s.dark = !params["on"].get<bool>();
  }
  SetState(std::move(s));
}

std::optional<Pose> Maze::TruePose() const {
  const MazeCamera camera = Camera();
  return Pose{camera.x, camera.y, HeadingRadians(state_.heading)};
}

std::vector<StateVariable> Maze::TrueState() const {
  const Pose pose = *TruePose();
  const MazeMap& map = state_.map;
  std::vector<double> objects;
  for (const MazeObject& o : state_.objects)
    objects.insert(objects.end(), {static_cast<double>(o.x) / kCell, static_cast<double>(o.y) / kCell, static_cast<double>(o.kind),
                                   static_cast<double>(o.found)});
  return {{"agent", {3}, {pose.x, pose.y, pose.angle}},
          {"motion", {2}, {static_cast<double>(state_.speed) / kCell, state_.spin * (2 * std::numbers::pi / kTurn)}},
          {"walls", {map.size, map.size}, {map.wall.begin(), map.wall.end()}},
          {"colors", {map.size, map.size}, {map.color.begin(), map.color.end()}},
          {"objects", {static_cast<int64_t>(state_.objects.size()), 4}, std::move(objects)},
          {"dark", {1}, {static_cast<double>(state_.dark)}}};
}

std::string Maze::Snapshot() const {
  SnapshotWriter out(facts_.spec);
  out.PutAll(std::span<const uint8_t>(state_.map.wall));
  out.PutAll(std::span<const uint8_t>(state_.map.color));
  out.PutAll(std::span<const uint8_t>(state_.map.decor));
  out.Put(static_cast<uint32_t>(state_.objects.size()));
  for (const MazeObject& o : state_.objects) {
    out.Put(o.x);
    out.Put(o.y);
    out.Put(o.kind);
    out.Put(o.found);
  }
  for (const int32_t value : {state_.x, state_.y, state_.heading, state_.speed, state_.spin}) out.Put(value);
  out.Put(state_.dark);
  return std::move(out).Finish();
}

void Maze::Restore(std::string_view snapshot) {
  SnapshotReader in(snapshot, facts_.spec);
  MazeState state;
  state.map.size = static_cast<int32_t>(options_.size);
  const size_t cells = static_cast<size_t>(options_.size * options_.size);
  for (std::vector<uint8_t>* layer : {&state.map.wall, &state.map.color, &state.map.decor}) {
    layer->resize(cells);
    in.GetAll(std::span<uint8_t>(*layer));
  }
  const auto count = in.Get<uint32_t>();
  RequireRange<uint32_t>("snapshot of maze", "objects", count, 0, kObjectKinds);
  state.objects.resize(count);
  for (MazeObject& o : state.objects) {
    o.x = in.Get<int32_t>();
    o.y = in.Get<int32_t>();
    o.kind = in.Get<uint8_t>();
    o.found = in.Get<uint8_t>();
  }
  for (int32_t* value : {&state.x, &state.y, &state.heading, &state.speed, &state.spin}) *value = in.Get<int32_t>();
  state.dark = in.Get<uint8_t>();
  in.Finish();
  SetState(std::move(state));
}

void Maze::SetState(MazeState state) {
  Check(state);
  state_ = std::move(state);
  events_.clear();
}

void Maze::Check(const MazeState& s) const {
  const auto require = [](bool fine, std::string_view what) {
    if (!fine) Fail("maze state: {}", what);
  };
  const int32_t size = static_cast<int32_t>(options_.size);
  const size_t cells = static_cast<size_t>(size) * size;
  require(s.map.size == size && s.map.wall.size() == cells && s.map.color.size() == cells && s.map.decor.size() == cells,
          "the map has another size than this maze");
  for (size_t i = 0; i < cells; ++i) require(s.map.wall[i] <= 1 && s.map.color[i] < kMazeColors, "a wall or colour is out of range");
  for (int32_t i = 0; i < size; ++i)
    require(s.map.Wall(i, 0) && s.map.Wall(i, size - 1) && s.map.Wall(0, i) && s.map.Wall(size - 1, i), "the outer ring must be wall");
  const auto within = [&](int32_t x, int32_t y) { return x >= kCell && y >= kCell && x < (size - 1) * kCell && y < (size - 1) * kCell; };
  require(within(s.x, s.y) && Clear(s.map, s.x, s.y), "the agent is inside a wall");
  require(s.heading >= 0 && s.heading < kTurn, "the heading is out of range");
  if (lattice_)
    require(s.x % kLatticeUnit == 0 && s.y % kLatticeUnit == 0 && s.heading % kStep15 == 0 && s.speed == 0 && s.spin == 0,
            "the pose is off the lattice (1/64 cell, 15 degrees, at rest)");
  require(std::abs(s.speed) <= kCell / 4 && std::abs(s.spin) <= kStep15, "the motion is out of range");
  require(s.dark <= 1, "the light is out of range");
  require(s.objects.size() <= kObjectKinds, "too many objects");
  for (const MazeObject& o : s.objects)
    require(within(o.x, o.y) && !s.map.Wall(o.x / kCell, o.y / kCell) && o.kind < kObjectKinds && o.found <= 1,
            "an object is inside a wall or out of range");
}

}  // namespace orrery
