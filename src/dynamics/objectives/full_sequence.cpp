#include "dynamics/objectives/full_sequence.h"

#include <ATen/ATen.h>

#include "core/tensor_rng.h"
#include "dynamics/objectives/ask.h"

namespace orrery {

FullSequence::FullSequence(const FullSequenceOptions& options, std::shared_ptr<const NoisePath> path)
    : Objective(std::move(path)), options_(options) {
  CheckShare("full_sequence", options.image, "image");
  CheckShare("full_sequence", options.action_drop, "action_drop");
}

Facts FullSequence::Describe() {
  const FullSequenceOptions o;
  return {"full_sequence",
          "one level a clip, all frames see each other: not causal",
          "arXiv 2204.03458",
          {{"image", o.image, "share of clips whose first frames stay clean, outside the loss"},
           {"action_drop", o.action_drop, "share of hidden actions, for guidance"}}};
}

void FullSequence::Begin(const Transition& network, const Memory& memory, const Teacher* teacher) {
  Objective::Begin(network, memory, teacher);
  NeedWholeFrames(memory, "full_sequence", "its frames see each other both ways");
}

at::Tensor FullSequence::WindowLoss(Transition& network, const Memory& memory, const ClipWindow& window, Rng& rng, LossTerms*) {
  if (window.after) Fail("full_sequence: a clip is one window; leave --windows at 1");
  const Clip& clip = window.clip;
  const int64_t B = clip.latent.size(0), T = clip.latent.size(1);
  const at::Tensor drawn = path_->TrainingLevels(UniformTensor({B, 1}, rng)).expand({B, T});
  const at::Tensor has = UniformTensor({B, 1}, rng) < options_.image;
  const at::Tensor length = 1 + (UniformTensor({B, 1}, rng) * static_cast<double>(T - 1)).floor();
  const at::Tensor target = (has & (at::arange(T, at::kFloat).unsqueeze(0) < length)).logical_not();
  const FrameCondition condition = HideActions(clip, options_.action_drop, rng);
  const at::Tensor noise = NormalTensor(clip.latent.sizes(), rng).to(clip.latent.device());
  const at::Tensor level = at::where(target, drawn, at::zeros_like(drawn)).to(clip.latent.device()), u = PerFrame(level);
  const ClipMask mask{.kind = ClipMask::Kind::kFull};
  const at::Tensor x = at::where(PerFrame(target).to(u.device()), path_->Mix(clip.latent, noise, u), clip.latent);
  const Answer answer = AskClip(network, memory, *path_, window, {x, level, {}, condition, clip.latent, target, mask});
  const at::Tensor weight = target.to(level.device()).to(at::kFloat);
  return AddOwn((FrameError(answer.out, path_->Target(clip.latent, noise, u)) * weight).sum() / weight.sum(), answer);
}

}  // namespace orrery
