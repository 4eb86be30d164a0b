// Violation of expectation: is a film in which something impossible happens more surprising than its possible twins? After IntPhys
// (arXiv 1803.07616) and the measures of V-JEPA's study of it (arXiv 2502.11831).
#pragma once
#include <array>
#include <span>
#include <vector>

#include "eval/causality/estimate.h"

namespace orrery {

// Four films that share all their visible segments: two beginnings, a hidden moment, two ends. Film [b][e] begins as b and ends as e; it is
// possible where b == e. The numbers are surprises, in any unit, of the frames after the hidden moment.
using Quadruplet = std::array<std::array<double, 2>, 2>;

// Whether the two impossible films are more surprising in sum than the possible ones: 1 or 0, a half when the sums are alike (by 1e-9 of
// them). A judge that compares a frame with the one before it has sums that are alike to the bit.
double RelativeAccuracy(const Quadruplet& quadruplet);

// 95 % Wilson interval of a share; halves of successes are rounded outwards.
Estimate ShareEstimate(std::span<const double> successes);

// Share of films that are told right when those above the 90th percentile of the possible films are called impossible: 0.5 by chance,
// at most 1.
double AbsoluteAccuracy(std::span<const double> possible, std::span<const double> impossible);
// Chance that an impossible film is more surprising than a possible one, ties by half; 0.5 by chance.
double Auroc(std::span<const double> possible, std::span<const double> impossible);
// Average precision of finding the impossible films from the most surprising one on: sum of precision times growth of recall (as
// scikit-learn); films alike in surprise are found together. By chance the share of impossible films.
double AveragePrecision(std::span<const double> possible, std::span<const double> impossible);

// The three of quadruplets together, with intervals over quadruplets. None without a quadruplet.
struct SurpriseScores {
  Estimate relative, absolute, auroc, auprc;  // shares in [0, 1]
};
SurpriseScores ScoreSurprise(std::span<const Quadruplet> quadruplets);

}  // namespace orrery
