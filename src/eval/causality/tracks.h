// Trajectories of things in films, and what must stay the same along them.
#pragma once
#include <optional>
#include <span>
#include <vector>

#include "eval/causality/object_effects.h"

namespace orrery {

// Where one thing is, a value a frame, units of the objects. Where it was not seen, on the line between its neighbours in time; before
// the first and after the last sighting where it was then.
struct Track {
  std::vector<double> x, y;
  int64_t missing = 0;  // frames in which it was not seen

  int64_t Count() const { return static_cast<int64_t>(x.size()); }
};

// Nothing when no frame shows it.
std::optional<Track> TrackOf(const ObjectFilm& film, int64_t id);

// The largest distance of a frame's place to the first one's.
double Travel(const Track& track);

// Whether a film of things is of no use (Morpheus discards such videos): one of `truth` is missing in more than a fifth of the frames, or
// none goes further than `least` although one of the truth does.
bool Discarded(std::span<const std::optional<Track>> made, std::span<const Track> truth, double least = 1);

// How much a track bends without cause: the median length of its second differences, units a frame a frame; 0 of less than 3 frames.
double MedianBend(const Track& track);

// Begins of new pieces: a frame whose second difference is more than `least` (units of the track) is a piece of its own. A jump of velocity
// between two frames shows in one or both of them; what lies between jumps is straight.
std::vector<int64_t> VelocityBreaks(const Track& track, double least);

// Rate of change at every frame, per second: 0.7 of the slope of a line through 5 frames and 0.3 of the central difference, both of the
// series smoothed by cubics through 7 frames (Savitzky & Golay 1964); as Morpheus, arXiv 2504.02918, estimates velocities. Windows end
// where a piece does. None in a piece of one frame.
std::vector<std::optional<double>> Rates(std::span<const double> series, double fps, std::span<const int64_t> breaks = {});

// The same for a second time: the rate of change of rates that all exist.
std::vector<double> Accelerations(std::span<const double> series, double fps);

// Morpheus' invariance of a series that ought to be constant: 1 / (1 + deviation / |mean|) where |mean| >= 10 deviations or |mean| >= 10,
// otherwise 1 / (1 + deviation). (0, 1]. The series must not be empty.
double Invariance(std::span<const double> series);
// Mean over all windows of `window` values in a row (one, of all, when there are fewer); none of less than 3 values.
std::optional<double> WindowedInvariance(std::span<const double> series, int64_t window);

}  // namespace orrery
