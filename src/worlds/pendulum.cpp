#include "worlds/pendulum.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/rng.h"
#include "worlds/heading.h"
#include "worlds/snapshot.h"

namespace orrery {

namespace {

constexpr int kRate = 30, kSubSteps = 32;  // 1/960 s
constexpr double kImpulse = 0.4;           // N s
constexpr double kMaxRate = 40;            // of a bob after a Step, radians/s or m/s
constexpr double kDeep = 50;               // m below the pivot, far out of sight, where a falling bob stops
constexpr double kReach = 2.3;             // m from the pivot to the edge of the frame
constexpr std::array<Color, 3> kBackground = {{{30, 34, 46}, {46, 34, 30}, {30, 46, 36}}};
constexpr Color kString = {170, 170, 175}, kPivot = {220, 220, 220};
constexpr std::array<int, 2> kBobColor = {1, 3};

PendulumOptions Checked(const PendulumOptions& o) {
  if (o.kind != "single" && o.kind != "double" && o.kind != "spring")
    FailUnknown("pendulum kind", o.kind, std::vector<std::string>{"single", "double", "spring"});
  RequireRange<double>("pendulum", "damping", o.damping, 0, 2);
  RequireRange<double>("pendulum", "amplitude", o.amplitude, 0.1, 3);
  RequireRange<int64_t>("pendulum", "height", o.height, 16, 512);
  RequireRange<int64_t>("pendulum", "width", o.width, 16, 512);
  return o;
}

}  // namespace

Pendulum::Pendulum(const PendulumOptions& options)
    : FlatWorld(FormatSpec("pendulum", Json(options)), options.height, options.width, kRate),
      options_(Checked(options)),
      kind_(options.kind == "single"   ? kSingle
            : options.kind == "double" ? kDouble
                                       : kSpring) {
  facts_.actions.names =
      kind_ == kSpring ? std::vector<std::string>{"none", "up", "down"} : std::vector<std::string>{"none", "left", "right"};
  facts_.actions.count = 3;
  facts_.interventions = {{"cut", "cuts the last string; the bob flies", "own", {}},
                          {"kick", "adds to the speed of the last bob", "own", {{"speed", 1.0, "m/s, -5..5; to the right, or down"}}},
                          {"length", "another length", "own", {{"factor", 1.3, "0.5..1.5"}}},
                          {"mass",
                           "another mass, which changes nothing for a single pendulum without damping",
                           "own",
                           {{"bob", 1, "1 or 2"}, {"factor", 2.0, "0.25..4"}}},
                          {"damping", "another damping", "own", {{"value", 0.5, "1/s, 0..2"}}},
                          TintFacts("background")};
  Reset(0);
}

Facts Pendulum::Describe() {
  return {"pendulum", "a pendulum, a double pendulum or a mass on a spring", "own",
          DescribeParams(Json(PendulumOptions{}), {{"kind", "single, double or spring"},
                                                   {"damping", "1/s, 0..2"},
                                                   {"amplitude", "of the start at most: radians, of the spring tenths of its room; 0.1..3"},
                                                   {"height", "of the frame in pixels, 16..512"},
                                                   {"width", "of the frame in pixels, 16..512"}})};
}

void Pendulum::Reset(uint64_t seed) {
  Rng rng(seed, "pendulum");
  PendulumState s;
  s.damping = options_.damping;
  if (kind_ == kSpring) {
    s.length[0] = rng.Uniform(0.7, 1.0);
    s.stiffness = rng.Uniform(15, 40);
    const double hang = s.mass[0] * kGravity / s.stiffness;
    s.q[0] = hang + std::min(0.45, 0.3 * options_.amplitude) * rng.Uniform(-1, 1);
  } else {
    const double total = rng.Uniform(1.4, 1.9), share = rng.Uniform(0.4, 0.6);
    s.length = kind_ == kSingle ? std::array<double, 2>{total, 0.1} : std::array<double, 2>{total * share, total * (1 - share)};
    for (int i = 0; i < Bobs(); ++i) {
      s.q[i] = options_.amplitude * rng.Uniform(-1, 1);
      s.mass[i] = rng.Uniform(0.7, 1.4);
    }
  }
  SetState(s);
}

// Double pendulum: the equations of Lagrange for two point masses on massless rods.
Pendulum::Rates Pendulum::Derivative(const PendulumState& s) const {
  const double d = s.damping;
  if (kind_ == kSpring) return {s.v[0], 0, kGravity - s.stiffness / s.mass[0] * s.q[0] - d * s.v[0], 0};
  const double s1 = AngleDirection(s.q[0]).y;
  if (kind_ == kSingle) return {s.v[0], 0, -kGravity / s.length[0] * s1 - d * s.v[0], 0};
  const double s2 = AngleDirection(s.q[1]).y;
  const Direction delta = AngleDirection(s.q[0] - s.q[1]);
  const double m1 = s.mass[0], m2 = s.mass[1], l1 = s.length[0], l2 = s.length[1], m = m1 + m2;
  const double w1 = s.v[0] * s.v[0], w2 = s.v[1] * s.v[1];
  const double a = m2 * l2 * w2 * delta.y + m * kGravity * s1, b = kGravity * s2 - l1 * w1 * delta.y;
  const double below = m1 + m2 * delta.y * delta.y;
  return {s.v[0], s.v[1], (-a + m2 * delta.x * b) / (l1 * below) - d * s.v[0], (-m * b + delta.x * a) / (l2 * below) - d * s.v[1]};
}

void Pendulum::Integrate(double h) {
  const auto shifted = [&](const Rates& r, double t) {
    PendulumState s = state_;
    for (int i = 0; i < 2; ++i) {
      s.q[i] += t * r[i];
      s.v[i] += t * r[2 + i];
    }
    return s;
  };
  const Rates k1 = Derivative(state_), k2 = Derivative(shifted(k1, h / 2)), k3 = Derivative(shifted(k2, h / 2)),
              k4 = Derivative(shifted(k3, h));
  for (int i = 0; i < 2; ++i) {
    state_.q[i] += h / 6 * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]);
    state_.v[i] += h / 6 * (k1[2 + i] + 2 * k2[2 + i] + 2 * k3[2 + i] + k4[2 + i]);
  }
}

// An impulse on the last bob: to the right, or down for the spring. On a cut bob it acts in flight. The rods pass on their share:
// the rates after it are those of the mass matrix.
void Pendulum::Kick(double impulse) {
  PendulumState& s = state_;
  const int last = Bobs() - 1;
  if (s.cut) {
    s.flight[kind_ == kSpring ? 3 : 2] += (kind_ == kSpring ? -1 : 1) * impulse / s.mass[last];
  } else if (kind_ == kSpring) {
    s.v[0] += impulse / s.mass[0];
  } else if (kind_ == kSingle) {
    s.v[0] += impulse * AngleDirection(s.q[0]).x / (s.mass[0] * s.length[0]);
  } else {
    const double l1 = s.length[0], l2 = s.length[1], m2 = s.mass[1], c = AngleDirection(s.q[0] - s.q[1]).x;
    const double a = (s.mass[0] + m2) * l1 * l1, b = m2 * l1 * l2 * c, e = m2 * l2 * l2;  // mass matrix [a b; b e]
    const double f1 = impulse * l1 * AngleDirection(s.q[0]).x, f2 = impulse * l2 * AngleDirection(s.q[1]).x;
    const double determinant = a * e - b * b;
    s.v[0] += (e * f1 - b * f2) / determinant;
    s.v[1] += (a * f2 - b * f1) / determinant;
  }
}

void Pendulum::Step(std::span<const float> action) {
  facts_.actions.Check(action);
  events_.clear();
  const std::array<double, 2> before = state_.v;
  if (action[0] == 1) Kick(-kImpulse);
  if (action[0] == 2) Kick(kImpulse);
  for (int i = 0; i < kSubSteps; ++i) {
    constexpr double h = 1.0 / (kRate * kSubSteps);
    if (auto& f = state_.flight; state_.cut && f[1] > -kDeep) {
      f[0] += h * f[2];
      f[1] += h * f[3] - 0.5 * h * h * kGravity;
      f[3] -= h * kGravity;
    }
    if (!state_.cut || kind_ == kDouble) Integrate(h);
  }
  for (int i = 0; i < Bobs(); ++i) {
    state_.v[i] = std::clamp(state_.v[i], -kMaxRate, kMaxRate);
    if (kind_ != kSpring) state_.q[i] -= 2 * std::numbers::pi * std::floor(state_.q[i] / (2 * std::numbers::pi) + 0.5);
  }
  for (int i = 0; i < Bobs(); ++i)
    if (before[i] * state_.v[i] < 0) events_.push_back({"turn", i + 1, -1});
}

Point Pendulum::Bob(int index) const {
  const PendulumState& s = state_;
  if (s.cut && index == Bobs() - 1) return {s.flight[0], s.flight[1]};
  if (kind_ == kSpring) return {0, -(s.length[0] + s.q[0])};
  Point at;
  for (int i = 0; i <= index; ++i) {
    const Direction d = AngleDirection(s.q[i]);
    at = {at.x + s.length[i] * d.y, at.y - s.length[i] * d.x};
  }
  return at;
}

double Pendulum::Energy() const {
  const PendulumState& s = state_;
  if (kind_ == kSpring) {
    const double y = s.q[0] - s.mass[0] * kGravity / s.stiffness;  // from where it hangs at rest
    return 0.5 * s.mass[0] * s.v[0] * s.v[0] + 0.5 * s.stiffness * y * y;
  }
  const double l1 = s.length[0], c1 = AngleDirection(s.q[0]).x;
  double energy = 0.5 * s.mass[0] * l1 * l1 * s.v[0] * s.v[0] + s.mass[0] * kGravity * l1 * (1 - c1);
  if (kind_ == kSingle) return energy;
  const double l2 = s.length[1], c2 = AngleDirection(s.q[1]).x, c12 = AngleDirection(s.q[0] - s.q[1]).x;
  energy += 0.5 * s.mass[1] * (l1 * l1 * s.v[0] * s.v[0] + l2 * l2 * s.v[1] * s.v[1] + 2 * l1 * l2 * s.v[0] * s.v[1] * c12);
  return energy + s.mass[1] * kGravity * (l1 * (1 - c1) + l2 * (1 - c2));
}

double Pendulum::Scale() const { return static_cast<double>(std::min(facts_.height, facts_.width)) / (2 * kReach); }

Point Pendulum::Pixel(Point at) const {
  return {0.5 * static_cast<double>(facts_.width) + Scale() * at.x, 0.5 * static_cast<double>(facts_.height) - Scale() * at.y};
}

void Pendulum::Draw(Canvas& canvas) const {
  canvas.Fill(kBackground[state_.tint]);
  const double unit = Scale();
  Point from{0, 0};
  for (int i = 0; i < Bobs(); ++i) {
    const Point to = Bob(i);
    const bool held = !(state_.cut && i == Bobs() - 1);
    if (held && kind_ == kSpring) {
      constexpr int kZigs = 8;
      Point last = from;
      for (int z = 1; z <= kZigs; ++z) {
        const double share = static_cast<double>(z) / kZigs, side = z == kZigs ? 0 : z % 2 ? 0.12 : -0.12;
        const Point next{side, to.y * share};
        canvas.Line(Pixel(last), Pixel(next), 0.05 * unit, kString, Canvas::kKeep);
        last = next;
      }
    } else if (held) {
      canvas.Line(Pixel(from), Pixel(to), 0.06 * unit, kString, Canvas::kKeep);
    }
    from = to;
  }
  canvas.Disc(Pixel({0, 0}), 0.08 * unit, kPivot, 0);
  for (int i = 0; i < Bobs(); ++i) {
    const Color color = kPalette[kBobColor[i]];
    canvas.Disc(Pixel(Bob(i)), 0.22 * unit, Shade(color, 0.65f), 1 + i);
    canvas.Disc(Pixel(Bob(i)), 0.17 * unit, color, 1 + i);
  }
}

std::vector<StateVariable> Pendulum::TrueState() const {
  const PendulumState& s = state_;
  const Point a = Bob(0), b = kind_ == kDouble ? Bob(1) : Point{};
  return {{"position", {2, 2}, {a.x, a.y, b.x, b.y}},
          {"angle", {2}, {s.q[0], s.q[1]}},
          {"rate", {2}, {s.v[0], s.v[1]}},
          {"length", {2}, {s.length[0], s.length[1]}},
          {"mass", {2}, {s.mass[0], s.mass[1]}},
          {"damping", {1}, {s.damping}},
          {"energy", {1}, {Energy()}},
          {"cut", {1}, {static_cast<double>(s.cut)}}};
}

std::vector<WorldObject> Pendulum::Objects() const {
  std::vector<WorldObject> objects;
  for (int i = 0; i < Bobs(); ++i) {
    const Point at = Pixel(Bob(i));
    objects.push_back({i + 1, "bob", at.x, at.y, {}});
  }
  return objects;
}

void Pendulum::Perturb(uint64_t take) {
  if (take == 0) return;
  for (int i = 0; i < Bobs(); ++i) {
    Rng rng(DeriveSeed(take, static_cast<uint64_t>(i)), "take");
    const double reach = kind_ == kSpring ? 1 : state_.length[i];
    state_.q[i] += 0.25 * rng.Normal() / (Scale() * reach);
    state_.v[i] *= 1 + 0.01 * rng.Normal();
  }
}

void Pendulum::DoIntervene(const std::string& name, const Json& params) {
  PendulumState s = state_;
  const int last = Bobs() - 1;
  if (name == "cut") {
    if (s.cut) Fail("pendulum: the string is cut already");
    // Velocities of the bobs add up along the rods.
    std::array<double, 2> speed{};
    for (int i = 0; i <= last && kind_ != kSpring; ++i) {
      const Direction d = AngleDirection(s.q[i]);
      speed[0] += s.length[i] * s.v[i] * d.x;
      speed[1] += s.length[i] * s.v[i] * d.y;
    }
    if (kind_ == kSpring) speed[1] = -s.v[0];
    const Point at = Bob(last);
    s.flight = {at.x, at.y, speed[0], speed[1]};
    s.cut = 1;
    // What is left of a double pendulum swings on without its second mass.
    if (kind_ == kDouble) s.mass[1] = 1e-9;
  } else if (name == "kick") {
    const double speed = params["speed"];
    RequireRange<double>("pendulum: kick", "speed", speed, -5, 5);
    Kick(speed * s.mass[last]);
    events_.clear();
    return;
  } else if (name == "length") {
    const double factor = params["factor"];
    RequireRange<double>("pendulum: length", "factor", factor, 0.5, 1.5);
    for (double& l : s.length) l *= factor;
  } else if (name == "mass") {
    const int64_t bob = params["bob"];
    const double factor = params["factor"];
    RequireRange<int64_t>("pendulum: mass", "bob", bob, 1, Bobs());
    RequireRange<double>("pendulum: mass", "factor", factor, 0.25, 4);
    s.mass[bob - 1] *= factor;
  } else if (name == "damping") {
    s.damping = params["value"];
    RequireRange<double>("pendulum: damping", "value", s.damping, 0, 2);
  } else {
    s.tint = TintFrom("pendulum", params);
  }
  SetState(s);
}

void Pendulum::SetState(const PendulumState& s) {
  for (const double value : {s.q[0], s.q[1], s.v[0], s.v[1], s.flight[0], s.flight[1], s.flight[2], s.flight[3]})
    if (!(std::abs(value) < 1e6)) Fail("pendulum state: {} is not a number or too large", value);
  for (const double value : {s.length[0], s.length[1], s.mass[0], s.mass[1], s.stiffness})
    if (!(value > 0 && value < 1e6)) Fail("pendulum state: a length, mass or stiffness must be positive, got {}", value);
  if (!(s.damping >= 0 && s.damping <= 2) || s.cut > 1 || s.tint > 2) Fail("pendulum state: damping, cut or tint is out of range");
  state_ = s;
  events_.clear();
}

std::string Pendulum::Snapshot() const {
  SnapshotWriter out(facts_.spec);
  for (const auto* pair : {&state_.q, &state_.v, &state_.length, &state_.mass})
    for (const double value : *pair) out.Put(value);
  out.Put(state_.stiffness);
  out.Put(state_.damping);
  out.Put(state_.cut);
  for (const double value : state_.flight) out.Put(value);
  out.Put(state_.tint);
  return std::move(out).Finish();
}

void Pendulum::Restore(std::string_view snapshot) {
  SnapshotReader in(snapshot, facts_.spec);
  PendulumState s;
  for (auto* pair : {&s.q, &s.v, &s.length, &s.mass})
    for (double& value : *pair) value = in.Get<double>();
  s.stiffness = in.Get<double>();
  s.damping = in.Get<double>();
  s.cut = in.Get<uint8_t>();
  for (double& value : s.flight) value = in.Get<double>();
  s.tint = in.Get<uint8_t>();
  in.Finish();
  SetState(s);
}

}  // namespace orrery
