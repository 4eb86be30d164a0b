// Balls on a table seen from above, by Box2D 2.4.1 or by exact collision times. One ball, the cue, takes pushes.
#pragma once
#include "worlds/flat_world.h"
#include "worlds/params.h"

namespace orrery {

struct BilliardsOptions {
  int64_t balls = 4;          // the cue included, 1..12
  double radius = 0.9;        // m, 0.2..1; the shorter side of the table is 10 m
  double speed = 4;           // m/s at most, at the start, 0..20
  double push = 1.2;          // m/s added to the cue by one push, 0..10
  double friction = 1.5;      // deceleration of rolling, m/s^2, 0..50
  double restitution = 0.95;  // of collisions, 0..1
  int64_t height = 64, width = 64;
  std::string solver = "box2d";  // or "exact": from collision to collision (hard_discs.h), in doubles; friction must be 0
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(BilliardsOptions, balls, radius, speed, push, friction, restitution, height, width, solver)

struct Ball {
  int32_t id = 0;     // never used again after the ball is gone; 0 is the cue
  int32_t color = 0;  // of the palette; 0 is white
  // m, m/s; the origin is the lower left corner of the table. With Box2D always values that a float has.
  double x = 0, y = 0, vx = 0, vy = 0, radius = 0;
  bool operator==(const Ball&) const = default;
};

// Actions: none, right, up-right, up, up-left, left, down-left, down, down-right: one push of the cue.
// 30 fps. Box2D takes eight sub-steps of 1/240 s and keeps hidden contact state, so its world is built anew from the balls at
// every Step. With either solver the list of balls is the whole state. Both have the same beginning for the same seed.
// True state, one row a ball: position {n, 2}, velocity {n, 2}, radius {n}, color {n}, id {n}. n changes by AddBall and
// RemoveBall alone. A ball's object id is 1 + its id.
// Events: collision (ball, ball), cushion (ball), in the order in which they begin within a frame, each pair once.
// Interventions: remove(ball), add(x, y, color), move(ball, x, y), velocity(ball, vx, vy), tint (which means nothing).
class Billiards : public FlatWorld {
 public:
  static constexpr size_t kMaxBalls = 16;
  static constexpr float kMaxSpeed = 20;         // m/s; no ball is faster after a Step of Box2D, nor the cue after a push
  static constexpr float kMaxExactSpeed = 1000;  // m/s; the same for the exact solver, whose collisions may heap energy on one ball

  explicit Billiards(const BilliardsOptions& options);
  static orrery::Facts Describe();
  static void RequireCount(size_t balls);  // throws Error unless 1..kMaxBalls

  void Reset(uint64_t seed) override;
  void Step(std::span<const float> action) override;
  std::vector<StateVariable> TrueState() const override;
  std::vector<WorldObject> Objects() const override;
  void Perturb(uint64_t take) override;
  std::string Snapshot() const override;
  void Restore(std::string_view snapshot) override;

  const std::vector<Ball>& Balls() const { return balls_; }
  float TableWidth() const { return table_width_; }    // m
  float TableHeight() const { return table_height_; }  // m
  int32_t Tint() const { return tint_; }               // of the felt, 0..2

  // Interventions. SetBalls throws Error unless the first ball is the cue, ids are unique, and every ball lies on the
  // table, is no faster than allowed, and overlaps no other (by more than 2 % of their radii).
  void SetBalls(std::vector<Ball> balls);
  // Adds a ball (its id is ignored) and returns the id it gets. Throws Error as SetBalls does.
  int32_t AddBall(Ball ball);
  // Throws Error when there is no such ball or it is the cue.
  void RemoveBall(int32_t id);

 protected:
  void Draw(Canvas& canvas) const override;
  void DoIntervene(const std::string& name, const Json& params) override;

 private:
  static constexpr int kSubSteps = 8;  // of Box2D in a frame
  static constexpr float kSubStep = 1.0f / 240;

  void Check(const std::vector<Ball>& balls) const;  // all of that but the overlap, which a crowd in play may have
  double FastestAllowed() const { return exact_ ? kMaxExactSpeed : kMaxSpeed; }
  double Stored(double value) const { return exact_ ? value : static_cast<double>(static_cast<float>(value)); }
  void Push(int direction);
  void Collide();
  void CollideExactly();

  BilliardsOptions options_;
  bool exact_;
  float table_width_, table_height_;
  std::array<std::vector<uint8_t>, 3> table_;  // the empty table by tint, [H, W, 3]
  std::vector<Ball> balls_;
  int32_t next_id_ = 0;
  int32_t tint_ = 0;
};

}  // namespace orrery
