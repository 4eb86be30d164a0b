// Frictionless discs in a box, exactly: time is advanced from one collision to the next, whose moment is the root of a quadratic
// (Alder & Wainwright, J. Chem. Phys. 31, 1959). Nothing is approximated but the rounding of doubles.
#pragma once
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace orrery {

struct HardDisc {
  double x = 0, y = 0, vx = 0, vy = 0;  // m, m/s
  double radius = 0.5;                  // m
  double mass = 1;                      // only ratios matter
  bool operator==(const HardDisc&) const = default;
};

struct HardBox {
  double width = std::numeric_limits<double>::infinity(),
         height = std::numeric_limits<double>::infinity();  // m from 0, 0; infinite: no walls
  double restitution = 1;                                   // 0..1, of every collision
};

struct HardCollision {
  double time = 0;                 // s since the beginning of the call
  int64_t first = 0, second = -1;  // indices, first < second; second -1: a wall
  double impulse = 0;              // mass times m/s along the normal
};

// Seconds until two discs that move evenly touch; 0 when they already touch (or overlap) and approach, infinite when they never do.
double TimeToTouch(const HardDisc& a, const HardDisc& b);

// Below this time after its last collision in the same call, a disc's next one is elastic: else discs that lose energy would collide
// infinitely often in a finite time (the TC model; Luding & McNamara, Granular Matter 1, 1998).
constexpr double kElasticWithin = 1e-6;  // s

// Moves the discs on by `seconds` >= 0 and returns the collisions in order of time. With walls, every disc must lie inside. Discs that
// overlap at the beginning part as if they touched. A disc that touches no other moves the same to the bit whether others are there or not.
// Should `limit` collisions not be enough (wedged discs), the rest of the time is dropped; the result then holds `limit` collisions.
std::vector<HardCollision> MoveHardDiscs(const HardBox& box, std::span<HardDisc> discs, double seconds, int64_t limit = 100000);

}  // namespace orrery
