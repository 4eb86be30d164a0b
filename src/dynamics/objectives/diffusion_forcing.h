// Diffusion forcing (Chen et al., arXiv 2407.01392): every frame of a clip has its own noise level, the network sees all of them
// causally. A share of the frames plays the context that a rollout will have: nearly clean, and outside the loss.
// B batch, T frames.
#pragma once
#include "dynamics/objective.h"

namespace orrery {

struct DiffusionForcingOptions {
  double context_share = 0.5;   // probability that a frame is context; frame 0 always is
  double context_noise = 0.1;   // highest level of context frames, uniform below it
  double action_drop = 0.1;     // probability that a frame's action is hidden, for guidance
  double prefix = 0;            // probability that a clip begins with a clean prefix of over half its frames, and loss only after it
  double history_noise = 0;     // highest level of noise in the latents that input memories keep; uniform below it, a frame
  std::string weight = "none";  // or "fused_snr"
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(DiffusionForcingOptions, context_share, context_noise, action_drop, prefix, history_noise,
                                                weight)

// Levels of a clip and which frames are in the loss.
struct ForcingLevels {
  at::Tensor level;   // [B, T]
  at::Tensor target;  // [B, T] bool
};

class DiffusionForcing : public Objective {
 public:
  DiffusionForcing(const DiffusionForcingOptions& options, std::shared_ptr<const NoisePath> path);
  static Facts Describe();

  std::string Spec() const override;
  Capabilities Trained() const override { return {.accepts_mixed_levels = true, .clean_label = true}; }
  double ContextLevel() const override { return options_.context_noise / 2; }

  ForcingLevels SampleLevels(int64_t batch, int64_t frames, Rng& rng) const;

 protected:
  at::Tensor WindowLoss(Transition& network, const Memory& memory, const ClipWindow& window, Rng& rng, LossTerms* terms) override;

 private:
  DiffusionForcingOptions options_;
};

// Weights of the loss of each frame from its signal-to-noise ratio and those before it, for a network that answers v: snr [B, T] ->
// [B, T]. `decay` of the past's part; `clip` of the ratio. (The code released with arXiv 2407.01392.)
at::Tensor FusedSnrWeights(const at::Tensor& snr, double decay = 0.96, double clip = 5);

}  // namespace orrery
