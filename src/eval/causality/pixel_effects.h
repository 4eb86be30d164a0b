// What an intervention changes in the picture: a twin pair of the model against the twin pair of the truth. Twins (worlds/twins.h) have
// the same beginning, actions and noise; one has a hand's change. After the definition of effects as differences between
// interventional and factual outcomes (Pearl, Causality, 2009); CoPhy, arXiv 1909.12000, compares such pairs of states.
#pragma once
#include "eval/causality/estimate.h"
#include "eval/causality/frames.h"

namespace orrery {

struct EffectOptions {
  double eps = 0.05;       // of the model's films: a pixel differs when a channel does by more than this, in [0, 1] units
  double true_eps = 0.05;  // of the truth's
  int64_t dilate = 2;      // px by which effects may lie beside each other: squares of 2 dilate + 1
  int64_t early = 2;       // frames by which an effect may come too early
};

// Pixels of two films of which some channel differs by more than `eps`.
Masks EffectMasks(const FrameSpan& a, const FrameSpan& b, double eps);

// Pixels that differ at all; of the model and its null twin (same noise, no intervention) it must be 0.
int64_t DifferingPixels(const FrameSpan& a, const FrameSpan& b);

// An eps for models whose twins cannot share their noise: the least grey level that 99 % of pixels' largest channel difference between
// film and noise twin does not exceed, in [0, 1] units; at least `floor`.
double NoiseEps(const FrameSpan& film, const FrameSpan& noise_twin, double floor = 0.05);

// Pixels; of one frame, or sums.
struct EffectCounts {
  int64_t pixels = 0;
  int64_t truth = 0, made = 0;          // in the effect of the truth E*, of the model E
  int64_t truth_hit = 0, made_hit = 0;  // of E* within the dilated E, of E within the dilated E*
  int64_t made_ahead = 0;               // of E where no E* up to `early` frames later, dilated, has been

  EffectCounts& operator+=(const EffectCounts& other);
  std::optional<double> Precision() const;  // none where the model shows no effect
  std::optional<double> Recall() const;     // none where there is no true effect
  std::optional<double> F1() const;         // 0 when only one of them has an effect, none when neither has
  std::optional<double> Ahead() const;      // share of E outside the light cone; none where the model shows no effect
};

struct PixelEffects {
  int64_t first = 0;                 // the first frame that the intervention can change: one after TwinPlan::at
  std::vector<EffectCounts> frames;  // the curve

  EffectCounts After() const;               // sum of frames first ..
  std::optional<double> Leak() const;       // share of pixels in E before `first`: 0 for a causal model; none when first is 0
  std::optional<double> FalseRate() const;  // share of pixels in E from `first` on, where E* is empty; none where it is not
};

// Throws Error unless all four films have one shape and first lies in 0 .. frames.
PixelEffects ComparePixelEffects(const FrameSpan& truth, const FrameSpan& truth_changed, const FrameSpan& made,
                                 const FrameSpan& made_changed, int64_t first, const EffectOptions& options = {});

// Over twin pairs (of one type of intervention): ratios of sums over pairs.
struct PixelEffectSummary {
  Estimate precision, recall, f1;  // of pairs with a true effect
  Estimate ahead;                  // of the same: outside the light cone
  Estimate false_rate;             // of pairs without
  Estimate leak;                   // of all
};
PixelEffectSummary SummarizePixelEffects(std::span<const PixelEffects> pairs);

}  // namespace orrery
