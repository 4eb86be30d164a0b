#include "worlds/heading.h"

#include <cmath>
#include <numbers>

namespace orrery {

namespace {

double Sine(double a) {  // |a| <= pi/4
  const double s = a * a;
  return a * (1 + s * (-1.0 / 6 + s * (1.0 / 120 +
                                       s * (-1.0 / 5040 + s * (1.0 / 362880 + s * (-1.0 / 39916800 + s * (1.0 / 6227020800 +
                                                                                                          s * (-1.0 / 1307674368000))))))));
}

double Cosine(double a) {  // |a| <= pi/4
  const double s = a * a;
  return 1 +
         s * (-1.0 / 2 +
              s * (1.0 / 24 +
                   s * (-1.0 / 720 + s * (1.0 / 40320 + s * (-1.0 / 3628800 + s * (1.0 / 479001600 + s * (-1.0 / 87178291200 +
                                                                                                          s * (1.0 / 20922789888000))))))));
}

// A direction turned by whole quarters, 0..3, exactly.
Direction QuarterTurned(const Direction& d, int64_t quarters) {
  switch (quarters) {
    case 0:
      return d;
    case 1:
      return {-d.y, d.x};
    case 2:
      return {-d.x, -d.y};
    default:
      return {d.y, -d.x};
  }
}

}  // namespace

double HeadingRadians(int32_t heading) { return WrapHeading(heading) * (2 * std::numbers::pi / kTurn); }

Direction AngleDirection(double angle) {
  const double quarters = std::floor(angle * (2 / std::numbers::pi) + 0.5);
  // pi / 2 in two parts, the first with enough zeros that its product with a small whole number is exact.
  const double rest = angle - quarters * 1.5707963267341256 - quarters * 6.077100506506192e-11;
  return QuarterTurned({Cosine(rest), Sine(rest)}, ((static_cast<int64_t>(quarters) % 4) + 4) % 4);
}

Direction HeadingDirection(int32_t heading) {
  constexpr int32_t quarter = kTurn / 4;
  const int32_t wrapped = WrapHeading(heading);
  const int32_t within = wrapped % quarter;
  const bool upper = within > quarter / 2;
  const double angle = (upper ? quarter - within : within) * (2 * std::numbers::pi / kTurn);
  const double c = Cosine(angle), s = Sine(angle);
  return QuarterTurned(upper ? Direction{s, c} : Direction{c, s}, wrapped / quarter);
}

}  // namespace orrery
