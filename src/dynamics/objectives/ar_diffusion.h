// AR-Diffusion (Sun et al., arXiv 2503.07418): noise never falls along a clip. Levels are drawn so that a uniformly drawn frame has a
// uniformly drawn level and the rest is uniform among all non-decreasing sequences through it (the paper's FoPP sampler).
// F frames, T levels 0 .. T - 1, larger is noisier.
#pragma once
#include "dynamics/objective.h"

namespace orrery {

class FoppSampler {
 public:
  FoppSampler(int64_t levels, int64_t frames);

  // log of the number of non-decreasing ways on from level t of frame f: C((T - 1 - t) + (F - 1 - f), F - 1 - f).
  double LogWays(int64_t level, int64_t frame) const;
  // A sequence through (frame, level), uniform among all; the draws do not depend on what is drawn.
  std::vector<int64_t> Through(int64_t frame, int64_t level, Rng& rng) const;
  // Frame and level uniform, [batch, F] int64.
  at::Tensor Sample(int64_t batch, Rng& rng) const;

 private:
  int64_t Pick(int64_t first, int64_t last, int64_t frame, bool right, Rng& rng) const;

  int64_t levels_, frames_;
};

struct ArDiffusionOptions {
  int64_t steps = 48;        // noise levels above clean, those of the path's schedule
  double action_drop = 0.1;  // share of hidden actions
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ArDiffusionOptions, steps, action_drop)

// Level 0 is clean, labelled 0 and outside the loss: what a rollout has finished. The loss is the error of the clean latent.
class ArDiffusion : public Objective {
 public:
  ArDiffusion(const ArDiffusionOptions& options, std::shared_ptr<const NoisePath> path);
  static Facts Describe();

  std::string Spec() const override { return FormatSpec("ar_diffusion", options_); }
  Capabilities Trained() const override { return {.accepts_mixed_levels = true, .clean_label = true}; }

 protected:
  at::Tensor WindowLoss(Transition& network, const Memory& memory, const ClipWindow& window, Rng& rng, LossTerms* terms) override;

 private:
  ArDiffusionOptions options_;
};

}  // namespace orrery
