// Memory gain at a place that is come back to: after WorldMem (arXiv 2504.12369), evaluation 2.5.
#pragma once
#include <ATen/core/Tensor.h>

#include <span>

#include "eval/causality/estimate.h"

namespace orrery {

// Films of one scenario, [n, H, W, 3] uint8; `made` and `truth` of the same frames.
struct ReturnFilms {
  at::Tensor made, truth;            // from the return on
  at::Tensor made_near, truth_near;  // at places that were in sight a moment ago
};

// PSNR in dB, one number a scenario.
struct ReturnQualities {
  std::vector<double> seen;    // a subject's frames at the return against the truth there
  std::vector<double> unseen;  // its frames at the returns of all other scenarios against the same truth (mean): what its pictures score
                               // where it cannot know the place, however blurred, dark or alike they are
  std::vector<double> recent;  // its frames at places in sight a moment ago
};
// Scenarios must have the same numbers of frames. At least two.
ReturnQualities JudgeReturns(std::span<const ReturnFilms> films);

// The least that fresh frames are taken to be worth above chance, in dB: a tenth of its error. A subject that knows nothing even of what it
// just saw has no scale of its own, and the ratio would be noise by noise.
constexpr double kKnows = 10;

// MG = (Q_seen - Q_unseen) / (Q_recent - Q_unseen), of means over scenarios: 1 nothing is lost, 0 nothing is known. Q_seen: PSNR of a
// subject's frames at the return against the truth there; Q_unseen: that of its frames at the returns of all other scenarios against the
// same truth, so what its pictures score where it cannot know the place, however blurred or dark they are; Q_recent: that of the first
// imagined frames. The divisor is at least kKnows dB. Values of single scenarios are the ratio's to first order: their mean is the gain.
// Scenarios must have the same numbers of frames; without a value for fewer than two, with `cause`.
Estimate MemoryGain(const ReturnQualities& qualities);
// The same of films; without a value for fewer than two, with `cause`.
Estimate MemoryGain(std::span<const ReturnFilms> films, const std::string& cause);

// Gap g50 at which the gain falls below one half, between measured gaps by a straight line on log gaps.
struct MemoryHalfLife {
  Estimate gap;           // frames; interval by bootstrap of the whole curve
  bool censored = false;  // it never falls so low: the value is the longest gap, a lower bound
};
// The gains of ascending gaps; scenario i of one gap and of another are resampled together.
MemoryHalfLife HalfLife(std::span<const int64_t> gaps, std::span<const ReturnQualities> curve);

}  // namespace orrery
