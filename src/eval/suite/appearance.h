// Metrics of a film's looks from frame to frame, beside those of real films: a part of the probe `motion`.
#pragma once
#include "eval/suite/probe.h"

namespace orrery {

// A film's consistency in the frames that are looked at.
struct FilmLooks {
  std::optional<double> subject;  // of the scenario's first thing; none in worlds whose things have no place in the picture
  double background = 0;          // of what is no thing, of whole frames in such worlds
};

// Of frames context .. T as they were made.
FilmLooks LookAtAppearance(const Film& made, const Scenario& scenario);

// quality.consistency.subject@F-rand and .background@F-rand; `real`: the true films of the same scenarios.
std::vector<Metric> AppearanceMetrics(const ProbePlan& plan, const std::vector<FilmLooks>& made, const std::vector<FilmLooks>& real);

}  // namespace orrery
