#include "codec/loss.h"

#include <gtest/gtest.h>

#include "core/tensor_rng.h"

namespace orrery {
namespace {

TEST(ReconstructionLoss, IsTheSumOfItsTerms) {
  const at::Tensor truth = at::zeros({2, 1, 2, 3}), decoded = truth.clone();
  decoded[0].copy_(at::tensor({0.f, 1.f, 3.f, 0.f, 0.f, -2.f}).view({1, 2, 3}));
  const auto loss = [&](const CodecLossOptions& o) { return ReconstructionLoss(decoded, truth, o).item<double>(); };
  EXPECT_NEAR(loss({.rms = 2, .gradient = 0}), 2 * 0.5 * std::sqrt(14.0 / 6), 1e-3);
  // Down: 0, 1, 5 of three. Across: 1, 2, 0, 2 of four.
  EXPECT_NEAR(loss({.rms = 0, .gradient = 0.5}), 0.5 * 0.5 * (6.0 / 3 + 5.0 / 4), 1e-6);
}

TEST(ReconstructionLoss, HasAGradientAtPerfection) {
  const at::Tensor truth = at::ones({2, 3, 4, 4}), decoded = truth.clone().requires_grad_();
  ReconstructionLoss(decoded, truth, {}).backward();
  EXPECT_TRUE(decoded.grad().isfinite().all().item<bool>());
}

TEST(Divergence, AgreesWithSampling) {
  Rng rng(1);
  const Codec::Posterior posterior{NormalTensor({3, 2, 1, 2}, rng), 0.5 * NormalTensor({3, 2, 1, 2}, rng)};
  const auto& [mean, log_variance] = posterior;
  const at::Tensor unit = NormalTensor({200000, 3, 2, 1, 2}, rng), z = mean + unit * (0.5 * log_variance).exp();
  const at::Tensor sampled = (0.5 * (z.square() - unit.square() - log_variance)).mean(0).sum({1, 2, 3}).mean();
  EXPECT_NEAR(Divergence(posterior).item<double>(), sampled.item<double>(), 0.02);
  EXPECT_EQ(Divergence({mean, {}}).item<double>(), 0);
}

TEST(TrainingLatents, NoiseTheSecondHalfInDeviationsOfAChannel) {
  Rng rng(2);
  const int64_t batch = 4000;
  const at::Tensor mean = at::full({batch, 2, 4, 4}, 3.0), log_variance = at::full({batch, 2, 4, 4}, std::log(0.01));
  const at::Tensor z = TrainingLatents({mean, log_variance}, at::tensor({1.f, 10.f}), 0.6, rng);
  EXPECT_NEAR(z.mean().item<double>(), 3, 0.02);
  const at::Tensor clean = z.slice(0, 0, batch / 2).var({0, 2, 3}), noisy = z.slice(0, batch / 2).var({0, 2, 3});
  // Of a uniform share u of the noise: E[u^2] = 1 / 3.
  EXPECT_TRUE(at::allclose(clean, at::tensor({0.01f, 0.01f}), 0.03, 0));
  EXPECT_TRUE(at::allclose(noisy, at::tensor({0.01f + 0.12f, 0.01f + 12.f}), 0.05, 0));
  const at::Tensor deterministic = TrainingLatents({mean, {}}, at::ones({2}), 0.6, rng);
  EXPECT_TRUE(at::equal(deterministic.slice(0, 0, batch / 2), mean.slice(0, 0, batch / 2)));
}

TEST(TrainingLatents, HaveAGradientAtVanishingVariance) {
  Rng rng(3);
  const at::Tensor mean = at::zeros({2, 1, 2, 2}).requires_grad_(), log_variance = at::full({2, 1, 2, 2}, -30.0).requires_grad_();
  TrainingLatents({mean, log_variance}, at::ones({1}), 0, rng).sum().backward();
  EXPECT_TRUE(log_variance.grad().isfinite().all().item<bool>());
  EXPECT_TRUE(at::equal(mean.grad(), at::ones_like(mean)));
}

}  // namespace
}  // namespace orrery
