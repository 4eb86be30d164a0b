#include "dynamics/objectives/far.h"

#include <ATen/ATen.h>

#include "core/tensor_rng.h"
#include "dynamics/objectives/ask.h"

namespace orrery {

FarObjective::FarObjective(const FarOptions& options, std::shared_ptr<const NoisePath> path)
    : Objective(std::move(path)), options_(options) {
  CheckShare("far", options.clean_share, "clean_share");
  CheckShare("far", options.action_drop, "action_drop");
  if (!(options.label >= -1 && options.label <= 1)) Fail("far: label must lie in [-1, 1], got {}", options.label);
}

Facts FarObjective::Describe() {
  const FarOptions o;
  return {"far",
          "a level a frame over the noisy past; some frames are clean, with a label of their own",
          "arXiv 2503.19325",
          {{"clean_share", o.clean_share, "share of clean frames, outside the loss"},
           {"label", o.label, "what clean frames are labelled; noisy ones have 0 to 1"},
           {"action_drop", o.action_drop, "share of hidden actions, for guidance"}}};
}

at::Tensor FarObjective::WindowLoss(Transition& network, const Memory& memory, const ClipWindow& window, Rng& rng, LossTerms*) {
  const Clip& clip = window.clip;
  const int64_t B = clip.latent.size(0), T = clip.latent.size(1);
  const at::Tensor target = UniformTensor({B, T}, rng) >= options_.clean_share;
  const at::Tensor drawn = path_->TrainingLevels(UniformTensor({B, T}, rng));
  const FrameCondition condition = HideActions(clip, options_.action_drop, rng);
  const at::Tensor noise = NormalTensor(clip.latent.sizes(), rng).to(clip.latent.device());
  const at::Device device = clip.latent.device();
  const at::Tensor level = at::where(target, drawn, at::zeros_like(drawn)).to(device), u = PerFrame(level);
  const at::Tensor label = at::where(target, drawn, at::full({}, options_.label, drawn.options())).to(device);
  const at::Tensor x = at::where(PerFrame(target).to(device), path_->Mix(clip.latent, noise, u), clip.latent);
  const Answer answer = AskClip(network, memory, *path_, window, {x, level, label, condition, clip.latent, target, {}});
  const at::Tensor weight = target.to(device).to(at::kFloat);
  return AddOwn((FrameError(answer.out, path_->Target(clip.latent, noise, u)) * weight).sum() / weight.sum().clamp_min(1), answer);
}

}  // namespace orrery
