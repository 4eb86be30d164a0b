// Resampling forcing (arXiv 2512.15702): strict teacher forcing beside a past that the model itself has degraded. Frame after frame is
// noised to one level a clip and brought back by one step of the network, which sees the degraded frames before it; no gradient passes
// there. (Its routing of the past is the state "moba".)
// B batch, T frames.
#pragma once
#include "dynamics/objective.h"

namespace orrery {

struct ResamplingOptions {
  double shift = 0.6;        // moves the levels of degradation (logit-normal) towards noise (> 1) or away from it; 0: none
  int64_t warmup = 500;      // steps of plain teacher forcing first
  double action_drop = 0.1;  // share of hidden actions
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ResamplingOptions, shift, warmup, action_drop)

class Resampling : public Objective {
 public:
  Resampling(const ResamplingOptions& options, std::shared_ptr<const NoisePath> path);
  static Facts Describe();

  std::string Spec() const override { return FormatSpec("resampling", options_); }
  Capabilities Trained() const override { return {.clean_label = true}; }

  // The window's frames as the network would hand them on: each noised to sigma [B] and brought back, after the degraded ones before it.
  at::Tensor Degrade(Transition& network, const Memory& memory, const ClipWindow& window, const FrameCondition& condition,
                     const at::Tensor& sigma, const at::Tensor& noise) const;

 protected:
  at::Tensor WindowLoss(Transition& network, const Memory& memory, const ClipWindow& window, Rng& rng, LossTerms* terms) override;

 private:
  ResamplingOptions options_;
  StepCount steps_{*this};
};

}  // namespace orrery
