// Walks through a maze as a curious visitor would, on the true map.
#pragma once
#include <array>
#include <deque>

#include "worlds/policy.h"

namespace orrery {

// Errands follow each other: a walk to a way-point (mostly a place not visited for long), there and back again, round
// a loop, a look around, a short rest. Walks aim at the farthest cell of the path in plain sight, so they cut
// corners of rooms and do not run into walls. Now and then a few random actions disturb them.
class MazeExplorer : public Policy {
 public:
  explicit MazeExplorer(double noise) : noise_(noise) {}

  // The world has a pose, a square map "walls" of unit cells, and the actions of `maze` (lattice or continuous).
  static bool Knows(const World& world);

  std::vector<float> Act(const World& world, Rng& rng) override;

 private:
  struct Point {
    double x = 0, y = 0;
    bool goal = false;  // end of an errand: to be reached, not cut short
  };
  void Look(const World& world);                    // reads the map
  void Plan(const Pose& pose, Rng& rng);            // the next errand
  void WalkTo(int32_t from, int32_t to, Rng& rng);  // appends the cells of a shortest path
  int32_t FarCell(const Pose& pose, Rng& rng) const;
  static double Distance(const Pose& pose, const Point& to);
  bool PlainSight(const Pose& pose, const Point& to) const;
  std::array<double, 2> Steer(const Pose& pose);  // {forward 0..1, turn -1..1}

  double noise_;
  int32_t size_ = 0;
  std::vector<uint8_t> wall_;
  std::vector<int64_t> visited_;  // [cell] frame of the last visit, -1: never
  std::deque<Point> path_;
  int turns_ = 0;      // left to turn on the spot; positive to the left
  int rests_ = 0;      // frames left to stand
  int stuck_ = 0;      // frames without progress
  int disturbed_ = 0;  // frames left of `disturbance_`
  std::vector<float> disturbance_;
  int64_t frame_ = 0;
  Pose last_;
};

}  // namespace orrery
