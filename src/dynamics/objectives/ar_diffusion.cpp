#include "dynamics/objectives/ar_diffusion.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/tensor_rng.h"
#include "dynamics/objectives/ask.h"

namespace orrery {

namespace {

double LogBinomial(int64_t n, int64_t k) {
  const auto log_factorial = [](int64_t x) { return std::lgamma(static_cast<double>(x) + 1); };
  return log_factorial(n) - log_factorial(k) - log_factorial(n - k);
}

}  // namespace

FoppSampler::FoppSampler(int64_t levels, int64_t frames) : levels_(levels), frames_(frames) { ORRERY_CHECK(levels >= 1 && frames >= 1); }

double FoppSampler::LogWays(int64_t level, int64_t frame) const {
  return LogBinomial(levels_ - 1 - level + frames_ - 1 - frame, frames_ - 1 - frame);
}

// A level in [first, last] of `frame`, by the number of ways on from there: to the right, or mirrored to the left.
int64_t FoppSampler::Pick(int64_t first, int64_t last, int64_t frame, bool right, Rng& rng) const {
  std::vector<double> logs;
  for (int64_t t = first; t <= last; ++t) logs.push_back(right ? LogWays(t, frame) : LogWays(levels_ - 1 - t, frames_ - 1 - frame));
  const double most = *std::max_element(logs.begin(), logs.end());
  double sum = 0;
  for (double& l : logs) sum += l = std::exp(l - most);
  double left = rng.Uniform() * sum;
  for (size_t i = 0; i + 1 < logs.size(); ++i)
    if ((left -= logs[i]) < 0) return first + static_cast<int64_t>(i);
  return last;
}

std::vector<int64_t> FoppSampler::Through(int64_t frame, int64_t level, Rng& rng) const {
  std::vector<int64_t> out(static_cast<size_t>(frames_), level);
  for (int64_t f = frame + 1; f < frames_; ++f)
    out[static_cast<size_t>(f)] = Pick(out[static_cast<size_t>(f - 1)], levels_ - 1, f, true, rng);
  for (int64_t f = frame - 1; f >= 0; --f) out[static_cast<size_t>(f)] = Pick(0, out[static_cast<size_t>(f + 1)], f, false, rng);
  return out;
}

at::Tensor FoppSampler::Sample(int64_t batch, Rng& rng) const {
  std::vector<int64_t> all;
  for (int64_t b = 0; b < batch; ++b) {
    const int64_t frame = rng.Below(frames_), level = rng.Below(levels_);
    const std::vector<int64_t> one = Through(frame, level, rng);
    all.insert(all.end(), one.begin(), one.end());
  }
  return at::tensor(all, at::kLong).view({batch, frames_});
}

ArDiffusion::ArDiffusion(const ArDiffusionOptions& options, std::shared_ptr<const NoisePath> path)
    : Objective(std::move(path)), options_(options) {
  CheckShare("ar_diffusion", options.action_drop, "action_drop");
  if (options.steps < 1) Fail("ar_diffusion: steps must be >= 1, got {}", options.steps);
}

Facts ArDiffusion::Describe() {
  const ArDiffusionOptions o;
  return {"ar_diffusion",
          "noise that never falls along a clip, seen causally; loss on clean latents",
          "arXiv 2503.07418",
          {{"steps", o.steps, "noise levels above clean"}, {"action_drop", o.action_drop, "share of hidden actions, for guidance"}}};
}

at::Tensor ArDiffusion::WindowLoss(Transition& network, const Memory& memory, const ClipWindow& window, Rng& rng, LossTerms*) {
  const Clip& clip = window.clip;
  const int64_t B = clip.latent.size(0), T = clip.latent.size(1);
  const at::Device device = clip.latent.device();
  const at::Tensor index = FoppSampler(options_.steps + 1, T).Sample(B, rng);
  const std::vector<double> falling = path_->Schedule(options_.steps);
  const at::Tensor level = at::tensor(std::vector<double>(falling.rbegin(), falling.rend()), at::kFloat)
                               .index_select(0, index.flatten())
                               .view({B, T})
                               .to(device);
  const FrameCondition condition = HideActions(clip, options_.action_drop, rng);
  const at::Tensor noise = NormalTensor(clip.latent.sizes(), rng).to(device);
  const at::Tensor target = index > 0, u = PerFrame(level);
  const at::Tensor x = at::where(PerFrame(target).to(device), path_->Mix(clip.latent, noise, u), clip.latent);
  const Answer answer = AskClip(network, memory, *path_, window, {x, level, {}, condition, clip.latent, target, {}});
  const at::Tensor weight = target.to(device).to(at::kFloat);
  return AddOwn((FrameError(path_->ToClean(x, answer.out, u), clip.latent) * weight).sum() / weight.sum().clamp_min(1), answer);
}

}  // namespace orrery
