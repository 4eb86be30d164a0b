// Diffusion forcing's levels and the sequential rollout.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "awake.h"
#include "core/tensor_rng.h"
#include "dynamics/objectives/diffusion_forcing.h"
#include "plain_rollout.h"
#include "state/registry.h"

namespace orrery {
namespace {

const LatentShape kLatent{.channels = 3, .height = 4, .width = 4};

struct Fixture {
  std::shared_ptr<Transition> network;
  std::shared_ptr<Memory> memory;
  std::shared_ptr<NoisePath> path = NoisePaths().Make("flow");

  explicit Fixture(int64_t frames = 5) {
    at::manual_seed(2);
    network = std::make_shared<Transition>(TransitionOptions{.dim = 32, .depth = 2, .heads = 2}, kLatent, ActionSpace{3, 0, {}, {}, {}});
    const at::NoGradGuard guard;
    Awaken(*network, 0.2);
    network->eval();
    memory = MakeMemory("window(3)", network->Geometry());
    frames_ = frames;
  }
  // The frame after the context.
  at::Tensor Sample(const RolloutOptions& options, const StepCondition& condition, uint64_t seed = 9) const {
    Rolling session(network, memory, path, options, kAbleAll, seed);
    session.Context(frames_);
    return session.Next(condition);
  }

 private:
  int64_t frames_ = 0;
};

TEST(DiffusionForcing, FirstFrameIsContextAndLevelsKeepTheirRanges) {
  DiffusionForcing objective({.context_share = 0.5, .context_noise = 0.1}, NoisePaths().Make("flow(shift=1)"));
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
  DiffusionForcing objective({}, f.path);
  Rng a(5), b(5);
  const Clip clip{at::randn({2, 4, 3, 4, 4}), {at::zeros({2, 4, 1}), {}, {}}};
  EXPECT_EQ(objective.Loss(*f.network, *f.memory, clip, a).item<double>(), objective.Loss(*f.network, *f.memory, clip, b).item<double>());
  Rng other(6);
  EXPECT_NE(objective.Loss(*f.network, *f.memory, clip, a).item<double>(),
            objective.Loss(*f.network, *f.memory, clip, other).item<double>());
}

TEST(DiffusionForcing, CleanPrefixesAreLongerThanHalfAndOutsideTheLoss) {
  DiffusionForcing objective({.context_share = 0, .context_noise = 0.1, .prefix = 0.5}, NoisePaths().Make("flow(shift=1)"));
  Rng rng(1);
  const ForcingLevels levels = objective.SampleLevels(2000, 16, rng);
  const at::Tensor targets = levels.target.to(at::kFloat);
  const at::Tensor prefixed = targets.narrow(1, 1, 7).sum(1) == 0;  // without a prefix every frame but the first is a target
  EXPECT_NEAR(prefixed.to(at::kFloat).mean().item<double>(), 0.5, 0.04);
  EXPECT_LE(levels.level.narrow(1, 0, 8).masked_select(prefixed.unsqueeze(1)).max().item<double>(), 0.1);
  EXPECT_TRUE(levels.target.select(1, 15).all().item<bool>());
}

TEST(SequentialRollout, IsThePlainLoopToTheBit) {
  const Fixture f;
  for (const char* path : {"flow", "v_cosine", "edm"}) {
    const std::shared_ptr<NoisePath> noise_path = NoisePaths().Make(path);
    const RolloutOptions options{.steps = 3, .guidance = 1.5};
    const PlainRollout plain(f.network, f.memory, noise_path, options);
    Rolling session(f.network, f.memory, noise_path, options);
    Parts state = f.memory->Reset(1, at::kCPU, at::kFloat, 0);
    Rng rng(9);
    for (int64_t t = 0; t < 6; ++t) {
      const StepCondition action = ActionOf(static_cast<double>(t % 3));
      EXPECT_TRUE(at::equal(session.Next(action), plain.Next(state, t, action, NormalTensor({1, 3, 4, 4}, rng)))) << path << " " << t;
    }
    EXPECT_EQ(session.state.Difference(state), "") << path;
    EXPECT_TRUE(session.flight.ToParts().All().empty());
  }
}

TEST(SequentialRollout, SameNoiseSameFrame) {
  Fixture f;
  const at::Tensor a = f.Sample({.steps = 3}, ActionOf(1)), b = f.Sample({.steps = 3}, ActionOf(1));
  EXPECT_TRUE(at::equal(a, b));
  EXPECT_FALSE(at::equal(a, f.Sample({.steps = 3}, ActionOf(1), 10)));
}

TEST(SequentialRollout, GuidanceOneIsTheConditionToTheBitAndZeroIsNone) {
  Fixture f;
  const at::Tensor plain = f.Sample({.steps = 3}, ActionOf(1));
  EXPECT_TRUE(at::equal(plain, f.Sample({.steps = 3, .guidance = 1}, ActionOf(1))));
  const at::Tensor none = f.Sample({.steps = 3, .guidance = 0}, ActionOf(1)), hidden = f.Sample({.steps = 3}, {});
  EXPECT_TRUE(at::equal(none, hidden));
  EXPECT_FALSE(at::equal(plain, f.Sample({.steps = 3, .guidance = 3}, ActionOf(1))));
}

TEST(SequentialRollout, TheStateMatters) {
  Fixture f, other(4);
  EXPECT_FALSE(at::equal(f.Sample({}, ActionOf(1)), other.Sample({}, ActionOf(1))));
}

TEST(SequentialRollout, TimeHasNoLimit) {
  Fixture f;
  Rng rng(4);
  const at::Tensor latent = NormalTensor({1, 3, 4, 4}, rng);
  // The window after ten million frames: the same last frames at the same distances give the same sample to fp32 rounding.
  const auto sample_from = [&](int64_t first) {
    Rolling session(f.network, f.memory, f.path, {.steps = 1});
    session.state.Mutable("committed").fill_(first);
    session.flight.Land(first);
    for (int64_t t = first; t < first + 40; ++t)
      session.executor.Force(session.state, session.flight, ActionOf(static_cast<double>(t % 3)), latent, session.Source());
    return session.Next(ActionOf(1));
  };
  EXPECT_LT((sample_from(30'000'000) - sample_from(300)).abs().max().item<double>(), 1e-4);
}

}  // namespace
}  // namespace orrery
