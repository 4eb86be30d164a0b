// Identities that every noise path must satisfy, and values from closed forms.
#include "dynamics/noise_path.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/tensor_rng.h"

namespace orrery {
namespace {

class Path : public testing::TestWithParam<std::string> {
 protected:
  std::shared_ptr<NoisePath> path_ = NoisePaths().Make(GetParam());
  Rng rng_{3};
  at::Tensor clean_ = NormalTensor({4, 2, 3}, rng_).to(at::kDouble), noise_ = NormalTensor({4, 2, 3}, rng_).to(at::kDouble);

  static at::Tensor Level(double u) { return at::full({4, 1, 1}, u, at::kDouble); }
};

TEST_P(Path, ThePerfectAnswerGivesBackTheCleanLatent) {
  for (const double u : {0.05, 0.3, 0.7, 1.0}) {
    const at::Tensor x = path_->Mix(clean_, noise_, Level(u));
    const at::Tensor back = path_->ToClean(x, path_->Target(clean_, noise_, Level(u)), Level(u));
    EXPECT_LT((back - clean_).abs().max().item<double>(), 1e-9) << "level " << u;
  }
}

TEST_P(Path, APerfectStepStaysOnThePath) {
  const at::Tensor from = Level(0.8), to = Level(0.3);
  const at::Tensor x = path_->Mix(clean_, noise_, from);
  const at::Tensor stepped = path_->Step(x, path_->Target(clean_, noise_, from), from, to);
  EXPECT_LT((stepped - path_->Mix(clean_, noise_, to)).abs().max().item<double>(), 1e-9);
}

TEST_P(Path, APerfectStepToZeroIsClean) {
  const at::Tensor from = Level(0.4), x = path_->Mix(clean_, noise_, from);
  const at::Tensor stepped = path_->Step(x, path_->Target(clean_, noise_, from), from, Level(0));
  EXPECT_LT((stepped - clean_).abs().max().item<double>(), 1e-9);
}

TEST_P(Path, TargetsHaveUnitScale) {
  // Over latents of the path's deviation and noise, what the network must answer has a deviation of the order of 1 at every level.
  Rng rng(5);
  const double data = GetParam().find("data=0.5") != std::string::npos ? 0.5 : 1;
  const at::Tensor clean = NormalTensor({20000, 1, 1}, rng) * data, noise = NormalTensor({20000, 1, 1}, rng);
  for (const double u : {0.02, 0.5, 1.0}) {
    const double deviation = path_->Target(clean, noise, at::full({20000, 1, 1}, u)).std().item<double>();
    EXPECT_GT(deviation, 0.5);
    EXPECT_LT(deviation, 1.6);
  }
}

TEST_P(Path, ScheduleFallsFromOneToZero) {
  for (const int64_t steps : {1, 2, 5, 16}) {
    const std::vector<double> levels = path_->Schedule(steps);
    ASSERT_EQ(static_cast<int64_t>(levels.size()), steps + 1);
    EXPECT_EQ(levels.front(), 1);
    EXPECT_EQ(levels.back(), 0);
    for (size_t i = 1; i < levels.size(); ++i) EXPECT_LT(levels[i], levels[i - 1]);
  }
}

TEST_P(Path, TrainingLevelsLieInRangeAndRiseWithTheirUniform) {
  const at::Tensor levels = path_->TrainingLevels(at::linspace(0, 1, 101));
  EXPECT_GE(levels.min().item<double>(), 0);
  EXPECT_LE(levels.max().item<double>(), 1);
  EXPECT_GE((levels.narrow(0, 1, 100) - levels.narrow(0, 0, 100)).min().item<double>(), 0);
}

TEST_P(Path, SpecRebuildsThePath) { EXPECT_EQ(NoisePaths().Make(path_->Spec())->Spec(), path_->Spec()); }

std::vector<std::string> AllPaths() {
  std::vector<std::string> specs = NoisePaths().Names();
  specs.insert(specs.end(), {"flow(predict=x)", "edm(data=0.5)"});
  return specs;
}

INSTANTIATE_TEST_SUITE_P(Registered, Path, testing::ValuesIn(AllPaths()));

TEST(Flow, ShiftHasThePublishedValues) {
  const double levels[] = {1, 0.75, 0.5, 0.25};
  const double shifted3[] = {1, 0.9, 0.75, 0.5}, shifted5[] = {1, 0.9375, 0.833333, 0.625}, shifted8[] = {1, 0.96, 0.888889, 0.727273};
  for (int i = 0; i < 4; ++i) {
    EXPECT_NEAR(ShiftLevel(levels[i], 3), shifted3[i], 1e-6);
    EXPECT_NEAR(ShiftLevel(levels[i], 5), shifted5[i], 1e-6);
    EXPECT_NEAR(ShiftLevel(levels[i], 8), shifted8[i], 1e-6);
  }
}

TEST(Flow, LogitNormalLevelsHaveTheirMedianAndQuartiles) {
  const at::Tensor levels = NoisePaths().Make("flow(mean=0.5, deviation=2, shift=1)")->TrainingLevels(at::tensor({0.25, 0.5, 0.75}));
  const double z = 0.6744897502;  // upper quartile of N(0, 1)
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  EXPECT_NEAR(levels[0].item<double>(), sigmoid(0.5 - 2 * z), 1e-5);
  EXPECT_NEAR(levels[1].item<double>(), sigmoid(0.5), 1e-5);
  EXPECT_NEAR(levels[2].item<double>(), sigmoid(0.5 + 2 * z), 1e-5);
}

TEST(VSigmoid, KeepsThePublishedShares) {
  const auto path = NoisePaths().Make("v_sigmoid");
  const std::pair<int, double> kept[] = {{0, 0.9997}, {14, 0.995321},  {99, 0.960507}, {199, 0.895680},
                                         {499, 0.5},  {899, 0.039493}, {998, 0.0003},  {999, 0.0003e-3}};
  for (const auto& [index, share] : kept) {
    const at::Tensor level = at::full({1}, (index + 1) / 1000.0, at::kDouble), one = at::ones({1}, at::kDouble);
    const double clean = path->Mix(one, at::zeros_like(one), level).item<double>();
    const double noise = path->Mix(at::zeros_like(one), one, level).item<double>();
    EXPECT_NEAR(clean * clean, share, index == 999 ? 1e-9 : 1e-6) << index;
    EXPECT_NEAR(clean * clean + noise * noise, 1, 1e-12) << index;
  }
}

// The same Euler step, whether the network answers the velocity or the clean latent that it means.
TEST(Flow, BothPredictionsTakeTheSameSteps) {
  Rng rng(4);
  const at::Tensor x = NormalTensor({5, 2, 3}, rng).to(at::kDouble), v = NormalTensor({5, 2, 3}, rng).to(at::kDouble);
  const auto velocity = NoisePaths().Make("flow"), clean = NoisePaths().Make("flow(predict=x)");
  const at::Tensor from = at::full({5, 1, 1}, 0.7, at::kDouble), to = at::full({5, 1, 1}, 0.2, at::kDouble);
  const at::Tensor other = clean->Step(x, velocity->ToClean(x, v, from), from, to);
  EXPECT_LT((velocity->Step(x, v, from, to) - other).abs().max().item<double>(), 1e-12);
  EXPECT_THROW(NoisePaths().Make("flow(predict=noise)"), Error);
}

// c_in, c_skip, c_out of Karras et al. at sigma 0.5 = sigma_data are sqrt(2), 1/2, 1/sqrt(8); and their rho-spaced levels.
TEST(Edm, HasThePublishedPreconditioning) {
  const double low = 0.002, high = 5, rho = 7, root_low = std::pow(low, 1 / rho), root_high = std::pow(high, 1 / rho);
  const auto path = NoisePaths().Make("edm(sigma_min=0.002, sigma_max=5, data=0.5)");
  const at::Tensor one = at::ones({1}, at::kDouble), none = at::zeros({1}, at::kDouble);
  const at::Tensor u = at::full({1}, (std::pow(0.5, 1 / rho) - root_low) / (root_high - root_low), at::kDouble);
  EXPECT_NEAR(path->Mix(none, one, u).item<double>(), 0.5, 1e-9);
  EXPECT_NEAR(path->Input(one, u).item<double>(), std::sqrt(2.0), 1e-9);
  EXPECT_NEAR(path->ToClean(one, none, u).item<double>(), 0.5, 1e-9);
  EXPECT_NEAR(path->ToClean(none, one, u).item<double>(), 1 / std::sqrt(8.0), 1e-9);
  for (int i = 0; i <= 4; ++i) {
    const double expected = std::pow(root_high + i / 4.0 * (root_low - root_high), rho);
    EXPECT_NEAR(path->Mix(none, one, at::full({1}, 1 - i / 4.0, at::kDouble)).item<double>(), expected, 1e-9);
  }
}

TEST(VCosine, KeepsTheVariance) {
  Rng rng(9);
  const at::Tensor clean = NormalTensor({50000, 1, 1}, rng), noise = NormalTensor({50000, 1, 1}, rng);
  const auto path = NoisePaths().Make("v_cosine");
  for (const double u : {0.1, 0.5, 0.9}) EXPECT_NEAR(path->Mix(clean, noise, at::full({50000, 1, 1}, u)).var().item<double>(), 1, 0.03);
}

}  // namespace
}  // namespace orrery
