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
  // Over unit-variance latents and noise, what the network must answer has a deviation of the order of 1 at every level.
  Rng rng(5);
  const at::Tensor clean = NormalTensor({20000, 1, 1}, rng), noise = NormalTensor({20000, 1, 1}, rng);
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

INSTANTIATE_TEST_SUITE_P(Registered, Path, testing::ValuesIn(NoisePaths().Names()));

TEST(Flow, ShiftHasThePublishedValues) {
  const double levels[] = {1, 0.75, 0.5, 0.25};
  const double shifted5[] = {1, 0.9375, 0.833333, 0.625}, shifted8[] = {1, 0.96, 0.888889, 0.727273};
  for (int i = 0; i < 4; ++i) {
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

TEST(VCosine, KeepsTheVariance) {
  Rng rng(9);
  const at::Tensor clean = NormalTensor({50000, 1, 1}, rng), noise = NormalTensor({50000, 1, 1}, rng);
  const auto path = NoisePaths().Make("v_cosine");
  for (const double u : {0.1, 0.5, 0.9}) EXPECT_NEAR(path->Mix(clean, noise, at::full({50000, 1, 1}, u)).var().item<double>(), 1, 0.03);
}

}  // namespace
}  // namespace orrery
