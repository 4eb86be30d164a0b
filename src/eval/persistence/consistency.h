// Four terms of the consistency of a film with its world (after the World Consistency Score, arXiv 2508.00144, of which the formulas are
// not known: these are our own, from true state and what a reader sees). All in [0, 1].
#pragma once
#include "eval/causality/frames.h"
#include "eval/persistence/object_events.h"

namespace orrery {

// Which things the truth shows in a frame: at least half of the most pixels it ever has of them; and those with no pixel.
struct ShownThings {
  std::set<int64_t> shown, hidden;
};

struct Permanence {
  int64_t visible = 0;                            // (thing, frame) pairs that the truth shows
  int64_t missed = 0, spurious = 0, swapped = 0;  // not read there; read though the truth hides it; read with another colour or shape
  double Value() const;                           // 1 - (missed + spurious + swapped) / visible, at least 0; 1 without visible ones
};
Permanence ComparePermanence(const ObjectFilm& truth, std::span<const ShownThings> shown, const ObjectFilm& read);

// Mean over pairs of things that are shown, read, and not swapped, in frames < `until`: exp(-|log(d' / d)|) of their distances, half of it
// where left and right or above and below are exchanged. Distances below half a pixel count as that. Nothing without such pairs.
std::optional<double> RelationStability(const ObjectFilm& truth, std::span<const ShownThings> shown, const ObjectFilm& read, int64_t until);

// Mean absolute change from frame to frame of pixels that do not change in the truth and lie further than `reach` px from every thing read,
// over that of the true frames, whole, in random order; at most 1. Nothing when the truth in random order does not change.
std::optional<double> FlickerPenalty(const FrameSpan& truth, const FrameSpan& made, const ObjectFilm& read, double reach, uint64_t seed);

// (permanence + relations + causes) / 3 - flicker / 4, within [0, 1].
double WorldConsistency(double permanence, double relations, double causes, double flicker);

}  // namespace orrery
