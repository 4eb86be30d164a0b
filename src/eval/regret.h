// What a model is worth to a planner.
#pragma once
#include "eval/statistics.h"

namespace orrery {

// Returns in the true world over the same episodes: of a planner in the true world, of chance, and of a planner in the model.
// (oracle - model) / (oracle - chance) of the means: 0 perfect, 1 no better than chance, above 1 worse. Interval: BCa over episodes.
// Throws Error with the reason when the oracle is no better than chance, so that the task tells nothing.
struct Regret {
  double value = 0;
  Interval interval;
};
Regret NormalizedRegret(std::span<const double> oracle, std::span<const double> chance, std::span<const double> model);

// Do returns that a model promises for fixed policies agree with the true ones? At least three policies.
struct Fidelity {
  double pearson = 0, spearman = 0;  // 0 when one side is constant
  double bias = 0;                   // mean of promised - true
  double violation = 0;  // mean maximal rank violation (Li et al., arXiv 2405.05941): the mean over policies of the largest true
                         // difference to another one that the promises order the other way round
};
Fidelity EvaluationFidelity(std::span<const double> promised, std::span<const double> truth);

}  // namespace orrery
