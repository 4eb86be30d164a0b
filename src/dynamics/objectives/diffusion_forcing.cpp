#include "dynamics/objectives/diffusion_forcing.h"

#include "core/tensor_rng.h"

namespace orrery {

DiffusionForcing::DiffusionForcing(const DiffusionForcingOptions& options, std::shared_ptr<const NoisePath> path)
    : options_(options), path_(std::move(path)) {
  const auto share = [](double p, const char* name) {
    if (!(p >= 0 && p <= 1)) Fail("diffusion forcing: {} must lie in [0, 1], got {}", name, p);
  };
  share(options.context_share, "context_share");
  share(options.context_noise, "context_noise");
  share(options.action_drop, "action_drop");
  share(options.prefix, "prefix");
  share(options.history_noise, "history_noise");
}

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

at::Tensor DiffusionForcing::Loss(Transition& network, const Memory& memory, const Clip& clip, Rng& rng) const {
  return WindowLoss(network, memory, clip, 0, nullptr, nullptr, rng);
}

at::Tensor DiffusionForcing::Loss(Transition& network, const Memory& memory, const Clip& clip, int64_t windows, Rng& rng) const {
  if (windows == 1) return Loss(network, memory, clip, rng);
  const int64_t B = clip.latent.size(0), T = clip.latent.size(1) / windows;
  ORRERY_CHECK(T * windows == clip.latent.size(1));
  const auto part = [&](const at::Tensor& t, int64_t w) { return t.defined() ? t.narrow(1, w * T, T) : t; };
  Parts state = memory.Reset(B, clip.latent.device(), at::kFloat, 0);
  at::Tensor sum;
  for (int64_t w = 0; w < windows; ++w) {
    const FrameCondition& c = clip.condition;
    const Clip window{part(clip.latent, w), {part(c.action, w), part(c.known, w), part(c.pose, w)}};
    Parts after = state;
    const at::Tensor loss = WindowLoss(network, memory, window, w * T, w > 0 ? &state : nullptr, &after, rng);
    sum = sum.defined() ? sum + loss : loss;
    state = std::move(after);
  }
  return sum / static_cast<double>(windows);
}

at::Tensor DiffusionForcing::WindowLoss(Transition& network, const Memory& memory, const Clip& clip, int64_t first, const Parts* before,
                                        Parts* after, Rng& rng) const {
  const int64_t B = clip.latent.size(0), T = clip.latent.size(1);
  if (T < 2) Fail("diffusion forcing: clips of at least 2 frames expected, got {}", T);
  const ForcingLevels sampled = SampleLevels(B, T, rng);
  FrameCondition condition = clip.condition;
  const at::Tensor shown = UniformTensor({B, T}, rng) >= options_.action_drop;
  condition.known = (condition.known.defined() ? condition.known & shown.to(condition.known.device()) : shown.to(clip.latent.device()));

  const at::Tensor noise = NormalTensor(clip.latent.sizes(), rng).to(clip.latent.device());
  const at::Tensor level = sampled.level.to(clip.latent.device()), u = level.view({B, T, 1, 1, 1});
  const at::Tensor x = path_->Input(path_->Mix(clip.latent, noise, u), u);
  ClipQuery query{B, T, clip.latent, clip.condition.action, clip.condition.pose, sampled.target, first, before};
  if (options_.history_noise > 0) {
    const at::Tensor rough = UniformTensor({B, T, 1, 1, 1}, rng).to(u.device()) * options_.history_noise;
    query.latent = path_->Mix(clip.latent, NormalTensor(clip.latent.sizes(), rng).to(u.device()), rough);
  }
  const std::unique_ptr<MemoryReader> reader = memory.OpenClip(query);
  const at::Tensor out = network.Forward(x, level, condition, *reader);
  if (after && !reader->Finish(*after))
    Fail("diffusion forcing: the state {} carries nothing from window to window; train it on one window a clip", memory.Spec());
  const at::Tensor error = (out - path_->Target(clip.latent, noise, u)).square().mean({2, 3, 4});
  const at::Tensor weight = sampled.target.to(error.device()).to(at::kFloat);
  const at::Tensor loss = (error * weight).sum() / weight.sum(), own = reader->Loss();
  return own.defined() ? loss + own : loss;
}

}  // namespace orrery
