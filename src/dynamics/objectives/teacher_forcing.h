// Strict teacher forcing: every frame is denoised beside the true past, all at once by showing the clip twice (ClipMask::kTeacherForced;
// the form of Self-Forcing's released code, arXiv 2506.08009). And next-clip diffusion of Video-GPT (arXiv 2505.12489), which makes a few
// frames together and answers with clean latents.
// B batch, T frames.
#pragma once
#include "dynamics/objective.h"

namespace orrery {

struct TeacherForcingOptions {
  double aug = 0;            // highest noise level of the past, uniform below it, a frame, and labelled so
  double action_drop = 0.1;  // share of hidden actions
  int64_t block = 1;         // frames made together, at one level
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(TeacherForcingOptions, aug, action_drop, block)

class TeacherForcing : public Objective {
 public:
  TeacherForcing(const TeacherForcingOptions& options, std::shared_ptr<const NoisePath> path);
  static Facts Describe();

  std::string Spec() const override { return FormatSpec("teacher_forcing", options_); }
  Capabilities Trained() const override { return {.clean_label = true, .block = options_.block}; }
  void Begin(const Transition& network, const Memory& memory, const Teacher* teacher) override;

 protected:
  at::Tensor WindowLoss(Transition& network, const Memory& memory, const ClipWindow& window, Rng& rng, LossTerms* terms) override;

 private:
  TeacherForcingOptions options_;
};

struct VideoGptOptions {
  int64_t shortest = 2, longest = 4;  // frames of a clip that is made at once, drawn anew for every batch
  double context_noise = 0.1;         // highest noise level of past clips
  double action_drop = 0.1;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(VideoGptOptions, shortest, longest, context_noise, action_drop)

class VideoGpt : public Objective {
 public:
  VideoGpt(const VideoGptOptions& options, std::shared_ptr<const NoisePath> path);
  static Facts Describe();

  std::string Spec() const override { return FormatSpec("video_gpt", options_); }
  Capabilities Trained() const override { return {.clean_label = true, .block = options_.longest}; }
  double ContextLevel() const override { return options_.context_noise / 2; }
  void Begin(const Transition& network, const Memory& memory, const Teacher* teacher) override;

 protected:
  at::Tensor WindowLoss(Transition& network, const Memory& memory, const ClipWindow& window, Rng& rng, LossTerms* terms) override;

 private:
  VideoGptOptions options_;
};

}  // namespace orrery
