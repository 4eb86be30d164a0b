#include "eval/causality/pendulum_laws.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "worlds/pendulum.h"

namespace orrery {

namespace {

using Parameters = std::array<double, 4>;  // g / length, damping, angle and rate of the beginning
constexpr size_t kParameters = 4;

// Angles at every frame.
std::vector<double> Swinging(const Parameters& p, size_t frames, double fps) {
  constexpr int kSubSteps = 4;
  const double h = 1 / (fps * kSubSteps);
  double q = p[2], v = p[3];
  const auto pull = [&](double angle, double rate) { return -p[0] * std::sin(angle) - p[1] * rate; };
  std::vector<double> angles = {q};
  while (angles.size() < frames) {
    for (int i = 0; i < kSubSteps; ++i) {
      const double a1 = pull(q, v), v2 = v + h / 2 * a1, a2 = pull(q + h / 2 * v, v2), v3 = v + h / 2 * a2, a3 = pull(q + h / 2 * v2, v3),
                   v4 = v + h * a3, a4 = pull(q + h * v3, v4);
      q += h / 6 * (v + 2 * v2 + 2 * v3 + v4);
      v += h / 6 * (a1 + 2 * a2 + 2 * a3 + a4);
    }
    angles.push_back(q);
  }
  return angles;
}

double SquaredError(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return std::isfinite(sum) ? sum : 1e300;
}

// Solves m x = r by elimination with pivoting; nothing when m is singular.
std::optional<Parameters> Solve(std::array<Parameters, kParameters> m, Parameters r) {
  for (size_t i = 0; i < kParameters; ++i) {
    size_t best = i;
    for (size_t k = i + 1; k < kParameters; ++k)
      if (std::abs(m[k][i]) > std::abs(m[best][i])) best = k;
    if (!(std::abs(m[best][i]) > 1e-300)) return std::nullopt;
    std::swap(m[i], m[best]);
    std::swap(r[i], r[best]);
    for (size_t k = 0; k < kParameters; ++k) {
      if (k == i) continue;
      const double factor = m[k][i] / m[i][i];
      for (size_t j = 0; j < kParameters; ++j) m[k][j] -= factor * m[i][j];
      r[k] -= factor * r[i];
    }
  }
  for (size_t i = 0; i < kParameters; ++i) r[i] /= m[i][i];
  return r;
}

// Where to begin: linear least squares of the second differences on sine and rate.
Parameters Guess(std::span<const double> angle, double fps) {
  const auto rates = Rates(angle, fps);
  const std::vector<double> second = Accelerations(angle, fps);
  double ss = 0, sv = 0, vv = 0, sa = 0, va = 0;
  for (size_t t = 0; t < angle.size(); ++t) {
    const double s = -std::sin(angle[t]), v = -rates[t].value_or(0);
    ss += s * s;
    sv += s * v;
    vv += v * v;
    sa += s * second[t];
    va += v * second[t];
  }
  const double determinant = ss * vv - sv * sv;
  Parameters p = {ss > 0 ? sa / ss : 1, 0, angle[0], rates[0].value_or(0)};
  if (determinant > 1e-9 * ss * vv) {
    p[0] = (vv * sa - sv * va) / determinant;
    p[1] = (ss * va - sv * sa) / determinant;
  }
  return p;
}

// One step of Levenberg-Marquardt from p, whose error is `error`; nothing when none makes it smaller.
std::optional<std::pair<Parameters, double>> Improve(const Parameters& p, double error, std::span<const double> angle, double fps,
                                                     double& damping) {
  const std::vector<double> at = Swinging(p, angle.size(), fps);
  std::array<std::vector<double>, kParameters> slope;
  for (size_t i = 0; i < kParameters; ++i) {
    Parameters q = p;
    const double step = 1e-6 * std::max(1.0, std::abs(p[i]));
    q[i] += step;
    slope[i] = Swinging(q, angle.size(), fps);
    for (size_t t = 0; t < angle.size(); ++t) slope[i][t] = (slope[i][t] - at[t]) / step;
  }
  std::array<Parameters, kParameters> normal{};
  Parameters right{};
  for (size_t t = 0; t < angle.size(); ++t)
    for (size_t i = 0; i < kParameters; ++i) {
      right[i] += slope[i][t] * (angle[t] - at[t]);
      for (size_t j = 0; j < kParameters; ++j) normal[i][j] += slope[i][t] * slope[j][t];
    }
  for (; damping < 1e9; damping *= 10) {
    auto m = normal;
    for (size_t i = 0; i < kParameters; ++i) m[i][i] += damping * std::max(normal[i][i], 1e-12);
    const auto step = Solve(m, right);
    if (!step) continue;
    Parameters q = p;
    for (size_t i = 0; i < kParameters; ++i) q[i] += (*step)[i];
    const double next = SquaredError(Swinging(q, angle.size(), fps), angle);
    if (!(next < error)) continue;
    damping = std::max(damping / 10, 1e-9);
    return std::pair{q, next};
  }
  return std::nullopt;
}

}  // namespace

std::optional<PendulumView> ViewPendulum(const World& world) {
  const auto* pendulum = dynamic_cast<const Pendulum*>(&world);
  const std::vector<WorldObject> bobs = world.Objects();
  if (!pendulum || bobs.size() != 1 || pendulum->State().cut || world.Facts().spec.find("single") == std::string::npos) return std::nullopt;
  PendulumView view;
  view.pivot_x = static_cast<double>(world.Facts().width) / 2;
  view.pivot_y = static_cast<double>(world.Facts().height) / 2;
  view.length = pendulum->State().length[0];
  view.scale = std::hypot(bobs[0].x - view.pivot_x, bobs[0].y - view.pivot_y) / view.length;
  view.damping = pendulum->State().damping;
  view.fps = world.Facts().fps;
  return view;
}

Swing ReadSwing(const Track& bob, const PendulumView& view) {
  Swing swing;
  for (size_t t = 0; t < bob.x.size(); ++t) {
    const double x = bob.x[t] - view.pivot_x, y = bob.y[t] - view.pivot_y;
    double angle = std::atan2(x, y);
    if (t > 0) angle += 2 * std::numbers::pi * std::round((swing.angle.back() - angle) / (2 * std::numbers::pi));
    swing.angle.push_back(angle);
    swing.length.push_back(std::hypot(x, y) / view.scale);
  }
  return swing;
}

std::vector<double> SwingEnergy(const Swing& swing, double fps) {
  const auto rates = Rates(swing.angle, fps);
  const double length = Mean(swing.length);
  std::vector<double> energy;
  for (size_t t = 0; t < rates.size(); ++t) {
    const double speed = length * rates[t].value_or(0);
    energy.push_back(0.5 * speed * speed + kStandardGravity * length * (1 - std::cos(swing.angle[t])));
  }
  return energy;
}

std::vector<double> HalfPeriods(const Swing& swing, double fps) {
  std::vector<double> passages, halves;
  for (size_t t = 1; t < swing.angle.size(); ++t) {
    const double a = swing.angle[t - 1], b = swing.angle[t];
    if ((a < 0) == (b < 0)) continue;
    passages.push_back((static_cast<double>(t - 1) + a / (a - b)) / fps);
  }
  for (size_t i = 1; i < passages.size(); ++i) halves.push_back(passages[i] - passages[i - 1]);
  return halves;
}

SwingFit FitSwing(std::span<const double> angle, double length, double fps) {
  if (angle.size() < 8) Fail("swing: 8 or more frames expected, got {}", angle.size());
  const double mean = Mean(angle);
  double variance = 0;
  for (const double a : angle) variance += (a - mean) * (a - mean);
  if (variance < 1e-12) return {};
  Parameters p = Guess(angle, fps);
  double error = SquaredError(Swinging(p, angle.size(), fps), angle), damping = 1e-3;
  for (int i = 0; i < 60; ++i) {
    const auto better = Improve(p, error, angle, fps, damping);
    if (!better) break;
    const double gain = error - better->second;
    std::tie(p, error) = *better;
    if (gain < 1e-12 * variance) break;
  }
  return {p[0] * length, p[1], std::min(1.0, error / variance)};
}

std::optional<double> FitFall(std::span<const double> down, double fps) {
  if (down.size() < 4) return std::nullopt;
  const double middle = static_cast<double>(down.size() - 1) / 2;
  double s2 = 0, s4 = 0, y0 = 0, y2 = 0;  // of centred times: odd powers vanish
  for (size_t t = 0; t < down.size(); ++t) {
    const double u = (static_cast<double>(t) - middle) / fps;
    s2 += u * u;
    s4 += u * u * u * u;
    y0 += down[t];
    y2 += u * u * down[t];
  }
  const auto n = static_cast<double>(down.size());
  return 2 * (n * y2 - s2 * y0) / (n * s4 - s2 * s2);
}

}  // namespace orrery
