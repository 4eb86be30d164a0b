#include "worlds/dominoes.h"

#include <algorithm>
#include <cmath>

#include "core/rng.h"

namespace orrery {

namespace {

constexpr float kHalfThickness = 0.1f, kFallen = 0.35f;  // m, radians
// In heights of a domino: each reaches its neighbour, and none the one after that (a fallen one spans its height and thickness).
constexpr double kMinSpacing = 0.62, kMaxSpacing = 0.72;
constexpr double kMargin = 1.8;  // m
constexpr std::array<Color, 3> kSky = {{{205, 215, 225}, {225, 215, 200}, {205, 225, 205}}};
constexpr Color kGround = {95, 80, 70};

DominoesOptions Checked(const DominoesOptions& o) {
  RequireRange<int64_t>("dominoes", "count", o.count, 4, 20);
  RequireRange<double>("dominoes", "height_m", o.height_m, 0.8, 1.6);
  RequireRange<int64_t>("dominoes", "height", o.height, 16, 512);
  RequireRange<int64_t>("dominoes", "width", o.width, 16, 512);
  return o;
}

}  // namespace

Dominoes::Dominoes(const DominoesOptions& options)
    : FlatWorld(FormatSpec("dominoes", Json(options)), options.height, options.width, kRigidRate), options_(Checked(options)) {
  facts_.actions.names = {"none", "push-first", "push-last"};
  facts_.actions.count = 3;
  facts_.interventions = {
      {"remove", "takes a domino away", "own", {{"domino", 1, "id, 1 is the leftmost"}}},
      {"gap", "moves all dominoes after one further to the right", "own", {{"domino", 1, "id"}, {"width", 1.0, "m, 0.1..1.2"}}},
      {"blocker", "puts a fixed post behind a domino", "own", {{"domino", 1, "id"}}},
      {"stand", "stands a domino up again, at rest", "own", {{"domino", 1, "id"}}},
      TintFacts("sky")};
  scene_.friction = 0.4f;
  const double span = kMaxSpacing * options.height_m * static_cast<double>(options.count - 1) + 2 * kMargin;
  view_.scale = static_cast<double>(options.width) / span;
  view_.left = 0;
  view_.ground =
      std::min(0.5 * static_cast<double>(options.height) + 0.7 * options.height_m * view_.scale, static_cast<double>(options.height) - 4);
  Reset(0);
}

Facts Dominoes::Describe() {
  return {"dominoes", "a chain of dominoes seen from the side; push one end and watch", "Box2D 2.4.1",
          DescribeParams(Json(DominoesOptions{}), {{"count", "4..20"},
                                                   {"height_m", "of a domino in m, 0.8..1.6"},
                                                   {"height", "of the frame in pixels, 16..512"},
                                                   {"width", "of the frame in pixels, 16..512"}})};
}

void Dominoes::Reset(uint64_t seed) {
  Rng rng(seed, "dominoes");
  bodies_.clear();
  double x = kMargin;
  for (int32_t i = 0; i < options_.count; ++i) {
    RigidBody b;
    b.id = 1 + i;
    b.color = 1 + static_cast<int32_t>(rng.Below(kPaletteColors - 1));
    b.half_width = kHalfThickness;
    b.half_height = static_cast<float>(options_.height_m / 2);
    b.x = static_cast<float>(x);
    b.y = b.half_height;
    bodies_.push_back(b);
    x += options_.height_m * rng.Uniform(kMinSpacing, kMaxSpacing);
  }
  fallen_.assign(bodies_.size(), 0);
  tint_ = 0;
  events_.clear();
}

void Dominoes::Step(std::span<const float> action) {
  facts_.actions.Check(action);
  events_.clear();
  const int push = static_cast<int>(action[0]);
  if (RigidBody* b = push ? End(push == 1) : nullptr) {
    const float side = push == 1 ? 1.0f : -1.0f;
    b->vx += 0.6f * side;
    b->spin -= 1.5f * side;
  }
  StepRigid(scene_, bodies_);
  for (size_t i = 0; i < bodies_.size(); ++i) {
    if (fallen_[i] || bodies_[i].hold != RigidBody::kFree || std::abs(bodies_[i].angle) < kFallen) continue;
    fallen_[i] = 1;
    events_.push_back({"topple", bodies_[i].id, -1});
  }
}

RigidBody* Dominoes::End(bool first) {
  RigidBody* end = nullptr;
  for (RigidBody& b : bodies_)
    if (b.hold == RigidBody::kFree && b.id < kBlocker && (!end || !first)) end = &b;
  return end;
}

void Dominoes::Draw(Canvas& canvas) const {
  canvas.Fill(kSky[tint_]);
  canvas.Box({0, view_.ground}, {static_cast<double>(facts_.width), static_cast<double>(facts_.height)}, kGround, 0);
  for (const RigidBody& b : bodies_) DrawRigid(canvas, view_, b);
}

std::vector<StateVariable> Dominoes::TrueState() const {
  const auto n = static_cast<int64_t>(bodies_.size());
  std::vector<StateVariable> state = {{"position", {n, 2}, {}}, {"angle", {n}, {}}, {"velocity", {n, 3}, {}},
                                      {"fallen", {n}, {}},      {"gone", {n}, {}},  {"id", {n}, {}}};
  for (size_t i = 0; i < bodies_.size(); ++i) {
    const RigidBody& b = bodies_[i];
    state[0].values.insert(state[0].values.end(), {b.x, b.y});
    state[1].values.push_back(b.angle);
    state[2].values.insert(state[2].values.end(), {b.vx, b.vy, b.spin});
    state[3].values.push_back(fallen_[i]);
    state[4].values.push_back(b.hold == RigidBody::kGone);
    state[5].values.push_back(b.id);
  }
  return state;
}

std::vector<WorldObject> Dominoes::Objects() const {
  std::vector<WorldObject> objects;
  for (const RigidBody& b : bodies_) {
    if (b.hold == RigidBody::kGone) continue;
    const Point at = view_.Pixel(b.x, b.y);
    // An angle counts by the way of a domino's upper end.
    objects.push_back({b.id, b.id < kBlocker ? "domino" : "blocker", at.x, at.y, {b.angle * b.half_height * view_.scale}});
  }
  return objects;
}

void Dominoes::Perturb(uint64_t take) { PerturbRigid(bodies_, take, view_); }

size_t Dominoes::Find(int64_t id) const {
  for (size_t i = 0; i < bodies_.size(); ++i)
    if (bodies_[i].id == id && id < kBlocker && bodies_[i].hold != RigidBody::kGone) return i;
  Fail("dominoes: there is no domino with the id {}", id);
}

void Dominoes::DoIntervene(const std::string& name, const Json& params) {
  if (name == "tint") {
    tint_ = TintFrom("dominoes", params);
    events_.clear();
    return;
  }
  const size_t i = Find(params["domino"]);
  const auto last = static_cast<size_t>(options_.count) - 1;
  if (name == "remove") {
    bodies_[i].hold = RigidBody::kGone;
  } else if (name == "gap") {
    const double width = params["width"];
    RequireRange<double>("dominoes: gap", "width", width, 0.1, 1.2);
    for (size_t j = i + 1; j <= last; ++j) bodies_[j].x += static_cast<float>(width);
  } else if (name == "blocker") {
    if (bodies_.size() == kMaxBodies) Fail("dominoes: at most {} bodies", kMaxBodies);
    RigidBody post;
    post.id = std::max(kBlocker, bodies_.back().id + 1);
    post.color = 8;
    post.half_width = 0.08f;
    post.half_height = static_cast<float>(0.6 * options_.height_m);
    post.x = i == last ? bodies_[i].x + 0.4f : (bodies_[i].x + bodies_[i + 1].x) / 2;
    post.y = post.half_height;
    post.hold = RigidBody::kFixed;
    bodies_.push_back(post);
    fallen_.push_back(0);
  } else {
    RigidBody& b = bodies_[i];
    b.angle = b.vx = b.vy = b.spin = 0;
    b.y = b.half_height;
    fallen_[i] = 0;
  }
  events_.clear();
}

std::string Dominoes::Snapshot() const {
  SnapshotWriter out(facts_.spec);
  PutRigid(out, bodies_);
  out.PutAll(std::span<const uint8_t>(fallen_));
  out.Put(tint_);
  return std::move(out).Finish();
}

void Dominoes::Restore(std::string_view snapshot) {
  SnapshotReader in(snapshot, facts_.spec);
  std::vector<RigidBody> bodies = GetRigid(in, kMaxBodies);
  std::vector<uint8_t> fallen(bodies.size());
  in.GetAll(std::span<uint8_t>(fallen));
  const auto tint = in.Get<int32_t>();
  RequireRange<int32_t>("snapshot of dominoes", "tint", tint, 0, 2);
  in.Finish();
  if (static_cast<int64_t>(bodies.size()) < options_.count)
    Fail("snapshot of dominoes: {} dominoes expected, got {}", options_.count, bodies.size());
  bodies_ = std::move(bodies);
  fallen_ = std::move(fallen);
  tint_ = tint;
  events_.clear();
}

}  // namespace orrery
