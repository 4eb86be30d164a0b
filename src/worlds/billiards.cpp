#include "worlds/billiards.h"

#include <algorithm>
#include <cmath>

#include "core/rng.h"
#include "worlds/billiards_view.h"
#include "worlds/hard_discs.h"
#include "worlds/heading.h"
#include "worlds/snapshot.h"

namespace orrery {

namespace {

constexpr float kShortSide = 10;

BilliardsOptions Checked(const BilliardsOptions& o) {
  RequireRange<int64_t>("billiards", "balls", o.balls, 1, 12);
  RequireRange<double>("billiards", "radius", o.radius, 0.2, 1);
  RequireRange<double>("billiards", "speed", o.speed, 0, 20);
  RequireRange<double>("billiards", "push", o.push, 0, 10);
  RequireRange<double>("billiards", "friction", o.friction, 0, 50);
  RequireRange<double>("billiards", "restitution", o.restitution, 0, 1);
  if (o.solver != "box2d" && o.solver != "exact") FailUnknown("billiards solver", o.solver, std::vector<std::string>{"box2d", "exact"});
  if (o.solver == "exact" && o.friction != 0)
    Fail("billiards: solver=exact knows collision times of balls that keep their speed; expected friction=0, got friction={}", o.friction);
  RequireRange<int64_t>("billiards", "height", o.height, 16, 512);
  RequireRange<int64_t>("billiards", "width", o.width, 16, 512);
  return o;
}

// The spec that was there before the solver could be chosen stays as it was: snapshots and data sets name it.
std::string SpecOf(const BilliardsOptions& o) {
  Json params = o;
  if (o.solver == "box2d") params.erase("solver");
  return FormatSpec("billiards", params);
}

// In the floats that Box2D computes with.
void SlowDown(Ball& ball, float loss) {
  const float vx = static_cast<float>(ball.vx), vy = static_cast<float>(ball.vy);
  const float speed = std::sqrt(vx * vx + vy * vy);
  const float kept = speed > loss ? std::min(speed - loss, Billiards::kMaxSpeed) / speed : 0;
  ball.vx = vx * kept;
  ball.vy = vy * kept;
}

void LimitSpeed(Ball& ball, double limit) {
  const double speed = std::sqrt(ball.vx * ball.vx + ball.vy * ball.vy);
  if (speed <= limit) return;
  ball.vx *= limit / speed;
  ball.vy *= limit / speed;
}

// How far two balls lie in each other, m; negative: apart.
double Overlap(const Ball& a, const Ball& b) {
  const double dx = a.x - b.x, dy = a.y - b.y;
  return a.radius + b.radius - std::sqrt(dx * dx + dy * dy);
}

}  // namespace

Billiards::Billiards(const BilliardsOptions& options)
    : FlatWorld(SpecOf(options), options.height, options.width, 30), options_(Checked(options)), exact_(options.solver == "exact") {
  facts_.actions.names = {"none", "right", "up-right", "up", "up-left", "left", "down-left", "down", "down-right"};
  facts_.actions.count = 9;
  const Param ball{"ball", 1, "number of the ball, 0 is the cue"};
  facts_.interventions = {
      {"remove", "takes a ball away", "own", {ball}},
      {"add", "another ball, at rest", "own", {{"x", 5.0, "m"}, {"y", 5.0, "m"}, {"color", 7, "of the palette, 0..11"}}},
      {"move", "puts a ball elsewhere", "own", {ball, {"x", 5.0, "m"}, {"y", 5.0, "m"}}},
      {"velocity", "another velocity for a ball", "own", {ball, {"vx", 4.0, "m/s"}, {"vy", 0.0, "m/s"}}},
      TintFacts("felt")};
  const float cushion = 2 * CushionWidth(options.height, options.width);
  const float scale = (static_cast<float>(std::min(options.height, options.width)) - cushion) / kShortSide;
  table_width_ = (static_cast<float>(options.width) - cushion) / scale;
  table_height_ = (static_cast<float>(options.height) - cushion) / scale;
  for (int tint = 0; tint < 3; ++tint) table_[tint] = DrawTable(options.height, options.width, tint);
  Reset(0);
}

Facts Billiards::Describe() {
  return {"billiards", "balls that collide on a table, one of them pushed", "Box2D 2.4.1; exact: Alder & Wainwright 1959",
          DescribeParams(Json(BilliardsOptions{}), {{"balls", "the pushed one included; 1..12"},
                                                    {"radius", "of a ball in m, 0.2..1; the shorter side of the table is 10 m"},
                                                    {"speed", "of a ball at the start at most, m/s, 0..20"},
                                                    {"push", "speed that one push adds, m/s, 0..10"},
                                                    {"friction", "deceleration of a rolling ball, m/s^2, 0..50"},
                                                    {"restitution", "speed kept in a collision, 0..1"},
                                                    {"height", "of the frame in pixels, 16..512"},
                                                    {"width", "of the frame in pixels, 16..512"},
                                                    {"solver", "box2d; or exact, which needs friction=0"}})};
}

void Billiards::Reset(uint64_t seed) {
  Rng rng(seed, "billiards");
  std::vector<Ball> balls;
  const float radius = static_cast<float>(options_.radius);
  while (static_cast<int64_t>(balls.size()) < options_.balls) {
    Ball ball;
    ball.id = ball.color = static_cast<int32_t>(balls.size());
    ball.radius = radius;
    ball.x = static_cast<float>(rng.Uniform(radius, table_width_ - radius));
    ball.y = static_cast<float>(rng.Uniform(radius, table_height_ - radius));
    if (std::any_of(balls.begin(), balls.end(), [&](const Ball& other) { return Overlap(ball, other) > 0; })) continue;
    const Direction direction = HeadingDirection(static_cast<int32_t>(rng.Below(kTurn)));
    const double speed = rng.Uniform(0, options_.speed);
    ball.vx = static_cast<float>(speed * direction.x);
    ball.vy = static_cast<float>(speed * direction.y);
    balls.push_back(ball);
  }
  balls_ = std::move(balls);
  next_id_ = static_cast<int32_t>(balls_.size());
  tint_ = 0;
  events_.clear();
}

void Billiards::Step(std::span<const float> action) {
  facts_.actions.Check(action);
  events_.clear();
  if (action[0] > 0) Push(static_cast<int>(action[0]) - 1);
  if (exact_) return CollideExactly();
  Collide();
  for (Ball& ball : balls_) SlowDown(ball, static_cast<float>(options_.friction) * kSubSteps * kSubStep);
}

// direction: eighths of a turn from +x.
void Billiards::Push(int direction) {
  constexpr float diagonal = 0.70710678f;
  constexpr float cosines[8] = {1, diagonal, 0, -diagonal, -1, -diagonal, 0, diagonal};
  Ball& cue = balls_.front();
  cue.vx = Stored(cue.vx + static_cast<float>(options_.push) * cosines[direction]);
  cue.vy = Stored(cue.vy + static_cast<float>(options_.push) * cosines[(direction + 6) % 8]);
  if (exact_)
    LimitSpeed(cue, kMaxSpeed);
  else
    SlowDown(cue, 0);
}

void Billiards::CollideExactly() {
  std::vector<HardDisc> discs;
  for (const Ball& b : balls_) discs.push_back({b.x, b.y, b.vx, b.vy, b.radius, b.radius * b.radius});
  for (const HardCollision& c : MoveHardDiscs({table_width_, table_height_, options_.restitution}, discs, 1.0 / facts_.fps)) {
    std::array<int64_t, 2> ids = {1 + balls_[c.first].id, c.second < 0 ? -1 : 1 + balls_[c.second].id};
    if (c.second >= 0) std::sort(ids.begin(), ids.end());
    const WorldEvent event{c.second < 0 ? "cushion" : "collision", ids[0], ids[1]};
    if (std::find(events_.begin(), events_.end(), event) == events_.end()) events_.push_back(event);
  }
  for (size_t i = 0; i < balls_.size(); ++i) {
    Ball& ball = balls_[i];
    // Rounding may carry a ball that rests at a cushion past it by a last digit.
    ball.x = std::clamp(discs[i].x, ball.radius, table_width_ - ball.radius);
    ball.y = std::clamp(discs[i].y, ball.radius, table_height_ - ball.radius);
    ball.vx = discs[i].vx;
    ball.vy = discs[i].vy;
    LimitSpeed(ball, kMaxExactSpeed);
  }
}

void Billiards::Draw(Canvas& canvas) const {
  canvas.Picture(table_[tint_]);
  DrawBalls(canvas, balls_, BallView(table_height_, options_.height, options_.width));
}

std::vector<WorldObject> Billiards::Objects() const {
  const BallView view(table_height_, options_.height, options_.width);
  std::vector<WorldObject> objects;
  for (const Ball& b : balls_) {
    const Point at = view.Pixel(b.x, b.y);
    objects.push_back({1 + b.id, "ball", at.x, at.y, {static_cast<double>(b.color)}});
  }
  return objects;
}

void Billiards::Perturb(uint64_t take) {
  if (take == 0) return;
  const double scale = BallView(table_height_, options_.height, options_.width).Scale();
  for (Ball& b : balls_) {
    Rng rng(DeriveSeed(take, static_cast<uint64_t>(b.id)), "take");  // a stream a ball: one more or less shifts no other
    b.x = std::clamp(Stored(b.x + Stored(0.25 * rng.Normal() / scale)), b.radius, Stored(table_width_ - b.radius));
    b.y = std::clamp(Stored(b.y + Stored(0.25 * rng.Normal() / scale)), b.radius, Stored(table_height_ - b.radius));
    const double nudge = Stored(1 + 0.01 * rng.Normal());
    b.vx = Stored(b.vx * nudge);
    b.vy = Stored(b.vy * nudge);
    if (exact_)
      LimitSpeed(b, FastestAllowed());
    else
      SlowDown(b, 0);
  }
}

void Billiards::DoIntervene(const std::string& name, const Json& params) {
  const auto number = [&](const char* key) { return Stored(params[key].get<double>()); };
  if (name == "tint") {
    tint_ = TintFrom("billiards", params);
    events_.clear();
    return;
  }
  if (name == "add") {
    const int64_t color = params["color"];
    RequireRange<int64_t>("billiards: add", "color", color, 0, kPaletteColors - 1);
    AddBall({0, static_cast<int32_t>(color), number("x"), number("y"), 0, 0, static_cast<double>(static_cast<float>(options_.radius))});
    return;
  }
  const int64_t id = params["ball"];
  if (name == "remove") return RemoveBall(static_cast<int32_t>(id));
  std::vector<Ball> balls = balls_;
  const auto found = std::find_if(balls.begin(), balls.end(), [&](const Ball& ball) { return ball.id == id; });
  if (found == balls.end()) Fail("billiards: there is no ball with the id {}", id);
  if (name == "move") {
    found->x = number("x");
    found->y = number("y");
  } else {
    found->vx = number("vx");
    found->vy = number("vy");
  }
  SetBalls(std::move(balls));
}

std::vector<StateVariable> Billiards::TrueState() const {
  const int64_t n = static_cast<int64_t>(balls_.size());
  std::vector<StateVariable> state = {
      {"position", {n, 2}, {}}, {"velocity", {n, 2}, {}}, {"radius", {n}, {}}, {"color", {n}, {}}, {"id", {n}, {}}};
  for (const Ball& ball : balls_) {
    state[0].values.insert(state[0].values.end(), {ball.x, ball.y});
    state[1].values.insert(state[1].values.end(), {ball.vx, ball.vy});
    state[2].values.push_back(ball.radius);
    state[3].values.push_back(ball.color);
    state[4].values.push_back(ball.id);
  }
  return state;
}

void Billiards::RequireCount(size_t balls) {
  if (balls < 1 || balls > kMaxBalls) Fail("billiards: expected 1..{} balls, got {}", kMaxBalls, balls);
}

void Billiards::Check(const std::vector<Ball>& balls) const {
  RequireCount(balls.size());
  if (balls.front().id != 0) Fail("billiards: the first ball must be the cue (id 0), got id {}", balls.front().id);
  for (size_t i = 0; i < balls.size(); ++i) {
    const Ball& b = balls[i];
    if (!(b.radius >= 0.2 && b.radius <= 1)) Fail("billiards: the radius of a ball must lie in [0.2, 1] m, got {}", b.radius);
    if (b.color < 0 || b.color >= kPaletteColors)
      Fail("billiards: the colour of a ball must lie in 0..{}, got {}", kPaletteColors - 1, b.color);
    const double right = Stored(table_width_ - b.radius), top = Stored(table_height_ - b.radius);
    if (!(b.x >= b.radius && b.x <= right && b.y >= b.radius && b.y <= top))
      Fail("billiards: a ball of radius {} at ({}, {}) is not on the table of {} x {} m", b.radius, b.x, b.y, table_width_, table_height_);
    if (!(std::sqrt(b.vx * b.vx + b.vy * b.vy) <= 1.0001 * FastestAllowed()))
      Fail("billiards: the velocity ({}, {}) of a ball is not within {} m/s", b.vx, b.vy, FastestAllowed());
    for (size_t j = 0; j < i; ++j)
      if (balls[j].id == b.id) Fail("billiards: two balls have the id {}", b.id);
  }
}

void Billiards::SetBalls(std::vector<Ball> balls) {
  for (Ball& b : balls)
    for (double* value : {&b.x, &b.y, &b.vx, &b.vy, &b.radius}) *value = Stored(*value);
  Check(balls);
  for (size_t i = 0; i < balls.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (Overlap(balls[i], balls[j]) > 0.02 * (balls[i].radius + balls[j].radius))
        Fail("billiards: balls {} and {} overlap", balls[j].id, balls[i].id);
  balls_ = std::move(balls);
  for (const Ball& ball : balls_) next_id_ = std::max(next_id_, ball.id + 1);
  events_.clear();
}

int32_t Billiards::AddBall(Ball ball) {
  ball.id = next_id_;
  std::vector<Ball> balls = balls_;
  balls.push_back(ball);
  SetBalls(std::move(balls));
  return ball.id;
}

void Billiards::RemoveBall(int32_t id) {
  if (id == 0) Fail("billiards: the cue (id 0) cannot be removed");
  const auto found = std::find_if(balls_.begin(), balls_.end(), [&](const Ball& ball) { return ball.id == id; });
  if (found == balls_.end()) Fail("billiards: there is no ball with the id {}", id);
  balls_.erase(found);
  events_.clear();
}

std::string Billiards::Snapshot() const {
  SnapshotWriter out(facts_.spec);
  out.Put(next_id_);
  out.Put(tint_);
  out.Put(static_cast<uint32_t>(balls_.size()));
  for (const Ball& ball : balls_) {
    out.Put(ball.id);
    out.Put(ball.color);
    for (const double value : {ball.x, ball.y, ball.vx, ball.vy, ball.radius})
      if (exact_)
        out.Put(value);
      else
        out.Put(static_cast<float>(value));
  }
  return std::move(out).Finish();
}

void Billiards::Restore(std::string_view snapshot) {
  SnapshotReader in(snapshot, facts_.spec);
  const auto next_id = in.Get<int32_t>(), tint = in.Get<int32_t>();
  RequireRange<int32_t>("snapshot of billiards", "tint", tint, 0, 2);
  const auto count = in.Get<uint32_t>();
  RequireRange<uint32_t>("snapshot of billiards", "balls", count, 1, kMaxBalls);
  std::vector<Ball> balls(count);
  for (Ball& ball : balls) {
    ball.id = in.Get<int32_t>();
    ball.color = in.Get<int32_t>();
    for (double* value : {&ball.x, &ball.y, &ball.vx, &ball.vy, &ball.radius}) *value = exact_ ? in.Get<double>() : in.Get<float>();
    if (ball.id >= next_id) Fail("snapshot of billiards: ball id {} is not below {}", ball.id, next_id);
  }
  in.Finish();
  Check(balls);
  balls_ = std::move(balls);
  next_id_ = next_id;
  tint_ = tint;
  events_.clear();
}

}  // namespace orrery
