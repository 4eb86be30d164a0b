#include "worlds/occluder.h"

#include <algorithm>
#include <cmath>

#include "core/rng.h"
#include "worlds/snapshot.h"

namespace orrery {

namespace {

enum Action { kNone, kUp, kDown, kLeft, kRight, kLight };

constexpr double kPan = 1, kRaise = 0.125;       // a frame
constexpr double kFloorY = 56, kScreenTop = 14;  // of 64
constexpr double kPostHalf = 1.5;
constexpr std::array<Color, 3> kWall = {{{190, 185, 175}, {175, 185, 190}, {185, 175, 190}}};
constexpr Color kFloor = {120, 105, 90}, kScreen = {70, 75, 85}, kPost = {50, 45, 40};

OccluderOptions Checked(const OccluderOptions& o) {
  RequireRange<int64_t>("occluder", "discs", o.discs, 1, 5);
  RequireRange<int64_t>("occluder", "screens", o.screens, 1, 2);
  RequireRange<double>("occluder", "speed", o.speed, 0.2, 4);
  RequireRange<int64_t>("occluder", "height", o.height, 32, 512);
  RequireRange<int64_t>("occluder", "width", o.width, 32, 512);
  return o;
}

double LaneY(size_t lane) { return 50 - 7.5 * static_cast<double>(lane % 5); }

}  // namespace

Occluder::Occluder(const OccluderOptions& options)
    : FlatWorld(FormatSpec("occluder", Json(options)), options.height, options.width, 15),
      options_(Checked(options)),
      view_width_(64.0 * static_cast<double>(options.width) / static_cast<double>(options.height)) {
  facts_.actions.names = {"none", "screen-up", "screen-down", "left", "right", "light"};
  facts_.actions.count = 6;
  const Param disc{"disc", 1, "id"};
  facts_.interventions = {{"reverse", "turns a disc's motion round", "own", {disc}},
                          {"speed", "makes a disc faster or slower", "own", {disc, {"factor", 1.5, "0.2..2"}}},
                          {"add", "another disc rolls in", "own", {{"color", 5, "of the palette, 0..11"}}},
                          {"remove", "takes a disc away", "own", {disc}},
                          TintFacts("wallpaper"),
                          {"vanish", "impossible: a disc is gone while it is hidden", "own", {disc}},
                          {"recolor", "impossible: a hidden disc changes its colour", "own", {disc, {"color", 5, "of the palette, 0..11"}}},
                          {"reshape", "impossible: a hidden disc becomes a square, or back", "own", {disc}},
                          {"teleport", "impossible: a hidden disc is elsewhere", "own", {disc, {"x", 48.0, "in the room"}}},
                          {"ghost", "impossible: the post no longer stops anything", "own", {}}};
  Reset(0);
}

Facts Occluder::Describe() {
  return {"occluder", "discs that roll behind screens; the camera pans, the screens rise and fall, the light goes off",
          "own, after IntPhys (arXiv 1803.07616)",
          DescribeParams(Json(OccluderOptions{}), {{"discs", "1..5"},
                                                   {"screens", "1..2"},
                                                   {"post", "a post behind the first screen, off which discs bounce"},
                                                   {"speed", "of a disc at most, 64ths of the height a frame, 0.2..4"},
                                                   {"height", "of the frame in pixels, 32..512"},
                                                   {"width", "of the frame in pixels, 32..512"}})};
}

OccluderDisc Occluder::NewDisc(int32_t id, int32_t color, int32_t lane, Rng& rng) const {
  OccluderDisc d;
  d.id = id;
  d.color = color;
  d.shape = static_cast<int32_t>(rng.Below(2));
  d.radius = rng.Uniform(3, 3.6);
  d.y = LaneY(static_cast<size_t>(lane));
  d.vx = rng.Uniform(0.4, 1) * options_.speed * (rng.Bernoulli(0.5) ? 1 : -1);
  do d.x = rng.Uniform(d.radius, RoomWidth() - d.radius);
  while (options_.post && std::abs(d.x - PostX()) < d.radius + kPostHalf + 1);
  return d;
}

void Occluder::Reset(uint64_t seed) {
  Rng rng(seed, "occluder");
  OccluderState s;
  std::array<int32_t, kPaletteColors> colors;
  for (int32_t i = 0; i < kPaletteColors; ++i) colors[i] = i;
  for (int32_t i = kPaletteColors - 1; i > 0; --i) std::swap(colors[i], colors[rng.Below(i + 1)]);
  for (int32_t i = 0; i < options_.discs; ++i) s.discs.push_back(NewDisc(1 + i, colors[i], i, rng));
  for (int64_t i = 0; i < options_.screens; ++i) {
    const double middle = options_.screens == 1 ? 0.75 : i == 0 ? 0.5 : 1.0;
    s.screens.push_back({middle * view_width_ + rng.Uniform(-3, 3), rng.Uniform(8, options_.screens == 1 ? 14 : 11), 1});
  }
  if (options_.post) s.screens[0].x = PostX();
  s.camera = 0.25 * view_width_;
  SetState(std::move(s));
}

void Occluder::Roll(OccluderDisc& d) {
  const double before = d.x;
  d.x += d.vx;
  double low = d.radius, high = RoomWidth() - d.radius;
  if (options_.post && state_.solid) {
    if (before < PostX())
      high = PostX() - kPostHalf - d.radius;
    else
      low = PostX() + kPostHalf + d.radius;
  }
  const double mirrored = d.x < low ? 2 * low - d.x : d.x > high ? 2 * high - d.x : d.x;
  if (mirrored == d.x) return;
  d.x = std::clamp(mirrored, low, high);
  d.vx = -d.vx;
  events_.push_back({"bounce", d.id, -1});
}

void Occluder::Step(std::span<const float> action) {
  facts_.actions.Check(action);
  events_.clear();
  const std::vector<double> before = Visible();
  switch (static_cast<Action>(static_cast<int>(action[0]))) {
    case kUp:
      state_.rising = 1;
      break;
    case kDown:
      state_.rising = -1;
      break;
    case kLeft:
      state_.camera = std::max(0.0, state_.camera - kPan);
      break;
    case kRight:
      state_.camera = std::min(RoomWidth() - view_width_, state_.camera + kPan);
      break;
    case kLight:
      state_.dark ^= 1;
      break;
    case kNone:
      break;
  }
  for (OccluderScreen& screen : state_.screens) screen.raised = std::clamp(screen.raised + kRaise * state_.rising, 0.0, 1.0);
  for (OccluderDisc& disc : state_.discs) Roll(disc);
  const std::vector<double> after = Visible();
  for (size_t i = 0; i < after.size(); ++i) {
    if (before[i] > 0 && after[i] == 0) events_.push_back({"hidden", state_.discs[i].id, -1});
    if (before[i] == 0 && after[i] > 0) events_.push_back({"seen", state_.discs[i].id, -1});
  }
}

void Occluder::DrawDiscs(Canvas& canvas) const {
  const double u = Unit();
  for (const OccluderDisc& d : state_.discs) {
    const Point at{(d.x - state_.camera) * u, d.y * u};
    const double r = d.radius * u;
    if (d.shape == 0) {
      canvas.Disc(at, r, Shade(kPalette[d.color], 0.65f), d.id);
      canvas.Disc(at, 0.75 * r, kPalette[d.color], d.id);
    } else {
      canvas.Box({at.x - r, at.y - r}, {at.x + r, at.y + r}, Shade(kPalette[d.color], 0.65f), d.id);
      canvas.Box({at.x - 0.7 * r, at.y - 0.7 * r}, {at.x + 0.7 * r, at.y + 0.7 * r}, kPalette[d.color], d.id);
    }
  }
}

void Occluder::Draw(Canvas& canvas) const {
  const double u = Unit(), width = static_cast<double>(facts_.width), height = static_cast<double>(facts_.height);
  if (state_.dark) return canvas.Fill({0, 0, 0});
  canvas.Fill(kWall[state_.tint]);
  // Stripes on the wall, so that the camera's motion shows.
  for (double x = 4; x < RoomWidth(); x += 12)
    canvas.Box({(x - state_.camera) * u, 0}, {(x + 1.5 - state_.camera) * u, 12 * u}, Shade(kWall[state_.tint], 0.85f), 0);
  canvas.Box({0, kFloorY * u}, {width, height}, kFloor, 0);
  if (options_.post)
    canvas.Box({(PostX() - kPostHalf - state_.camera) * u, kScreenTop * u}, {(PostX() + kPostHalf - state_.camera) * u, kFloorY * u}, kPost,
               0);
  DrawDiscs(canvas);
  for (const OccluderScreen& s : state_.screens) {
    const double top = kFloorY - s.raised * (kFloorY - kScreenTop), left = (s.x - s.half - state_.camera) * u,
                 right = (s.x + s.half - state_.camera) * u;
    canvas.Box({left, top * u}, {right, (kFloorY + 2) * u}, kScreen, 0);
    canvas.Box({left, top * u}, {right, (top + 1.5) * u}, Shade(kScreen, 1.5f), 0);
  }
}

std::vector<double> Occluder::Visible() const {
  const auto size = static_cast<size_t>(facts_.height * facts_.width);
  std::vector<uint8_t> rgb(3 * size);
  std::vector<int32_t> ids(size);
  Canvas shown(facts_.height, facts_.width, rgb, ids);
  Draw(shown);
  std::vector<double> visible;
  for (const OccluderDisc& d : state_.discs) {
    const double area = (d.shape == 0 ? 3.141592653589793 : 4) * d.radius * d.radius * Unit() * Unit();
    visible.push_back(std::min(1.0, static_cast<double>(std::count(ids.begin(), ids.end(), d.id)) / area));
  }
  return visible;
}

std::vector<StateVariable> Occluder::TrueState() const {
  const auto n = static_cast<int64_t>(state_.discs.size()), s = static_cast<int64_t>(state_.screens.size());
  std::vector<StateVariable> out = {{"position", {n, 2}, {}},
                                    {"velocity", {n}, {}},
                                    {"radius", {n}, {}},
                                    {"color", {n}, {}},
                                    {"shape", {n}, {}},
                                    {"visible", {n}, Visible()},
                                    {"id", {n}, {}},
                                    {"screens", {s, 3}, {}},
                                    {"camera", {1}, {state_.camera}},
                                    {"dark", {1}, {static_cast<double>(state_.dark)}}};
  for (const OccluderDisc& d : state_.discs) {
    out[0].values.insert(out[0].values.end(), {d.x, d.y});
    out[1].values.push_back(d.vx);
    out[2].values.push_back(d.radius);
    out[3].values.push_back(d.color);
    out[4].values.push_back(d.shape);
    out[6].values.push_back(d.id);
  }
  for (const OccluderScreen& screen : state_.screens) out[7].values.insert(out[7].values.end(), {screen.x, screen.half, screen.raised});
  return out;
}

std::vector<WorldObject> Occluder::Objects() const {
  std::vector<WorldObject> objects;
  for (const OccluderDisc& d : state_.discs)
    objects.push_back(
        {d.id, "disc", (d.x - state_.camera) * Unit(), d.y * Unit(), {static_cast<double>(d.color), static_cast<double>(d.shape)}});
  return objects;
}

void Occluder::Perturb(uint64_t take) {
  if (take == 0) return;
  for (OccluderDisc& d : state_.discs) {
    Rng rng(DeriveSeed(take, static_cast<uint64_t>(d.id)), "take");
    d.x = std::clamp(d.x + 0.25 * rng.Normal() / Unit(), d.radius, RoomWidth() - d.radius);
    d.vx *= 1 + 0.01 * rng.Normal();
  }
}

size_t Occluder::Find(const OccluderState& s, int64_t id) const {
  for (size_t i = 0; i < s.discs.size(); ++i)
    if (s.discs[i].id == id) return i;
  Fail("occluder: there is no disc with the id {}", id);
}

void Occluder::DoIntervene(const std::string& name, const Json& params) {
  OccluderState s = state_;
  const auto color = [&] {
    const int64_t c = params["color"];
    RequireRange<int64_t>("occluder: " + name, "color", c, 0, kPaletteColors - 1);
    return static_cast<int32_t>(c);
  };
  if (name == "tint") {
    s.tint = TintFrom("occluder", params);
  } else if (name == "ghost") {
    s.solid = 0;
  } else if (name == "add") {
    if (s.discs.size() == kMaxDiscs) Fail("occluder: at most {} discs", kMaxDiscs);
    int32_t id = 0;
    for (const OccluderDisc& d : s.discs) id = std::max(id, d.id);
    Rng rng(static_cast<uint64_t>(id), "add");
    s.discs.push_back(NewDisc(id + 1, color(), static_cast<int32_t>(s.discs.size()), rng));
  } else {
    const size_t i = Find(s, params["disc"]);
    OccluderDisc& d = s.discs[i];
    const bool impossible = name == "vanish" || name == "recolor" || name == "reshape" || name == "teleport";
    if (impossible && Visible()[i] > 0) Fail("occluder: {}: disc {} is in sight now; wait until it is hidden", name, d.id);
    if (name == "reverse") {
      d.vx = -d.vx;
    } else if (name == "speed") {
      const double factor = params["factor"];
      RequireRange<double>("occluder: speed", "factor", factor, 0.2, 2);
      d.vx *= factor;
    } else if (name == "remove" || name == "vanish") {
      s.discs.erase(s.discs.begin() + static_cast<std::ptrdiff_t>(i));
    } else if (name == "recolor") {
      d.color = color();
    } else if (name == "reshape") {
      d.shape ^= 1;
    } else {
      const double x = params["x"];
      RequireRange<double>("occluder: teleport", "x", x, d.radius, RoomWidth() - d.radius);
      d.x = x;
    }
  }
  SetState(std::move(s));
}

void Occluder::SetState(OccluderState s) {
  const auto require = [](bool fine, std::string_view what) {
    if (!fine) Fail("occluder state: {}", what);
  };
  require(s.discs.size() <= kMaxDiscs && static_cast<int64_t>(s.screens.size()) == options_.screens,
          "another number of discs or screens than can be");
  for (size_t i = 0; i < s.discs.size(); ++i) {
    const OccluderDisc& d = s.discs[i];
    require(d.radius >= 1 && d.radius <= 10 && d.x >= d.radius && d.x <= RoomWidth() - d.radius && d.y >= 0 && d.y <= 64 &&
                std::abs(d.vx) <= 10,
            "a disc is out of range");
    require(d.id >= 1 && d.color >= 0 && d.color < kPaletteColors && d.shape >= 0 && d.shape <= 1,
            "a disc's id, colour or shape is out of range");
    for (size_t j = 0; j < i; ++j) require(s.discs[j].id != d.id, "two discs have one id");
  }
  for (const OccluderScreen& screen : s.screens)
    require(screen.x >= 0 && screen.x <= RoomWidth() && screen.half > 0 && screen.half <= view_width_ && screen.raised >= 0 &&
                screen.raised <= 1,
            "a screen is out of range");
  require(s.camera >= 0 && s.camera <= RoomWidth() - view_width_ && s.rising >= -1 && s.rising <= 1 && s.dark <= 1 && s.solid <= 1 &&
              s.tint <= 2,
          "a value is out of range");
  state_ = std::move(s);
  events_.clear();
}

std::string Occluder::Snapshot() const {
  SnapshotWriter out(facts_.spec);
  out.Put(static_cast<uint32_t>(state_.discs.size()));
  for (const OccluderDisc& d : state_.discs) {
    for (const int32_t value : {d.id, d.color, d.shape}) out.Put(value);
    for (const double value : {d.x, d.y, d.vx, d.radius}) out.Put(value);
  }
  for (const OccluderScreen& s : state_.screens)
    for (const double value : {s.x, s.half, s.raised}) out.Put(value);
  out.Put(state_.camera);
  out.Put(state_.rising);
  for (const uint8_t value : {state_.dark, state_.solid, state_.tint}) out.Put(value);
  return std::move(out).Finish();
}

void Occluder::Restore(std::string_view snapshot) {
  SnapshotReader in(snapshot, facts_.spec);
  OccluderState s;
  const auto count = in.Get<uint32_t>();
  RequireRange<uint32_t>("snapshot of occluder", "discs", count, 0, kMaxDiscs);
  s.discs.resize(count);
  for (OccluderDisc& d : s.discs) {
    for (int32_t* value : {&d.id, &d.color, &d.shape}) *value = in.Get<int32_t>();
    for (double* value : {&d.x, &d.y, &d.vx, &d.radius}) *value = in.Get<double>();
  }
  s.screens.resize(static_cast<size_t>(options_.screens));
  for (OccluderScreen& screen : s.screens)
    for (double* value : {&screen.x, &screen.half, &screen.raised}) *value = in.Get<double>();
  s.camera = in.Get<double>();
  s.rising = in.Get<int8_t>();
  for (uint8_t* value : {&s.dark, &s.solid, &s.tint}) *value = in.Get<uint8_t>();
  in.Finish();
  SetState(std::move(s));
}

}  // namespace orrery
