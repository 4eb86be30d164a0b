// Diffusion forcing's levels and the sequential rollout.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "awake.h"
#include "core/tensor_rng.h"
#include "dynamics/objectives/diffusion_forcing.h"
#include "dynamics/rollouts/sequential.h"
#include "state/registry.h"

namespace orrery {
namespace {

const LatentShape kLatent{.channels = 3, .height = 4, .width = 4};

struct Fixture {
  std::shared_ptr<Transition> network;
  std::shared_ptr<Memory> memory;
  std::shared_ptr<NoisePath> path = NoisePaths().Make("flow");
  Parts state;

  explicit Fixture(int64_t frames = 5) {
    at::manual_seed(2);
    network = std::make_shared<Transition>(TransitionOptions{.dim = 32, .depth = 2, .heads = 2}, kLatent, ActionSpace{3, 0, {}, {}, {}});
    const at::NoGradGuard guard;
    Awaken(*network, 0.2);
    network->eval();
    memory = MakeMemory("window(3)", network->Geometry());
    state = memory->Reset(1, at::kCPU, at::kFloat, 0);
    const SequentialRollout rollout(network, memory, path, {});
    Rng rng(4);
    for (int64_t t = 0; t < frames; ++t)
      rollout.Commit(state, rollout.Read(state, t, Action(1)), Action(1), NormalTensor({1, 3, 4, 4}, rng), {});
  }
  static StepCondition Action(double a) { return {at::full({1, 1}, a), {}, {}}; }
  at::Tensor Sample(const RolloutOptions& options, const StepCondition& condition, uint64_t seed = 9) const {
    Rng rng(seed);
    const SequentialRollout rollout(network, memory, path, options);
    return rollout.Sample(rollout.Read(state, 5, condition), condition, NormalTensor({1, 3, 4, 4}, rng));
  }
};

TEST(DiffusionForcing, FirstFrameIsContextAndLevelsKeepTheirRanges) {
  const DiffusionForcing objective({.context_share = 0.5, .context_noise = 0.1}, NoisePaths().Make("flow(shift=1)"));
  Rng rng(1);
  const ForcingLevels levels = objective.SampleLevels(2000, 8, rng);
  EXPECT_FALSE(levels.target.select(1, 0).any().item<bool>());
  EXPECT_TRUE(levels.target.select(1, 7).all().item<bool>());
  EXPECT_LE(levels.level.masked_select(levels.target.logical_not()).max().item<double>(), 0.1);
  EXPECT_NEAR(levels.target.narrow(1, 1, 6).to(at::kFloat).mean().item<double>(), 0.5, 0.02);
  EXPECT_NEAR(levels.level.masked_select(levels.target).mean().item<double>(), 0.5, 0.02);  // logit-normal of mean 0
}

TEST(DiffusionForcing, TheSameDrawsGiveTheSameLoss) {
  Fixture f;
  const DiffusionForcing objective({}, f.path);
  Rng a(5), b(5);
  const Clip clip{at::randn({2, 4, 3, 4, 4}), {at::zeros({2, 4, 1}), {}, {}}};
  EXPECT_EQ(objective.Loss(*f.network, *f.memory, clip, a).item<double>(), objective.Loss(*f.network, *f.memory, clip, b).item<double>());
  Rng other(6);
  EXPECT_NE(objective.Loss(*f.network, *f.memory, clip, a).item<double>(),
            objective.Loss(*f.network, *f.memory, clip, other).item<double>());
}

TEST(DiffusionForcing, CleanPrefixesAreLongerThanHalfAndOutsideTheLoss) {
  const DiffusionForcing objective({.context_share = 0, .context_noise = 0.1, .prefix = 0.5}, NoisePaths().Make("flow(shift=1)"));
  Rng rng(1);
  const ForcingLevels levels = objective.SampleLevels(2000, 16, rng);
  const at::Tensor targets = levels.target.to(at::kFloat);
  const at::Tensor prefixed = targets.narrow(1, 1, 7).sum(1) == 0;  // without a prefix every frame but the first is a target
  EXPECT_NEAR(prefixed.to(at::kFloat).mean().item<double>(), 0.5, 0.04);
  EXPECT_LE(levels.level.narrow(1, 0, 8).masked_select(prefixed.unsqueeze(1)).max().item<double>(), 0.1);
  EXPECT_TRUE(levels.target.select(1, 15).all().item<bool>());
}

TEST(SequentialRollout, SameNoiseSameFrameAndReadsOnly) {
  Fixture f;
  const Parts before = f.state.Clone();
  const at::Tensor a = f.Sample({.steps = 3}, Fixture::Action(1)), b = f.Sample({.steps = 3}, Fixture::Action(1));
  EXPECT_TRUE(at::equal(a, b));
  EXPECT_FALSE(at::equal(a, f.Sample({.steps = 3}, Fixture::Action(1), 10)));
  EXPECT_EQ(f.state.Difference(before), "");
}

TEST(SequentialRollout, GuidanceOneIsTheConditionAndZeroIsNone) {
  Fixture f;
  const at::Tensor plain = f.Sample({.steps = 3}, Fixture::Action(1));
  EXPECT_TRUE(at::equal(plain, f.Sample({.steps = 3, .guidance = 1}, Fixture::Action(1))));
  const at::Tensor none = f.Sample({.steps = 3, .guidance = 0}, Fixture::Action(1)), hidden = f.Sample({.steps = 3}, {});
  EXPECT_LT((none - hidden).abs().max().item<double>(), 1e-6);
  EXPECT_FALSE(at::equal(plain, f.Sample({.steps = 3, .guidance = 3}, Fixture::Action(1))));
}

TEST(SequentialRollout, TheStateMatters) {
  Fixture f, other(4);
  EXPECT_FALSE(at::equal(f.Sample({}, Fixture::Action(1)), other.Sample({}, Fixture::Action(1))));
}

TEST(SequentialRollout, CountsItsForwards) {
  Fixture f;
  EXPECT_EQ(SequentialRollout(f.network, f.memory, f.path, {.steps = 4}).ForwardsPerFrame(), 5);
  EXPECT_EQ(SequentialRollout(f.network, f.memory, f.path, {.steps = 4, .guidance = 1.5}).ForwardsPerFrame(), 9);
}

TEST(SequentialRollout, TimeHasNoLimit) {
  Fixture f;
  const SequentialRollout rollout(f.network, f.memory, f.path, {.steps = 1});
  Rng rng(4);
  const at::Tensor latent = NormalTensor({1, 3, 4, 4}, rng), noise = NormalTensor({1, 3, 4, 4}, rng);
  // The window after ten million frames: the same last frames at the same distances give the same sample to fp32 rounding.
  const auto sample_from = [&](int64_t first) {
    Parts state = f.memory->Reset(1, at::kCPU, at::kFloat, 0);
    state.Mutable("committed").fill_(first);
    for (int64_t t = first; t < first + 40; ++t) {
      const StepCondition condition = Fixture::Action(static_cast<double>(t % 3));
      rollout.Commit(state, rollout.Read(state, t, condition), condition, latent, {});
    }
    return rollout.Sample(rollout.Read(state, first + 40, Fixture::Action(1)), Fixture::Action(1), noise);
  };
  EXPECT_LT((sample_from(30'000'000) - sample_from(300)).abs().max().item<double>(), 1e-4);
}

}  // namespace
}  // namespace orrery
