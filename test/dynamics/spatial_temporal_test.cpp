// The layout of other projects' networks: an MLP after each attention, modulation, rotation and levels of their own.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "awake.h"
#include "core/tensor_rng.h"
#include "dynamics/block.h"
#include "state/registry.h"
#include "streaming.h"

namespace orrery {
namespace {

const LatentShape kLatent{.channels = 3, .height = 4, .width = 6};
const ActionSpace kActions{0, 2, {}, {}, {}};
WindowReader past(-1);

TransitionOptions Foreign() {
  return {.layout = "spatial_temporal",
          .dim = 32,
          .depth = 2,
          .heads = 2,
          .own_modulation = true,
          .qk_norm = false,
          .plain_tokens = true,
          .rope = "pixel",
          .levels = 1000,
          .level_features = 64};
}

std::shared_ptr<Transition> Network(const TransitionOptions& options, bool awake = true) {
  at::manual_seed(1);
  auto network = std::make_shared<Transition>(options, kLatent, kActions);
  if (awake) Awaken(*network, 0.2);
  network->eval();
  return network;
}

Clip RandomClip(int64_t batch, int64_t frames, uint64_t seed) {
  Rng rng(seed);
  const at::Tensor x = NormalTensor({batch, frames, kLatent.channels, kLatent.height, kLatent.width}, rng);
  return {x, {NormalTensor({batch, frames, 2}, rng), {}, {}, {}}};
}

TEST(SpatialTemporal, AnswersZeroBeforeTraining) {
  const Clip clip = RandomClip(2, 4, 2);
  const at::Tensor out = Network(Foreign(), false)->Forward(clip.latent, at::full({2, 4}, 0.5), clip.condition, past);
  EXPECT_EQ(out.abs().max().item<double>(), 0);
}

TEST(SpatialTemporal, StreamingEqualsParallelUnderEveryOption) {
  const at::NoGradGuard guard;
  std::vector<TransitionOptions> variants{Foreign()};
  variants.push_back({.layout = "spatial_temporal", .dim = 32, .depth = 2, .heads = 2});
  variants.push_back({.layout = "axial", .dim = 32, .depth = 2, .heads = 2, .rope = "pixel"});
  variants.push_back({.dim = 32, .depth = 2, .heads = 2, .own_modulation = true, .qk_norm = false, .plain_tokens = true});
  const Clip clip = RandomClip(2, 7, 4);
  for (const TransitionOptions& options : variants)
    for (const int64_t window : {8, 3}) {
      const auto network = Network(options);
      const auto memory = MakeMemory(fmt::format("window({})", window), network->Geometry());
      EXPECT_LT(StreamingDifference(*network, *memory, clip, at::full({2, 7}, 0.3)), 1e-4) << Json(options).dump() << " " << window;
    }
}

// Context tokens pass through the blocks beside the frame's own: they too are modulated block by block.
TEST(SpatialTemporal, OwnModulationServesContextTokens) {
  const at::NoGradGuard guard;
  const auto network = Network({.dim = 32, .depth = 2, .heads = 2, .own_modulation = true, .plain_tokens = true});
  const auto memory = MakeMemory("window(2) + framepack(groups=\"2x1x1\", tail=false)", network->Geometry());
  const Clip clip = RandomClip(1, 6, 5);
  EXPECT_LT(StreamingDifference(*network, *memory, clip, at::full({1, 6}, 0.3)), 1e-4);
}

TEST(SpatialTemporal, TheFutureChangesNothing) {
  const at::NoGradGuard guard;
  const auto network = Network(Foreign());
  const Clip clip = RandomClip(1, 6, 2);
  Clip other{clip.latent.clone(), {clip.condition.action.clone(), {}, {}, {}}};
  other.latent.narrow(1, 3, 3).add_(1);
  other.condition.action.narrow(1, 3, 3).add_(1);
  const at::Tensor level = at::full({1, 6}, 0.5), before = network->Forward(clip.latent, level, clip.condition, past);
  const at::Tensor after = network->Forward(other.latent, level, other.condition, past);
  EXPECT_TRUE(at::equal(before.narrow(1, 0, 3), after.narrow(1, 0, 3)));
  EXPECT_FALSE(at::equal(before.select(1, 3), after.select(1, 3)));
}

// What an independent count of the layers gives, and that each part hears what it should.
TEST(SpatialTemporal, HasTheTensorsOfItsDefinition) {
  const int64_t D = 32, token = 12, N = 6;
  int64_t count = 0;
  for (const at::Tensor& p : Network(Foreign())->parameters()) count += p.numel();
  const int64_t attention = 3 * D * D + D * D + D, mlp = 8 * D * D + 5 * D, modulation = 12 * (D * D + D);
  const int64_t ends = token * D + D + 64 * D + D + D * D + D + 2 * D + D + 2 * (D * D + D) + D * token + token;
  EXPECT_EQ(count, 2 * (2 * attention + 2 * mlp + modulation) + ends);
  EXPECT_EQ(Network(Foreign())->Tokens(), N);
}

TEST(SpatialTemporal, LevelsAreTheNearestIndex) {
  const at::NoGradGuard guard;
  const auto network = Network(Foreign());
  const Clip clip = RandomClip(1, 1, 3);
  const auto answer = [&](double u) { return network->Forward(clip.latent, at::full({1, 1}, u), clip.condition, past); };
  EXPECT_TRUE(at::equal(answer(0.5), answer(0.5003)));
  EXPECT_FALSE(at::equal(answer(0.5), answer(0.501)));
}

TEST(SpatialTemporal, RefusesWhatDoesNotFit) {
  EXPECT_THROW(Network({.dim = 32, .heads = 2, .rope = "pixel"}), Error);
  EXPECT_THROW(Network({.dim = 32, .heads = 2, .rope = "spiral"}), Error);
  EXPECT_THROW(Network({.dim = 32, .heads = 2, .level_features = 3}), Error);
}

}  // namespace
}  // namespace orrery
