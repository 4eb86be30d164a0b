#include "dynamics/objectives/resampling.h"

#include <ATen/ATen.h>

#include "core/tensor_rng.h"
#include "dynamics/objectives/ask.h"
#include "dynamics/objectives/stream.h"

namespace orrery {

Resampling::Resampling(const ResamplingOptions& options, std::shared_ptr<const NoisePath> path)
    : Objective(std::move(path)), options_(options) {
  CheckShare("resampling", options.action_drop, "action_drop");
  if (options.shift < 0 || options.warmup < 0)
    Fail("resampling: shift >= 0 and warmup >= 0 expected, got {} and {}", options.shift, options.warmup);
}

Facts Resampling::Describe() {
  const ResamplingOptions o;
  return {"resampling",
          "teacher forcing beside a past that the model itself degraded: against drift, without a teacher",
          "arXiv 2512.15702",
          {{"shift", o.shift, "of the levels of degradation: > 1 towards noise; 0: none"},
           {"warmup", o.warmup, "steps of plain teacher forcing first"},
           {"action_drop", o.action_drop, "share of hidden actions, for guidance"}}};
}

at::Tensor Resampling::Degrade(Transition& network, const Memory& memory, const ClipWindow& window, const FrameCondition& condition,
                               const at::Tensor& sigma, const at::Tensor& noise) const {
  const at::NoGradGuard guard;
  const at::Tensor& clean = window.clip.latent;
  const int64_t T = clean.size(1);
  ClipStream stream(network, memory, *path_, window, condition);
  const at::Tensor level = sigma.view({-1, 1, 1, 1});
  std::vector<at::Tensor> out;
  for (int64_t t = 0; t < T; ++t) {
    const at::Tensor x = path_->Mix(clean.select(1, t), noise.select(1, t), level);
    stream.Open();
    out.push_back(path_->ToClean(x, stream.Answer(x, sigma), level));
    if (t + 1 < T) stream.Commit(out.back(), 0);
  }
  return at::stack(out, 1);
}

at::Tensor Resampling::WindowLoss(Transition& network, const Memory& memory, const ClipWindow& window, Rng& rng, LossTerms* terms) {
  const at::Tensor& clean = window.clip.latent;
  const int64_t B = clean.size(0), T = clean.size(1);
  const TwinDraws draws = DrawTwins(window.clip, *path_, 1, options_.action_drop, rng);
  const at::Tensor drawn = at::sigmoid(NormalTensor({B}, rng));
  const at::Tensor sigma = (options_.shift * drawn / (1 + (options_.shift - 1) * drawn)).to(clean.device());
  const at::Tensor rough = NormalTensor(clean.sizes(), rng).to(clean.device());
  // Windows of one clip are one step.
  const bool warm = (window.first == 0 ? steps_.Next() : steps_.Value() - 1) < options_.warmup;
  const at::Tensor past = warm ? clean : Degrade(network, memory, window, draws.condition, sigma, rough);
  if (terms) (*terms)["degraded"] = FrameError(past, clean).mean();
  const at::Tensor u = PerFrame(draws.level), x = path_->Mix(clean, draws.noise, u);
  const at::Tensor still = at::zeros({B, T}, clean.options());
  const Answer answer = AskTwins(network, memory, *path_, window, {past, still, x, draws.level, draws.condition, 1});
  return AddOwn(FrameError(answer.out, path_->Target(clean, draws.noise, u)).mean(), answer);
}

}  // namespace orrery
