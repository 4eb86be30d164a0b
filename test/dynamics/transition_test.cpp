// The transition network: causality, streaming against parallel, conditions, and that it learns.
#include "dynamics/transition.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/optim/adamw.h>

#include "awake.h"
#include "core/tensor_rng.h"
#include "dynamics/objectives/diffusion_forcing.h"
#include "plain_rollout.h"
#include "state/registry.h"
#include "streaming.h"

namespace orrery {
namespace {

const LatentShape kLatent{.channels = 3, .height = 4, .width = 4};
const ActionSpace kActions{3, 0, {}, {}, {}};

std::shared_ptr<Transition> Network(const std::string& layout, bool random_output = true) {
  at::manual_seed(1);
  auto network = std::make_shared<Transition>(TransitionOptions{.layout = layout, .dim = 32, .depth = 2, .heads = 2}, kLatent, kActions);
  if (random_output) Awaken(*network, 0.2);  // the zero-initialised parts would hide every difference
  network->eval();
  return network;
}

Clip RandomClip(int64_t batch, int64_t frames, uint64_t seed) {
  Rng rng(seed);
  const at::Tensor x = NormalTensor({batch, frames, kLatent.channels, kLatent.height, kLatent.width}, rng);
  const at::Tensor action = (UniformTensor({batch, frames, 1}, rng) * 3).floor();
  return {x, {action, {}, {}}};
}

WindowReader whole(-1);

class Layout : public testing::TestWithParam<std::string> {};

TEST_P(Layout, AnswersZeroBeforeTraining) {
  const auto network = Network(GetParam(), false);
  const Clip clip = RandomClip(2, 5, 2);
  EXPECT_EQ(network->Forward(clip.latent, at::full({2, 5}, 0.5), clip.condition, whole).abs().max().item<double>(), 0);
}

TEST_P(Layout, LaterFramesAndActionsChangeNothingBefore) {
  const at::NoGradGuard guard;
  const auto network = Network(GetParam());
  Clip clip = RandomClip(2, 6, 2);
  const at::Tensor level = at::full({2, 6}, 0.5);
  const at::Tensor before = network->Forward(clip.latent, level, clip.condition, whole);
  Clip changed = RandomClip(2, 6, 2);
  changed.latent.narrow(1, 3, 3).add_(1);
  changed.condition.action.narrow(1, 3, 3).copy_(2 - changed.condition.action.narrow(1, 3, 3));
  at::Tensor other_level = level.clone();
  other_level.narrow(1, 3, 3).fill_(0.9);
  const at::Tensor after = network->Forward(changed.latent, other_level, changed.condition, whole);
  EXPECT_TRUE(at::equal(before.narrow(1, 0, 3), after.narrow(1, 0, 3)));
  for (int64_t t = 3; t < 6; ++t) EXPECT_FALSE(at::equal(before.select(1, t), after.select(1, t)));
}

TEST_P(Layout, GradientsFromTheFutureAreExactlyZero) {
  const auto network = Network(GetParam());
  Clip clip = RandomClip(1, 5, 2);
  clip.latent.requires_grad_(true);
  network->Forward(clip.latent, at::full({1, 5}, 0.5), clip.condition, whole).select(1, 2).square().sum().backward();
  EXPECT_EQ(clip.latent.grad().narrow(1, 3, 2).abs().max().item<double>(), 0);
  EXPECT_GT(clip.latent.grad().narrow(1, 0, 1).abs().max().item<double>(), 0);
}

// Commits frames one by one and asks for each what the parallel form answers at once.
TEST_P(Layout, StreamingEqualsParallel) {
  const at::NoGradGuard guard;
  for (const int64_t window : {8, 3}) {
    const auto network = Network(GetParam());
    const auto memory = MakeMemory(fmt::format("window({})", window), network->Geometry());
    const Clip clip = RandomClip(2, 7, 4);
    const at::Tensor level = at::full({2, 7}, 0.3);
    EXPECT_LT(StreamingDifference(*network, *memory, clip, level), 1e-4) << window;
  }
}

TEST_P(Layout, ARowDoesNotDependOnTheOthers) {
  const at::NoGradGuard guard;
  const auto network = Network(GetParam());
  const Clip clip = RandomClip(3, 5, 6);
  const at::Tensor level = at::full({3, 5}, 0.5);
  const at::Tensor all = network->Forward(clip.latent, level, clip.condition, whole);
  const FrameCondition one{clip.condition.action.narrow(0, 1, 1), {}, {}};
  const at::Tensor alone = network->Forward(clip.latent.narrow(0, 1, 1), level.narrow(0, 1, 1), one, whole);
  EXPECT_LT((all.narrow(0, 1, 1) - alone).abs().max().item<double>(), 1e-5);
}

TEST_P(Layout, HiddenActionsHaveNoInfluence) {
  const at::NoGradGuard guard;
  const auto network = Network(GetParam());
  Clip a = RandomClip(1, 4, 2), b = RandomClip(1, 4, 2);
  b.condition.action = 2 - b.condition.action;
  const at::Tensor level = at::full({1, 4}, 0.5);
  EXPECT_FALSE(at::equal(network->Forward(a.latent, level, a.condition, whole), network->Forward(b.latent, level, b.condition, whole)));
  a.condition.known = b.condition.known = at::zeros({1, 4}, at::kBool);
  const at::Tensor hidden = network->Forward(a.latent, level, a.condition, whole);
  EXPECT_TRUE(at::equal(hidden, network->Forward(b.latent, level, b.condition, whole)));
  EXPECT_TRUE(at::equal(hidden, network->Forward(a.latent, level, {}, whole)));
}

// The action moves a bright column: the next frame can be known only from frame and action.
TEST_P(Layout, LearnsWhatAnActionDoes) {
  const auto path = NoisePaths().Make("flow");
  const auto network = Network(GetParam(), false);
  network->train();
  DiffusionForcing objective({.action_drop = 0}, path);
  const auto world = [](int64_t batch, Rng& rng) {
    Clip clip{at::full({batch, 4, 3, 4, 4}, -0.5), {at::zeros({batch, 4, 1}), {}, {}}};
    for (int64_t b = 0; b < batch; ++b) {
      int64_t place = rng.Below(4);
      for (int64_t t = 0; t < 4; ++t) {
        const int64_t action = rng.Below(3);
        clip.condition.action[b][t][0] = static_cast<double>(action);
        if (t > 0) place = (place + action + 3) % 4;
        clip.latent[b][t].select(2, place).fill_(1.5);
      }
    }
    return clip;
  };
  torch::optim::AdamW optimiser(network->parameters(), torch::optim::AdamWOptions(3e-3));
  Rng rng(11);
  for (int step = 0; step < 700; ++step) {
    optimiser.zero_grad();
    objective.Loss(*network, *MakeMemory("dense()", network->Geometry()), world(16, rng), rng).backward();
    optimiser.step();
  }
  network->eval();
  const auto memory = MakeMemory("window(4)", network->Geometry());
  const Clip clip = world(32, rng);
  const at::Tensor noise = NormalTensor({32, 3, 4, 4}, rng);
  const NoiseSource source{[&] { return noise; }, {}};
  Executor executor(network, memory, path, {.steps = 4}, kAbleAll);
  Parts state = memory->Reset(32, at::kCPU, at::kFloat, 0);
  Flight flight;
  for (int64_t t = 0; t < 3; ++t)
    executor.Force(state, flight, {clip.condition.action.select(1, t), {}, {}}, clip.latent.select(1, t), source);
  const auto error = [&](const at::Tensor& action) {
    Parts after = state.Fork();
    Flight next = flight;
    const auto shown = executor.Next(
        after, next,
        [&](int64_t) {
          return StepCondition{action, {}, {}};
        },
        source);
    return (shown.latent - clip.latent.select(1, 3)).square().mean().item<double>();
  };
  const at::Tensor right = clip.condition.action.select(1, 3), wrong = (right + 1).remainder(3);
  EXPECT_LT(error(right), 0.25);
  EXPECT_GT(error(wrong), 2 * error(right));
}

INSTANTIATE_TEST_SUITE_P(Layouts, Layout, testing::Values("frame_causal", "axial"));

TEST(Transition, RefusesSizesThatDoNotFit) {
  EXPECT_THROW(Transition({.dim = 30, .heads = 4}, kLatent, kActions), Error);
  EXPECT_THROW(Transition({.dim = 32, .heads = 4, .patch = 3}, kLatent, kActions), Error);
  EXPECT_THROW(Transition({.layout = "diagonal"}, kLatent, kActions), Error);
}

TEST(Transition, PoseIsAskedForAndUsed) {
  const at::NoGradGuard guard;
  at::manual_seed(1);
  Transition network({.dim = 32, .depth = 1, .heads = 2, .pose = true}, kLatent, kActions);
  Awaken(network, 0.2);
  Clip clip = RandomClip(1, 2, 3);
  const at::Tensor level = at::full({1, 2}, 0.5);
  EXPECT_THROW(network.Forward(clip.latent, level, clip.condition, whole), Error);
  clip.condition.pose = at::zeros({1, 2, 3});
  const at::Tensor here = network.Forward(clip.latent, level, clip.condition, whole);
  clip.condition.pose = at::ones({1, 2, 3});
  EXPECT_FALSE(at::equal(here, network.Forward(clip.latent, level, clip.condition, whole)));
}

}  // namespace
}  // namespace orrery
