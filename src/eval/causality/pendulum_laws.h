// A pendulum read from a film: what it conserves, and the equation of motion that fits it.
#pragma once
#include "eval/causality/tracks.h"
#include "eval/scenario.h"

namespace orrery {

// How a world of one pendulum shows it.
struct PendulumView {
  double pivot_x = 0, pivot_y = 0;  // px
  double scale = 1;                 // px a metre
  double length = 1;                // m
  double damping = 0;               // 1/s
  double fps = 30;
};
// Of the world as it is now; nothing when it is not a single pendulum that hangs on its string.
std::optional<PendulumView> ViewPendulum(const World& world);

struct Swing {
  std::vector<double> angle;   // radians from straight down, without jumps of 2 pi
  std::vector<double> length;  // of the string, m
};
Swing ReadSwing(const Track& bob, const PendulumView& view);

constexpr double kStandardGravity = 9.81;  // m/s^2, as in the world

// J a kilogram at every frame, from angles, their rates and the mean length; 0 when it hangs at rest.
std::vector<double> SwingEnergy(const Swing& swing, double fps);
// Seconds between neighbouring passages through the lowest point.
std::vector<double> HalfPeriods(const Swing& swing, double fps);

// Least squares of angle'' = -(g / length) sin(angle) - damping angle' over the whole series (Levenberg-Marquardt on Runge-Kutta 4), with
// g, damping and the beginning free.
struct SwingFit {
  double gravity = 0;  // m/s^2
  double damping = 0;  // 1/s
  double nmse = 1;     // squared error over the variance of the angles
};
// Throws Error on less than 8 frames. A series that never moves has nmse 1.
SwingFit FitSwing(std::span<const double> angle, double length, double fps);

// The acceleration of a fall, m/s^2, downwards: least squares of a parabola through the heights (m, downwards) of frames in a row; none of
// less than 4.
std::optional<double> FitFall(std::span<const double> down, double fps);

}  // namespace orrery
