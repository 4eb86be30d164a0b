#include "dynamics/objectives/diffusion_forcing.h"

#include <ATen/ATen.h>

#include "core/tensor_rng.h"
#include "dynamics/objectives/ask.h"

namespace orrery {

DiffusionForcing::DiffusionForcing(const DiffusionForcingOptions& options, std::shared_ptr<const NoisePath> path)
    : Objective(std::move(path)), options_(options) {
  const auto share = [](double p, const char* name) { CheckShare("diffusion forcing", p, name); };
  share(options.context_share, "context_share");
  share(options.context_noise, "context_noise");
  share(options.action_drop, "action_drop");
  share(options.prefix, "prefix");
  share(options.history_noise, "history_noise");
  const std::vector<std::string> weights{"none", "fused_snr"};
  if (options.weight != weights[0] && options.weight != weights[1]) FailUnknown("weight of diffusion_forcing", options.weight, weights);
}

Facts DiffusionForcing::Describe() {
  const DiffusionForcingOptions o;
  return {"diffusion_forcing",
          "every frame has a noise level of its own, seen causally; some play context",
          "arXiv 2407.01392",
          {{"context_share", o.context_share, "share of frames that play context: nearly clean, outside the loss"},
           {"context_noise", o.context_noise, "their highest noise level"},
           {"action_drop", o.action_drop, "share of hidden actions, for guidance"},
           {"prefix", o.prefix, "share of clips with a clean prefix of over half their frames: makes a memory needed"},
           {"history_noise", o.history_noise, "highest noise level of the latents that input memories keep"},
           {"weight", o.weight, "none, or fused_snr: by signal-to-noise ratios of the frame and its past"}}};
}

std::string DiffusionForcing::Spec() const { return FormatSpec("diffusion_forcing", options_); }

ForcingLevels DiffusionForcing::SampleLevels(int64_t batch, int64_t frames, Rng& rng) const {
  at::Tensor target = UniformTensor({batch, frames}, rng) >= options_.context_share;
  const at::Tensor noisy = path_->TrainingLevels(UniformTensor({batch, frames}, rng));
  const at::Tensor nearly_clean = UniformTensor({batch, frames}, rng) * options_.context_noise;
  if (options_.prefix > 0) {
    // Po et al. (arXiv 2505.20171): without a long clean past a memory is not needed, and is not learned.
    const at::Tensor has = UniformTensor({batch, 1}, rng) < options_.prefix;
    const at::Tensor length = (UniformTensor({batch, 1}, rng) * 0.5 + 0.5) * static_cast<double>(frames);
    const at::Tensor before = at::arange(frames, at::kFloat).unsqueeze(0) < length;
    target = at::where(has, before.logical_not(), target);
  }
  target.select(1, 0).fill_(false);
  target.select(1, frames - 1).fill_(true);  // at least one frame of every clip is in the loss
  return {at::where(target, noisy, nearly_clean), target};
}

at::Tensor DiffusionForcing::WindowLoss(Transition& network, const Memory& memory, const ClipWindow& window, Rng& rng, LossTerms*) {
  const Clip& clip = window.clip;
  const int64_t B = clip.latent.size(0), T = clip.latent.size(1);
  if (T < 2) Fail("diffusion forcing: clips of at least 2 frames expected, got {}", T);
  const ForcingLevels sampled = SampleLevels(B, T, rng);
  const FrameCondition condition = HideActions(clip, options_.action_drop, rng);
  const at::Tensor noise = NormalTensor(clip.latent.sizes(), rng).to(clip.latent.device());
  const at::Tensor level = sampled.level.to(clip.latent.device()), u = PerFrame(level);
  ShownClip shown{path_->Mix(clip.latent, noise, u), level, {}, condition, clip.latent, sampled.target, {}};
  if (options_.history_noise > 0) {
    const at::Tensor rough = UniformTensor({B, T, 1, 1, 1}, rng).to(u.device()) * options_.history_noise;
    shown.history = path_->Mix(clip.latent, NormalTensor(clip.latent.sizes(), rng).to(u.device()), rough);
  }
  const Answer answer = AskClip(network, memory, *path_, window, shown);
  at::Tensor error = FrameError(answer.out, path_->Target(clip.latent, noise, u));
  const at::Tensor weight = sampled.target.to(error.device()).to(at::kFloat);
  if (options_.weight == "fused_snr") {
    const at::Tensor one = at::ones_like(level), none = at::zeros_like(level);
    const at::Tensor snr = (path_->Mix(one, none, level) / path_->Mix(none, one, level).clamp_min(1e-4)).square();
    // The formula is for answers whose error is 1 / (snr + 1) of the clean latent's: others are brought to that scale.
    error = error * FusedSnrWeights(snr) * CleanErrorScale(*path_, level) * (snr + 1);
  }
  return AddOwn((error * weight).sum() / weight.sum(), answer);
}

at::Tensor FusedSnrWeights(const at::Tensor& snr, double decay, double clip) {
  const at::Tensor clipped = snr.clamp_max(clip) / clip, own = snr / clip;
  std::vector<at::Tensor> before;
  at::Tensor sum = at::zeros_like(clipped.select(1, 0));
  for (int64_t t = 0; t < snr.size(1); ++t) {
    before.push_back(sum);
    const at::Tensor now = clipped.select(1, t);
    sum = t == 0 ? now : decay * sum + (1 - decay) * now;
  }
  const at::Tensor keep = 1 - decay * at::stack(before, 1);
  const at::Tensor a = 1 - keep * (1 - clipped), b = 1 - keep * (1 - own);
  return clip * a / (clip * b + 1);
}

}  // namespace orrery
