// FramePack: how many tokens, what its larger kernels begin as, and what it equals with a single group.
#include "state/implicit/compression/framepack.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/tensor_rng.h"

namespace orrery {
namespace {

const MemoryGeometry kGeometry{.layers = 1, .heads = 2, .head_dim = 8, .rows = 4, .columns = 4, .channels = 3, .patch = 2};

at::Tensor Latent(int64_t t) {
  Rng rng(DeriveSeed(1, static_cast<uint64_t>(t)));
  return NormalTensor({1, 3, 8, 8}, rng);
}

void Commit(const FramePackMemory& memory, Parts& state, int64_t t) {
  memory.Commit(state, {{t, {}, {}}, {}}, {{t, {}, {}}, Latent(t), {}});
}

TokenEmbedding Embedding() {
  Rng rng(2);
  return {NormalTensor({16, 12}, rng), NormalTensor({16}, rng), NormalTensor({16, 16}, rng)};
}

// The network's tokens of a latent, by a convolution: [N, D] without their places.
at::Tensor Patches(const at::Tensor& latent, const TokenEmbedding& e) {
  return at::conv2d(latent, e.weight.view({16, 3, 2, 2}), e.bias, 2).flatten(2).transpose(1, 2)[0];
}

// Tokens by age, counted one frame at a time from the groups' words.
TEST(FramePack, HasTheTokensOfItsGroupsAndNeverMore) {
  const FramePackMemory memory("1x1x1,2x1x2,4x2x2,8x4x4", true, kGeometry);
  Parts state = memory.Reset(1, at::kCPU, at::kFloat, 0);
  // A packed token needs all of its frames: 16 a frame, 4 a frame, 4 every 2 frames, 1 every 4; then the tail.
  const std::vector<int64_t> gained{16, 4, 4, 0, 4, 0, 4, 0, 0, 0, 1, 0, 0, 0, 1, 1};
  int64_t tokens = 0;
  for (int64_t t = 0; t <= 1000; ++t) {
    ASSERT_EQ(memory.Tokens(t), tokens) << "after " << t << " frames";
    if (t == 3 || t == 15 || t == 16 || t == 1000) {
      const at::NoGradGuard guard;
      const InputContext input = memory.Input(state, {{t, {}, {}}, {}});
      EXPECT_EQ(input.bias.gt(kAbsent / 2).sum().item<int64_t>(), tokens);
      EXPECT_EQ(input.tokens.size(1), 35);
      EXPECT_EQ(memory.Audit(state, {})["tokens"].get<int64_t>(), tokens);
    }
    if (t < static_cast<int64_t>(gained.size())) tokens += gained[static_cast<size_t>(t)];
    Commit(memory, state, t);
  }
  EXPECT_EQ(tokens, 35);
}

TEST(FramePack, LargeKernelsBeginAsTheMeanOfSmallOnes) {
  const at::NoGradGuard guard;
  FramePackMemory memory("1x1x1,2x1x2,2x2x4", true, kGeometry);
  const TokenEmbedding e = Embedding();
  memory.AdoptEmbedding(e);
  Parts state = memory.Reset(1, at::kCPU, at::kFloat, 0);
  for (int64_t t = 0; t < 9; ++t) Commit(memory, state, t);
  const at::Tensor tokens = memory.Input(state, {{9, {}, {}}, {}}).tokens[0];
  ASSERT_EQ(tokens.size(0), 16 + 2 * 4 + 1 + 1);
  const auto pooled = [&](const at::Tensor& patches, int64_t p) {
    return at::avg_pool2d((patches + e.place).t().view({1, 16, 4, 4}), p).flatten(2)[0].t();
  };
  const auto differs = [&](int64_t first, const at::Tensor& expected) {
    return (tokens.narrow(0, first, expected.size(0)) - expected).abs().max().item<double>();
  };
  EXPECT_LT(differs(0, Patches(Latent(8), e) + e.place), 1e-5);
  EXPECT_LT(differs(16, pooled(Patches(Latent(7), e), 2)), 1e-5);
  EXPECT_LT(differs(20, pooled(Patches(Latent(6), e), 2)), 1e-5);
  EXPECT_LT(differs(24, pooled(Patches((Latent(5) + Latent(4)) / 2, e), 4)), 1e-5);
  // The tail: four older frames in one token.
  EXPECT_LT(differs(25, pooled(Patches((Latent(0) + Latent(1) + Latent(2) + Latent(3)) / 4, e), 4)), 1e-5);
  EXPECT_GT(differs(16, pooled(Patches(Latent(6), e), 2)), 0.1);
}

// G9: one group of whole frames is a window whose frames are embedded and run again for every frame.
TEST(FramePack, OfOneGroupIsAWindowRunAgain) {
  const at::NoGradGuard guard;
  FramePackMemory memory("4x1x1", false, kGeometry);
  const TokenEmbedding e = Embedding();
  memory.AdoptEmbedding(e);
  Parts state = memory.Reset(1, at::kCPU, at::kFloat, 0);
  for (int64_t t = 0; t < 11; ++t) {
    Commit(memory, state, t);
    const InputContext input = memory.Input(state, {{t + 1, {}, {}}, {}});
    for (int64_t age = 1; age <= 4; ++age) {
      const at::Tensor tokens = input.tokens[0].narrow(0, (age - 1) * 16, 16), coord = input.coord.narrow(0, (age - 1) * 16, 16);
      const bool there = age <= t + 1;
      EXPECT_TRUE(input.bias[0].narrow(0, (age - 1) * 16, 16).gt(kAbsent / 2).eq(there).all().item<bool>());
      if (!there) continue;
      EXPECT_LT((tokens - Patches(Latent(t + 1 - age), e) - e.place).abs().max().item<double>(), 1e-5);
      EXPECT_TRUE(at::equal(coord, GridCoordinates(1, 4, 4, -static_cast<double>(age))));
    }
  }
}

TEST(FramePack, LeavesOutWhatAWindowHolds) {
  MemoryGeometry geometry = kGeometry;
  geometry.recent = 3;
  const FramePackMemory memory("1x1x1,2x1x2", true, geometry);
  EXPECT_EQ(memory.Tokens(3), 0);
  EXPECT_EQ(memory.Tokens(4), 16);
  EXPECT_EQ(memory.Tokens(6), 16 + 2 * 4);
  EXPECT_EQ(memory.Tokens(7), 16 + 2 * 4 + 1);
}

}  // namespace
}  // namespace orrery
