#include "worlds/stack.h"

#include <algorithm>
#include <cmath>

#include "core/rng.h"

namespace orrery {

namespace {

constexpr float kPush = 1.0f;            // m/s
constexpr double kRoom = 6, kTable = 2;  // m: width of what one sees, half width of the table
constexpr std::array<Color, 3> kWall = {{{200, 205, 210}, {215, 205, 195}, {200, 215, 200}}};
constexpr Color kTableColor = {110, 75, 45};

StackOptions Checked(const StackOptions& o) {
  RequireRange<int64_t>("stack", "boxes", o.boxes, 3, 8);
  RequireRange<double>("stack", "offset", o.offset, 0, 1.5);
  RequireRange<int64_t>("stack", "height", o.height, 16, 512);
  RequireRange<int64_t>("stack", "width", o.width, 16, 512);
  return o;
}

}  // namespace

Stack::Stack(const StackOptions& options)
    : FlatWorld(FormatSpec("stack", Json(options)), options.height, options.width, kRigidRate), options_(Checked(options)) {
  facts_.actions.names = {"none"};
  for (int64_t i = 1; i <= options.boxes; ++i)
    for (const char* what : {"left", "right", "take"}) facts_.actions.names.push_back(fmt::format("{}-{}", what, i));
  facts_.actions.count = static_cast<int64_t>(facts_.actions.names.size());
  const Param box{"box", 1, "id, 1 is the lowest"};
  facts_.interventions = {{"shift", "moves a box sideways", "own", {box, {"by", 0.3, "m, -1..1"}}},
                          {"remove", "takes a box away", "own", {box}},
                          {"glue", "a box never moves again", "own", {box}},
                          TintFacts("wall")};
  scene_.friction = 0.6f;
  scene_.ground_left = static_cast<float>(kRoom / 2 - kTable);
  scene_.ground_right = static_cast<float>(kRoom / 2 + kTable);
  view_.scale = static_cast<double>(options.width) / kRoom;
  view_.ground = static_cast<double>(options.height) - 0.9 * view_.scale;
  Reset(0);
}

Facts Stack::Describe() {
  return {"stack", "a tower of boxes on a table; push a box or take one out", "Box2D 2.4.1",
          DescribeParams(Json(StackOptions{}), {{"boxes", "3..8"},
                                                {"offset", "of a box from the one below at most, in half widths of the narrower, 0..1.5"},
                                                {"height", "of the frame in pixels, 16..512"},
                                                {"width", "of the frame in pixels, 16..512"}})};
}

void Stack::Reset(uint64_t seed) {
  Rng rng(seed, "stack");
  bodies_.clear();
  float top = 0, x = static_cast<float>(kRoom / 2);
  const double room = 4.4 / static_cast<double>(options_.boxes);  // m of height for each
  for (int32_t i = 0; i < options_.boxes; ++i) {
    RigidBody b;
    b.id = 1 + i;
    b.color = 1 + static_cast<int32_t>(rng.Below(kPaletteColors - 1));
    b.half_width = static_cast<float>(rng.Uniform(0.3, 0.75));
    b.half_height = static_cast<float>(0.5 * std::min(0.8, room) * rng.Uniform(0.7, 1));
    const float narrower = i ? std::min(b.half_width, bodies_.back().half_width) : 0.3f;
    x += static_cast<float>(options_.offset * rng.Uniform(-1, 1)) * narrower;
    b.x = x;
    b.y = top + b.half_height;
    top += 2 * b.half_height;
    bodies_.push_back(b);
  }
  stood_.clear();
  for (const RigidBody& b : bodies_) stood_.push_back(b.y);
  fallen_.assign(bodies_.size(), 0);
  tint_ = 0;
  events_.clear();
}

void Stack::Step(std::span<const float> action) {
  facts_.actions.Check(action);
  events_.clear();
  if (const int index = static_cast<int>(action[0]); index > 0) {
    RigidBody& box = bodies_[static_cast<size_t>(index - 1) / 3];
    const int what = (index - 1) % 3;
    if (what == 2)
      box.hold = RigidBody::kGone;
    else if (box.hold == RigidBody::kFree)
      box.vx += what == 0 ? -kPush : kPush;
  }
  StepRigid(scene_, bodies_);
  for (size_t i = 0; i < bodies_.size(); ++i) {
    RigidBody& b = bodies_[i];
    b.vx = std::clamp(b.vx, -20.0f, 20.0f);
    if (b.y < -20) {  // far below the table: it stays there
      b.y = -20;
      b.vx = b.vy = b.spin = 0;
    }
    if (fallen_[i] || b.hold == RigidBody::kGone || b.y > stood_[i] - b.half_height) continue;
    fallen_[i] = 1;
    events_.push_back({"fall", b.id, -1});
  }
}

bool Stack::Stands(int64_t frames) const {
  std::vector<RigidBody> bodies = bodies_;
  for (int64_t t = 0; t < frames; ++t) StepRigid(scene_, bodies);
  for (size_t i = 0; i < bodies.size(); ++i)
    if (bodies[i].hold != RigidBody::kGone && bodies[i].y <= stood_[i] - bodies[i].half_height) return false;
  return true;
}

void Stack::Draw(Canvas& canvas) const {
  canvas.Fill(kWall[tint_]);
  const Point left = view_.Pixel(scene_.ground_left, 0), right = view_.Pixel(scene_.ground_right, 0);
  const double height = static_cast<double>(facts_.height), leg = 0.25 * view_.scale;
  canvas.Box(left, {right.x, right.y + 0.2 * view_.scale}, kTableColor, 0);
  canvas.Box({left.x + leg, left.y}, {left.x + 2 * leg, height}, Shade(kTableColor, 0.7f), 0);
  canvas.Box({right.x - 2 * leg, left.y}, {right.x - leg, height}, Shade(kTableColor, 0.7f), 0);
  for (const RigidBody& b : bodies_) DrawRigid(canvas, view_, b);
}

std::vector<StateVariable> Stack::TrueState() const {
  const auto n = static_cast<int64_t>(bodies_.size());
  std::vector<StateVariable> state = {{"position", {n, 2}, {}}, {"angle", {n}, {}},  {"velocity", {n, 3}, {}},
                                      {"size", {n, 2}, {}},     {"fallen", {n}, {}}, {"gone", {n}, {}}};
  for (size_t i = 0; i < bodies_.size(); ++i) {
    const RigidBody& b = bodies_[i];
    state[0].values.insert(state[0].values.end(), {b.x, b.y});
    state[1].values.push_back(b.angle);
    state[2].values.insert(state[2].values.end(), {b.vx, b.vy, b.spin});
    state[3].values.insert(state[3].values.end(), {b.half_width, b.half_height});
    state[4].values.push_back(fallen_[i]);
    state[5].values.push_back(b.hold == RigidBody::kGone);
  }
  return state;
}

std::vector<WorldObject> Stack::Objects() const {
  std::vector<WorldObject> objects;
  for (const RigidBody& b : bodies_) {
    if (b.hold == RigidBody::kGone) continue;
    const Point at = view_.Pixel(b.x, b.y);
    objects.push_back({b.id, "box", at.x, at.y, {b.angle * b.half_width * view_.scale}});
  }
  return objects;
}

void Stack::Perturb(uint64_t take) { PerturbRigid(bodies_, take, view_); }

size_t Stack::Find(int64_t id) const {
  for (size_t i = 0; i < bodies_.size(); ++i)
    if (bodies_[i].id == id && bodies_[i].hold != RigidBody::kGone) return i;
  Fail("stack: there is no box with the id {}", id);
}

void Stack::DoIntervene(const std::string& name, const Json& params) {
  if (name == "tint") {
    tint_ = TintFrom("stack", params);
  } else {
    const size_t i = Find(params["box"]);
    if (name == "shift") {
      const double by = params["by"];
      RequireRange<double>("stack: shift", "by", by, -1, 1);
      bodies_[i].x += static_cast<float>(by);
    } else if (name == "remove") {
      bodies_[i].hold = RigidBody::kGone;
    } else {
      bodies_[i].hold = RigidBody::kFixed;
      bodies_[i].vx = bodies_[i].vy = bodies_[i].spin = 0;
    }
  }
  events_.clear();
}

std::string Stack::Snapshot() const {
  SnapshotWriter out(facts_.spec);
  PutRigid(out, bodies_);
  out.PutAll(std::span<const float>(stood_));
  out.PutAll(std::span<const uint8_t>(fallen_));
  out.Put(tint_);
  return std::move(out).Finish();
}

void Stack::Restore(std::string_view snapshot) {
  SnapshotReader in(snapshot, facts_.spec);
  std::vector<RigidBody> bodies = GetRigid(in, static_cast<size_t>(options_.boxes));
  std::vector<float> stood(bodies.size());
  std::vector<uint8_t> fallen(bodies.size());
  in.GetAll(std::span<float>(stood));
  in.GetAll(std::span<uint8_t>(fallen));
  const auto tint = in.Get<int32_t>();
  RequireRange<int32_t>("snapshot of stack", "tint", tint, 0, 2);
  in.Finish();
  if (static_cast<int64_t>(bodies.size()) != options_.boxes)
    Fail("snapshot of stack: {} boxes expected, got {}", options_.boxes, bodies.size());
  bodies_ = std::move(bodies);
  stood_ = std::move(stood);
  fallen_ = std::move(fallen);
  tint_ = tint;
  events_.clear();
}

}  // namespace orrery
