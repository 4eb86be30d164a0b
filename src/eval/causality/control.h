// How much actions matter: Delta PSNR (Genie, arXiv 2402.15391) and controllability (arXiv 2601.17067, eq. 9).
#pragma once
#include "eval/causality/estimate.h"
#include "eval/causality/frames.h"

namespace orrery {

// PSNR (dB, at most 100 each) of the film made with the true actions minus that of the film made with random ones, both against the truth:
// one number a frame. Positive: actions matter, and the right way. Throws Error unless all have one shape.
std::vector<double> DeltaPsnr(const FrameSpan& truth, const FrameSpan& made, const FrameSpan& made_at_random);

// Mean over scenarios of frame `frame` of their curves; a scenario with a shorter curve has failed. Genie reports frame 4, counted from the
// last true one.
Estimate DeltaPsnrAt(std::span<const std::vector<double>> curves, int64_t frame = 4);

// Distances between imagined and true frames under the same actions, one row a scenario, one number >= 0 a frame.
using Distances = std::vector<std::vector<double>>;

struct ControlScores {
  Estimate distance;             // D: mean over scenarios of means over frames
  Estimate control;              // exp(-D), lambda = 1; (0, 1]
  Estimate calibrated;           // exp(-lambda* D): 0.1 for wrong actions
  Estimate normalised;           // 1 - D / D(wrong): 1 perfect, 0 no control, < 0 worse than wrong actions
  Estimate isolated;             // D(ignore) - D: what heeding actions gains, whatever the quality of the picture; none without `ignoring`
  std::optional<double> lambda;  // lambda* = ln 10 / D(wrong): from the wrong-action films alone, never from the model's
  std::vector<double> curve;     // exp(-lambda* D_t) a frame, D_t the mean over scenarios; lambda = 1 where lambda* is none
};

// `wrong`: distances of truth under other actions from the truth; `ignoring`: those of the same model when it is given none of the actions,
// or empty. The same scenarios in the same order. Throws Error on rows of different lengths or counts, on no scenario, and on distances
// that are negative or not finite.
ControlScores ScoreControl(const Distances& model, const Distances& wrong, const Distances& ignoring = {});

}  // namespace orrery
