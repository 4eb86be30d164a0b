// Discs on a table without friction, read from a film: what they conserve, and the collisions that fit them.
#pragma once
#include <array>

#include "eval/causality/tracks.h"
#include "eval/scenario.h"

namespace orrery {

struct DiscTable {
  double width = 0, height = 0;       // m
  double radius = 0;                  // of every disc, m
  double scale = 1;                   // px a metre
  double corner_x = 0, corner_y = 0;  // px of the table's lower left corner
  double restitution = 1;
  double fps = 30;
};
// Of the world as it is now; nothing when it is no table of billiards without friction.
std::optional<DiscTable> ViewTable(const World& world);

// Of several discs at every frame; m and m/s, the origin in the table's lower left corner.
struct DiscFilm {
  std::vector<Track> place;                                              // one a disc
  std::vector<std::vector<std::array<std::optional<double>, 2>>> speed;  // [disc][frame] x, y; none next to a collision

  int64_t Discs() const { return static_cast<int64_t>(place.size()); }
  int64_t Frames() const { return place.empty() ? 0 : place[0].Count(); }
};
// Tracks in px. Velocities are of straight pieces between jumps of velocity.
DiscFilm ReadDiscs(std::span<const Track> tracks, const DiscTable& table);

// J a kilogram of all discs, at the frames at which all have a velocity.
std::vector<double> DiscEnergy(const DiscFilm& film);
// Total momentum along x and y (a kilogram a disc) over runs of frames in which no disc touches a cushion: a series a run and axis.
std::vector<std::vector<double>> DiscMomenta(const DiscFilm& film, const DiscTable& table);

// Mean |v - v of the truth|, m/s, over discs and frames (PhyWorld, arXiv 2411.02385). hit[disc]: the first frame that shows a collision of
// the disc in truth, or the number of frames. None where there are no such frames.
struct VelocityError {
  std::optional<double> before, after;
};
VelocityError CompareVelocities(const DiscFilm& truth, const DiscFilm& made, std::span<const int64_t> hit);

// Share of frames in which two discs lie in each other by more than `depth` metres.
double PenetrationRate(const DiscFilm& film, const DiscTable& table, double depth);

// The restitution in [0, 1] with which exact collisions, from the film's own places and velocities every 4th frame, come nearest to where
// the discs are 8 frames later; over the stretches in which something collides.
struct CollisionFit {
  double restitution = 0;
  double nmse = 1;        // squared error over squared way, at most 1
  int64_t stretches = 0;  // none: the film has no collision
};
CollisionFit FitCollisions(const DiscFilm& film, const DiscTable& table);

}  // namespace orrery
