// Headings as integers and their directions, the same to the bit on every machine: only IEEE +, -, * are used, since
// the sine of a C library may differ in the last place from one machine to the next.
#pragma once
#include <cstdint>

namespace orrery {

constexpr int32_t kTurn = 98304;         // a full turn in heading units: 24 * 4096, so that 15 degrees are whole
constexpr int32_t kStep15 = kTurn / 24;  // 15 degrees

struct Direction {
  double x = 1, y = 0;
};

// Into 0 .. kTurn-1.
constexpr int32_t WrapHeading(int64_t heading) { return static_cast<int32_t>(((heading % kTurn) + kTurn) % kTurn); }

// Cosine and sine of `heading`, counter-clockwise from +x, to 1e-15. Directions a quarter turn apart are exact
// rotations of each other.
Direction HeadingDirection(int32_t heading);

// The same for an angle in radians, |angle| < 1e6, to 1e-9 (1e-15 for |angle| < 10).
Direction AngleDirection(double angle);

// Radians in [0, 2 pi).
double HeadingRadians(int32_t heading);

}  // namespace orrery
