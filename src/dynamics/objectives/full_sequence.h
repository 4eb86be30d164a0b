// Full-sequence diffusion: one noise level for all frames of a clip, which see each other both ways. Neither causal nor interactive: the
// teacher of distillation, and the control of causality probes. Some clips keep their first frames clean (image to video).
#pragma once
#include "dynamics/objective.h"

namespace orrery {

struct FullSequenceOptions {
  double image = 0.5;        // share of clips whose first frames are clean, labelled 0 and outside the loss
  double action_drop = 0.1;  // share of hidden actions
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(FullSequenceOptions, image, action_drop)

class FullSequence : public Objective {
 public:
  FullSequence(const FullSequenceOptions& options, std::shared_ptr<const NoisePath> path);
  static Facts Describe();

  std::string Spec() const override { return FormatSpec("full_sequence", options_); }
  Capabilities Trained() const override { return {.clean_label = true, .causal = false}; }
  void Begin(const Transition& network, const Memory& memory, const Teacher* teacher) override;

 protected:
  at::Tensor WindowLoss(Transition& network, const Memory& memory, const ClipWindow& window, Rng& rng, LossTerms* terms) override;

 private:
  FullSequenceOptions options_;
};

}  // namespace orrery
