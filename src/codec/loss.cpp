#include "codec/loss.h"

#include "core/tensor_rng.h"

namespace orrery {

namespace {

constexpr double kLeastError = 1e-7;  // 70 dB: keeps the root's slope finite

at::Tensor Difference(const at::Tensor& x, int64_t axis) { return x.slice(axis, 1) - x.slice(axis, 0, -1); }

}  // namespace

at::Tensor ReconstructionLoss(const at::Tensor& decoded, const at::Tensor& frames, const CodecLossOptions& options) {
  const at::Tensor error = decoded - frames;
  at::Tensor loss = options.rms * (error.square().mean({1, 2, 3}) + kLeastError).sqrt().mean();
  if (options.gradient > 0) loss = loss + options.gradient * (Difference(error, 2).abs().mean() + Difference(error, 3).abs().mean());
  return loss;
}

at::Tensor Divergence(const Codec::Posterior& posterior) {
  const auto& [mean, log_variance] = posterior;
  if (!log_variance.defined()) return at::zeros({}, mean.options());
  return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum({1, 2, 3}).mean();
}

at::Tensor TrainingLatents(const Codec::Posterior& posterior, const at::Tensor& deviation, double noise, Rng& rng) {
  const auto& [mean, log_variance] = posterior;
  const int64_t batch = mean.size(0), clean = batch - batch / 2;
  at::Tensor scale = at::cat({at::zeros({clean}), noise * UniformTensor({batch - clean}, rng)}).view({batch, 1, 1, 1});
  scale = scale.to(mean.device()) * deviation.view({1, -1, 1, 1});
  if (log_variance.defined()) scale = (scale.square() + log_variance.exp()).sqrt();
  return mean + scale * NormalTensor(mean.sizes(), rng).to(mean.device());
}

}  // namespace orrery
