// Does a film run forward, and do things happen in their order? (cf. metamorphic progression of ChronoMagic-Bench, arXiv 2406.18522)
#pragma once
#include "eval/causality/estimate.h"
#include "worlds/world.h"

namespace orrery {

// Of a progress variable read from a film, such as that of the world `growth`, one number a frame.
struct ProgressScores {
  Estimate progress;  // its net change over that of the truth: 1 as far, 0 stood still, < 0 ran backwards; none if the truth stands still
  Estimate monotonicity;  // 1 - backward steps / all steps, by their sizes, [0, 1]; none when it never moves
  Estimate order;         // Kendall's tau-b with time, [-1, 1], times the direction of the truth; 0 when it never moves
};
// Backward is against the truth's net change; upward counts as forward when that is 0. Throws Error on less than 2 frames, and on numbers
// that are not finite.
ProgressScores ScoreProgress(std::span<const double> truth, std::span<const double> made);

// Pairs of true events that happen in the same order. Events are told apart by kind, subject, object and which time it is that they happen.
struct EventOrder {
  int64_t pairs = 0;    // of true events in different frames
  double right = 0;     // of them in the true order; half for a pair that the film shows in one frame, none if an event is missing
  int64_t events = 0;   // true ones
  int64_t missing = 0;  // of them that the film lacks
  int64_t extra = 0;    // that only the film has
  std::optional<double> Accuracy() const;  // right / pairs
};
// A list a frame, as of TwinRun::events. The films may differ in length.
EventOrder CompareEvents(std::span<const std::vector<WorldEvent>> truth, std::span<const std::vector<WorldEvent>> read);

// Arrow of time where energy only dissipates: share of steps without an action in which it does not grow by more than `tolerance` (in
// its own units). acted[t]: energy[t] to energy[t + 1] had an action that may add some; one fewer than energies. None without a free step.
Estimate EntropySign(std::span<const double> energy, const std::vector<bool>& acted, double tolerance = 0);

}  // namespace orrery
