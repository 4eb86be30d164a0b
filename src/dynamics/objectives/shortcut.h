// Shortcut forcing (Dreamer 4, arXiv 2509.24527, after arXiv 2410.12557): diffusion forcing on a grid of levels by a network that is told
// the size d of its step, so that few steps are enough. A share of the clips teaches long steps: one step of d shall go where two of d / 2
// go. Any noise path: levels are its schedule, a step is its own.
// B batch, T frames.
#pragma once
#include "dynamics/objectives/diffusion_forcing.h"

namespace orrery {

struct ShortcutOptions {
  int64_t grid = 8;            // finest steps on the whole way, a power of two
  double self_share = 0.25;    // share of clips that learn longer steps from shorter ones; 0: none do
  int64_t warmup = 500;        // steps before they do
  double context_share = 0.5;  // these as in diffusion_forcing
  double context_noise = 0.1;
  double action_drop = 0.1;
  double prefix = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ShortcutOptions, grid, self_share, warmup, context_share, context_noise, action_drop,
                                                prefix)

class Shortcut : public Objective {
 public:
  Shortcut(const ShortcutOptions& options, std::shared_ptr<const NoisePath> path);
  static Facts Describe();

  std::string Spec() const override { return FormatSpec("shortcut", options_); }
  Capabilities Trained() const override;
  double ContextLevel() const override { return options_.context_noise / 2; }
  void Require(TransitionOptions& network) const override { network.step = true; }

 protected:
  at::Tensor WindowLoss(Transition& network, const Memory& memory, const ClipWindow& window, Rng& rng, LossTerms* terms) override;

 private:
  struct Steps {
    at::Tensor from, middle, to;  // [B, T] levels; of context frames all the same: no step
  };
  at::Tensor TwoHalves(Transition& network, const Memory& memory, const ClipWindow& window, FrameCondition condition, const at::Tensor& x,
                       const at::Tensor& target, const Steps& steps) const;
  Steps SampleSteps(const ForcingLevels& forcing, int64_t self_rows, Rng& rng) const;

  ShortcutOptions options_;
  DiffusionForcing forcing_;  // draws context and target frames
  std::vector<double> levels_;
  StepCount steps_{*this};
};

}  // namespace orrery
