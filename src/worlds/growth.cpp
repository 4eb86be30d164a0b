#include "worlds/growth.h"

#include <algorithm>
#include <cmath>

#include "core/rng.h"
#include "worlds/heading.h"
#include "worlds/snapshot.h"

namespace orrery {

namespace {

constexpr int32_t kThing = 1;
constexpr std::array<double, 5> kSpeeds = {-1, 0, 1, 2, 4};  // by action; the first keeps what is
constexpr std::array<Color, 3> kBackground = {{{36, 38, 52}, {52, 40, 36}, {36, 52, 42}}};

GrowthOptions Checked(const GrowthOptions& o) {
  const std::vector<std::string> kinds = {"plant", "melt", "fill", "dye", "candle"};
  if (std::find(kinds.begin(), kinds.end(), o.kind) == kinds.end()) FailUnknown("growth kind", o.kind, kinds);
  RequireRange<int64_t>("growth", "frames", o.frames, 30, 10000);
  RequireRange<int64_t>("growth", "height", o.height, 16, 512);
  RequireRange<int64_t>("growth", "width", o.width, 16, 512);
  return o;
}

Color Mix(const Color& a, const Color& b, double share) {
  Color mixed;
  for (int c = 0; c < 3; ++c) mixed[c] = static_cast<float>(a[c] + (b[c] - a[c]) * share);
  return mixed;
}

}  // namespace

Growth::Growth(const GrowthOptions& options)
    : FlatWorld(FormatSpec("growth", Json(options)), options.height, options.width, 15), options_(Checked(options)) {
  facts_.actions.names = {"none", "stop", "slow", "fast", "faster"};
  facts_.actions.count = 5;
  facts_.interventions = {{"speed", "another speed from now on", "own", {{"value", 4, "0, 1, 2 or 4"}}},
                          {"advance", "some progress at once", "own", {{"by", 0.2, "0..1"}}},
                          TintFacts("background")};
  Reset(0);
}

Facts Growth::Describe() {
  return {"growth", "slow processes that cannot be undone: a plant, a melting disc, a glass that fills, dye, a candle", "own",
          DescribeParams(Json(GrowthOptions{}), {{"kind", "plant, melt, fill, dye or candle"},
                                                 {"frames", "from beginning to end at speed 1, 30..10000"},
                                                 {"height", "of the frame in pixels, 16..512"},
                                                 {"width", "of the frame in pixels, 16..512"}})};
}

void Growth::Reset(uint64_t seed) {
  Rng rng(seed, "growth");
  GrowthState s;
  s.progress = rng.Uniform(0, 0.2);
  s.look = rng.U64();
  SetState(s);
}

void Growth::Advance(double by) {
  const double before = state_.progress;
  state_.progress = std::min(1.0, before + by);
  if (before < 0.5 && state_.progress >= 0.5) events_.push_back({"half", kThing, -1});
  if (before < 1 && state_.progress >= 1) events_.push_back({"end", kThing, -1});
}

void Growth::Step(std::span<const float> action) {
  facts_.actions.Check(action);
  events_.clear();
  if (action[0] > 0) state_.speed = static_cast<uint8_t>(kSpeeds[static_cast<size_t>(action[0])]);
  Advance(state_.speed / static_cast<double>(options_.frames));
}

double Growth::Unit() const { return static_cast<double>(std::min(facts_.height, facts_.width)) / 64; }

void Growth::Draw(Canvas& canvas) const {
  canvas.Fill(kBackground[state_.tint]);
  if (options_.kind == "plant")
    DrawPlant(canvas);
  else if (options_.kind == "melt")
    DrawMelt(canvas);
  else if (options_.kind == "fill")
    DrawFill(canvas);
  else if (options_.kind == "dye")
    DrawDye(canvas);
  else
    DrawCandle(canvas);
}

// A stem that forks five times; branches stand one after the other, lower generations first.
void Growth::DrawPlant(Canvas& canvas) const {
  struct Branch {
    Point from;
    double angle, length;
    int generation;
  };
  const double u = Unit();
  const Point root{0.5 * static_cast<double>(facts_.width), 0.94 * static_cast<double>(facts_.height)};
  canvas.Box({0, root.y}, {static_cast<double>(facts_.width), static_cast<double>(facts_.height)}, {110, 80, 55}, 0);
  std::vector<Branch> branches = {{root, 1.5707963267948966, 17 * u, 0}};
  Rng rng(state_.look, "plant");
  constexpr int kGenerations = 5;
  for (size_t i = 0; i < branches.size(); ++i) {
    const Branch b = branches[i];
    if (b.generation == kGenerations) continue;
    const Direction d = AngleDirection(b.angle);
    const Point tip{b.from.x + b.length * d.x, b.from.y - b.length * d.y};
    for (const double side : {-1.0, 1.0})
      branches.push_back({tip, b.angle + side * rng.Uniform(0.25, 0.65), b.length * rng.Uniform(0.68, 0.82), b.generation + 1});
  }
  const double grown = state_.progress * static_cast<double>(branches.size());
  for (size_t i = 0; i < branches.size(); ++i) {
    const double share = std::clamp(grown - static_cast<double>(i), 0.0, 1.0);
    if (share <= 0) break;
    const Branch& b = branches[i];
    const Direction d = AngleDirection(b.angle);
    const Point tip{b.from.x + share * b.length * d.x, b.from.y - share * b.length * d.y};
    const double young = static_cast<double>(b.generation) / kGenerations;
    canvas.Line(b.from, tip, u * (2.6 - 2.0 * young), Mix({120, 85, 45}, {90, 200, 70}, young), kThing);
  }
}

void Growth::DrawMelt(Canvas& canvas) const {
  Rng rng(state_.look, "melt");
  const double u = Unit(), radius = rng.Uniform(18, 26) * u * std::sqrt(1 - state_.progress);
  const Point middle{static_cast<double>(facts_.width) / 2 + rng.Uniform(-5, 5) * u,
                     static_cast<double>(facts_.height) / 2 + rng.Uniform(-5, 5) * u};
  const Color color = kPalette[1 + rng.Below(7)];
  if (radius > 0) canvas.Disc(middle, radius, color, kThing);
  if (radius > 4 * u)
    canvas.Disc({middle.x - 0.3 * radius, middle.y - 0.3 * radius}, 0.25 * radius, Mix(color, {255, 255, 255}, 0.6), kThing);
}

void Growth::DrawFill(Canvas& canvas) const {
  Rng rng(state_.look, "fill");
  const double u = Unit(), half = rng.Uniform(12, 18) * u, x = static_cast<double>(facts_.width) / 2 + rng.Uniform(-6, 6) * u;
  const double top = 8 * u, bottom = 58 * u, level = bottom - state_.progress * (bottom - top - 4 * u);
  const Color glass = {150, 160, 175}, water = kPalette[1 + rng.Below(7)];
  canvas.Box({x - half, level}, {x + half, bottom}, water, kThing);
  canvas.Box({x - half - 2 * u, top}, {x - half, bottom + 2 * u}, glass, 0);
  canvas.Box({x + half, top}, {x + half + 2 * u, bottom + 2 * u}, glass, 0);
  canvas.Box({x - half, bottom}, {x + half, bottom + 2 * u}, glass, 0);
  if (state_.speed && state_.progress < 1) canvas.Box({x - u, 0}, {x + u, level}, water, Canvas::kKeep, 0.8f);
}

// The drop spreads and fades: the amount of dye stays the same.
void Growth::DrawDye(Canvas& canvas) const {
  Rng rng(state_.look, "dye");
  const double u = Unit(), radius = (5 + 27 * state_.progress) * u;
  const Point middle{static_cast<double>(facts_.width) / 2 + rng.Uniform(-8, 8) * u,
                     static_cast<double>(facts_.height) / 2 + rng.Uniform(-8, 8) * u};
  const Color color = kPalette[1 + rng.Below(7)];
  const double amount = 5 * u / radius;
  constexpr int kRings = 6;
  for (int i = kRings; i >= 1; --i)
    canvas.Disc(middle, radius * i / kRings, color, i == kRings ? kThing : Canvas::kKeep, static_cast<float>(0.12 + 0.55 * amount));
}

void Growth::DrawCandle(Canvas& canvas) const {
  Rng rng(state_.look, "candle");
  const double u = Unit(), half = rng.Uniform(4, 8) * u, x = static_cast<double>(facts_.width) / 2 + rng.Uniform(-12, 12) * u;
  const double bottom = 58 * u, tall = rng.Uniform(32, 40) * u, top = bottom - tall * (1 - state_.progress);
  canvas.Box({x - 2 * half, bottom}, {x + 2 * half, bottom + 3 * u}, {130, 130, 140}, 0);
  canvas.Box({x - half, top}, {x + half, bottom}, kPalette[1 + rng.Below(7)], kThing);
  if (state_.progress >= 1) return;
  canvas.Line({x, top - 2 * u}, {x, top}, u, {60, 50, 40}, 0);
  if (!state_.speed) return;
  const double flame = u * (1.6 + 0.5 * state_.speed);
  canvas.Disc({x, top - 2 * u - flame}, flame, {255, 190, 60}, Canvas::kKeep);
  canvas.Disc({x, top - 2 * u - 0.8 * flame}, 0.5 * flame, {255, 250, 200}, Canvas::kKeep);
}

std::vector<StateVariable> Growth::TrueState() const {
  return {{"progress", {1}, {state_.progress}}, {"speed", {1}, {static_cast<double>(state_.speed)}}};
}

std::vector<WorldObject> Growth::Objects() const {
  // Progress counts as the pixels that it spans on the frame.
  return {{kThing,
           options_.kind,
           static_cast<double>(facts_.width) / 2,
           static_cast<double>(facts_.height) / 2,
           {state_.progress * 50 * Unit()}}};
}

void Growth::Perturb(uint64_t take) {
  if (take == 0) return;
  Rng rng(take, "take");
  state_.progress = std::clamp(state_.progress + 0.005 * rng.Normal(), 0.0, 1.0);
}

void Growth::DoIntervene(const std::string& name, const Json& params) {
  GrowthState s = state_;
  if (name == "speed") {
    const int64_t value = params["value"];
    if (value != 0 && value != 1 && value != 2 && value != 4) Fail("growth: speed: 'value' must be 0, 1, 2 or 4, got {}", value);
    s.speed = static_cast<uint8_t>(value);
  } else if (name == "advance") {
    const double by = params["by"];
    RequireRange<double>("growth: advance", "by", by, 0, 1);
    s.progress = std::min(1.0, s.progress + by);
  } else {
    s.tint = TintFrom("growth", params);
  }
  SetState(s);
}

void Growth::SetState(const GrowthState& s) {
  if (!(s.progress >= 0 && s.progress <= 1)) Fail("growth state: progress must lie in [0, 1], got {}", s.progress);
  if (s.speed > 4 || s.speed == 3 || s.tint > 2) Fail("growth state: speed {} or tint {} is out of range", s.speed, s.tint);
  state_ = s;
  events_.clear();
}

std::string Growth::Snapshot() const {
  SnapshotWriter out(facts_.spec);
  out.Put(state_.progress);
  out.Put(state_.speed);
  out.Put(state_.look);
  out.Put(state_.tint);
  return std::move(out).Finish();
}

void Growth::Restore(std::string_view snapshot) {
  SnapshotReader in(snapshot, facts_.spec);
  GrowthState s;
  s.progress = in.Get<double>();
  s.speed = in.Get<uint8_t>();
  s.look = in.Get<uint64_t>();
  s.tint = in.Get<uint8_t>();
  in.Finish();
  SetState(s);
}

}  // namespace orrery
