// A pendulum, a double pendulum or a mass on a spring: energy, period and string length are known exactly.
#pragma once
#include "worlds/flat_world.h"
#include "worlds/params.h"

namespace orrery {

struct PendulumOptions {
  std::string kind = "single";  // single, double, spring
  double damping = 0;           // 1/s, 0..2
  double amplitude = 1.2;       // of the start at most: radians; of the spring m; 0.1..3
  int64_t height = 64, width = 64;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(PendulumOptions, kind, damping, amplitude, height, width)

// Everything that decides the future; a plain value. q are the angles from straight down (counter-clockwise), or q[0] is the
// spring's stretch beyond its rest length, downwards.
struct PendulumState {
  std::array<double, 2> q{}, v{};      // radians (m), radians/s (m/s)
  std::array<double, 2> length{1, 1};  // m; spring: its length at rest
  std::array<double, 2> mass{1, 1};    // kg
  double stiffness = 20;               // N/m, spring
  double damping = 0;                  // 1/s
  uint8_t cut = 0;                     // 1: the last bob flies
  std::array<double, 4> flight{};      // then x, y (m, y up from the pivot), vx, vy of it
  uint8_t tint = 0;
  bool operator==(const PendulumState&) const = default;
};

// Actions: none, left, right: an impulse of 0.4 N s on the last bob (spring: up, down), whose rate stays below 40 radians/s (m/s).
// 30 fps; Runge-Kutta 4 at 1/960 s. Angles lie in [-pi, pi).
// True state: position {2, 2} m of both bobs, angle {2}, rate {2}, length {2}, mass {2}, damping {1}, energy {1} J, cut {1}.
// Events: cut, and turn (bob) when a rate changes its sign.
// Interventions: cut, kick(speed), length(factor), mass(bob, factor), damping(value), tint (which means nothing).
class Pendulum : public FlatWorld {
 public:
  static constexpr double kGravity = 9.81;  // m/s^2

  explicit Pendulum(const PendulumOptions& options);
  static orrery::Facts Describe();

  void Reset(uint64_t seed) override;
  void Step(std::span<const float> action) override;
  std::vector<StateVariable> TrueState() const override;
  std::vector<WorldObject> Objects() const override;
  void Perturb(uint64_t take) override;
  std::string Snapshot() const override;
  void Restore(std::string_view snapshot) override;

  const PendulumState& State() const { return state_; }
  void SetState(const PendulumState& state);  // throws Error when it is not possible
  double Energy() const;                      // J, of what still swings; 0 when it hangs at rest

 protected:
  void Draw(Canvas& canvas) const override;
  void DoIntervene(const std::string& name, const Json& params) override;

 private:
  using Rates = std::array<double, 4>;  // of q[0], q[1], v[0], v[1]
  enum Kind : uint8_t { kSingle, kDouble, kSpring };

  Rates Derivative(const PendulumState& s) const;
  void Integrate(double seconds);
  void Kick(double impulse);
  Point Bob(int index) const;  // m, y up, the pivot at 0, 0
  int Bobs() const { return kind_ == kDouble ? 2 : 1; }
  double Scale() const;  // pixels a metre
  Point Pixel(Point at) const;

  PendulumOptions options_;
  Kind kind_;
  PendulumState state_;
};

}  // namespace orrery
