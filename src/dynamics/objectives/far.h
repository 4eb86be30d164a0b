// FAR (arXiv 2503.19325): every frame of a clip is noisy at a level of its own and sees the noisy frames before it; some are replaced by
// clean ones with a label that no noisy frame has, so that the clean past of a rollout is known. (Its coarse long context is the state
// "window(n) + far()".)
#pragma once
#include "dynamics/objective.h"

namespace orrery {

struct FarOptions {
  double clean_share = 0.1;  // share of frames that are clean, with the context's label, outside the loss
  double label = -1;         // that label; noisy frames have 0 to 1
  double action_drop = 0.1;  // share of hidden actions
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(FarOptions, clean_share, label, action_drop)

class FarObjective : public Objective {
 public:
  FarObjective(const FarOptions& options, std::shared_ptr<const NoisePath> path);
  static Facts Describe();

  std::string Spec() const override { return FormatSpec("far", options_); }
  Capabilities Trained() const override { return {.accepts_mixed_levels = true, .clean_label = options_.label == 0}; }
  double ContextLevel() const override { return options_.label; }

 protected:
  at::Tensor WindowLoss(Transition& network, const Memory& memory, const ClipWindow& window, Rng& rng, LossTerms* terms) override;

 private:
  FarOptions options_;
};

}  // namespace orrery
