#include "codec/codec.h"

#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "codec/registry.h"
#include "codec/vae.h"
#include "core/tensor_rng.h"

namespace orrery {
namespace {

TEST(Bytes, RoundTripOfEveryValue) {
  const at::Tensor bytes = at::arange(2 * 16 * 8 * 3).remainder(256).to(at::kByte).view({2, 16, 8, 3});
  const at::Tensor frames = BytesToFrames(bytes);
  EXPECT_EQ(frames.sizes(), (std::vector<int64_t>{2, 3, 16, 8}));
  EXPECT_FLOAT_EQ(frames[1][2][3][4].item<float>(), bytes[1][3][4][2].item<uint8_t>() / 255.f);
  EXPECT_TRUE(at::equal(FramesToBytes(frames), bytes));
}

TEST(Bytes, RoundsHalfUpAndClamps) {
  const at::Tensor frames = at::tensor({-1.f, 0.49f / 255, 0.5f / 255, 254.5f / 255, 1.f, 7.f}).view({1, 1, 6}).expand({3, 1, 6});
  const at::Tensor expected = at::tensor({0, 0, 1, 255, 255, 255}, at::kByte).view({1, 6, 1}).expand({1, 6, 3});
  EXPECT_TRUE(at::equal(FramesToBytes(frames), expected));
}

TEST(Bytes, RefusesOtherLayouts) {
  EXPECT_THROW(BytesToFrames(at::zeros({4, 4, 3})), Error);
  EXPECT_THROW(BytesToFrames(at::zeros({3, 4, 4}, at::kByte)), Error);
  EXPECT_THROW(FramesToBytes(at::zeros({4, 4, 3})), Error);
}

TEST(PeakSignalToNoise, IsTwentyDecibelsForATenth) {
  const at::Tensor truth = at::full({2, 3, 4, 4}, 0.5);
  EXPECT_TRUE(at::allclose(PeakSignalToNoise(truth + 0.1, truth), at::full({2}, 20.0)));
}

// Every registered codec, at a small frame that is not square.
class EveryCodec : public testing::TestWithParam<std::string> {
 protected:
  std::shared_ptr<Codec> Make(uint64_t seed = 1) const { return MakeCodec(GetParam(), 32, 48, seed); }
};

TEST_P(EveryCodec, KeepsItsShapes) {
  const auto codec = Make();
  Rng rng(2);
  const at::Tensor frames = UniformTensor({3, 3, 32, 48}, rng);
  const LatentShape shape = codec->Latent();
  const at::Tensor latents = codec->Encode(frames);
  EXPECT_EQ(latents.sizes(), (std::vector<int64_t>{3, shape.channels, shape.height, shape.width}));
  const at::Tensor decoded = codec->Decode(latents);
  EXPECT_EQ(decoded.sizes(), frames.sizes());
  EXPECT_EQ(decoded.scalar_type(), at::kFloat);
  EXPECT_GE(decoded.min().item<float>(), 0);
  EXPECT_LE(decoded.max().item<float>(), 1);
  EXPECT_THROW(codec->Encode(at::zeros({1, 3, 48, 32})), Error);
  EXPECT_THROW(codec->Decode(at::zeros({1, shape.channels + 1, shape.height, shape.width})), Error);
}

TEST_P(EveryCodec, IsDeterministicAndTreatsSamplesAlone) {
  const auto codec = Make();
  Rng rng(3);
  const at::Tensor frames = UniformTensor({4, 3, 32, 48}, rng);
  const at::Tensor latents = codec->Encode(frames);
  EXPECT_TRUE(at::equal(latents, codec->Encode(frames)));
  EXPECT_TRUE(at::allclose(latents.slice(0, 2, 3), codec->Encode(frames.slice(0, 2, 3)), 1e-4, 1e-4));
  EXPECT_TRUE(at::allclose(codec->Decode(latents).slice(0, 1, 2), codec->Decode(latents.slice(0, 1, 2)), 1e-4, 1e-4));
}

TEST_P(EveryCodec, NormalisesByItsStatistics) {
  const auto codec = Make();
  Rng rng(4);
  const at::Tensor frames = UniformTensor({2, 3, 32, 48}, rng);
  const at::Tensor raw = codec->EncodeRaw(frames).mean, decoded = codec->DecodeRaw(raw).clamp(0, 1);
  const at::Tensor mean = UniformTensor({codec->Latent().channels}, rng), std = UniformTensor({codec->Latent().channels}, rng) + 0.5;
  codec->SetLatentStatistics(mean, std);
  const at::Tensor expected = (raw - mean.view({-1, 1, 1})) / std.view({-1, 1, 1});
  EXPECT_TRUE(at::allclose(codec->Encode(frames), expected, 1e-5, 1e-5));
  EXPECT_TRUE(at::allclose(codec->Decode(expected), decoded, 1e-4, 1e-4));
}

TEST_P(EveryCodec, IsBuiltAgainFromItsSpec) {
  const auto codec = Make();
  const auto again = Codecs().Make(codec->Spec(), 1);
  EXPECT_EQ(again->Spec(), codec->Spec());
  EXPECT_EQ(again->Latent(), codec->Latent());
  EXPECT_EQ(again->FrameHeight(), 32);
  EXPECT_EQ(again->FrameWidth(), 48);
  const auto mine = codec->named_parameters(), other = again->named_parameters();
  ASSERT_EQ(mine.size(), other.size());
  for (const auto& item : mine) EXPECT_TRUE(at::equal(item.value(), other[item.key()])) << item.key();
}

TEST_P(EveryCodec, LeavesTheCommonGeneratorAlone) {
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  const at::Tensor before = generator.get_state();
  Make();
  EXPECT_TRUE(at::equal(before, generator.get_state()));
}

INSTANTIATE_TEST_SUITE_P(Registered, EveryCodec, testing::ValuesIn(Codecs().Names()));

TEST(MakeCodec, FillsInTheFrameSizeOrRefuses) {
  EXPECT_EQ(MakeCodec("vae(features=8)", 48, 32, 0)->FrameHeight(), 48);
  EXPECT_EQ(MakeCodec("vae(features=8, height=48)", 48, 32, 0)->FrameWidth(), 32);
  EXPECT_THROW(MakeCodec("vae(height=40)", 48, 32, 0), Error);
  EXPECT_THROW(MakeCodec("vae", 60, 64, 0), Error);
  EXPECT_THROW(MakeCodec("vae + identity", 64, 64, 0), Error);
  EXPECT_THROW(MakeCodec("vqvae", 64, 64, 0), Error);
  EXPECT_THROW(MakeCodec("vae(down=4)", 64, 64, 0), Error);
  EXPECT_THROW(MakeCodec("identity(patch=7)", 64, 64, 0), Error);
}

TEST(Identity, LosesNothing) {
  const auto codec = MakeCodec("identity(patch=4)", 16, 24, 0);
  EXPECT_EQ(codec->Latent(), (LatentShape{48, 4, 6}));
  Rng rng(5);
  codec->SetLatentStatistics(UniformTensor({48}, rng), UniformTensor({48}, rng) * 0.3);
  const at::Tensor bytes = UniformTensor({20, 16, 24, 3}, rng).mul(255.99).to(at::kByte);
  EXPECT_TRUE(at::equal(FramesToBytes(codec->Decode(codec->Encode(BytesToFrames(bytes)))), bytes));
}

TEST(Identity, ConstantChannelsStayFinite) {
  const auto codec = MakeCodec("identity", 8, 8, 0);
  codec->SetLatentStatistics(at::zeros({192}), at::zeros({192}));
  EXPECT_TRUE(codec->Encode(at::ones({1, 3, 8, 8})).isfinite().all().item<bool>());
}

TEST(Vae, HalvesOnceMoreAtSixteen) {
  const Vae vae({.down = 16, .latent = 12, .features = 8, .height = 64, .width = 96}, 0);
  EXPECT_EQ(vae.Latent(), (LatentShape{12, 4, 6}));
}

TEST(Vae, SeesFurtherThanItsCell) {
  Vae vae({.features = 8, .height = 64, .width = 64}, 0);
  Rng rng(6);
  const at::Tensor frame = UniformTensor({1, 3, 64, 64}, rng), other = frame.clone();
  other[0][0][32][32] += 0.5;
  const at::Tensor change = (vae.Encode(other) - vae.Encode(frame)).abs().amax({0, 1});
  EXPECT_GT(change[4][4].item<float>(), 0);
  EXPECT_GT(change[4][3].item<float>(), 0);
}

TEST(Vae, SeedsDecideTheWeights) {
  const VaeOptions small{.features = 8};
  const Vae a(small, 1), b(small, 1), c(small, 2);
  EXPECT_TRUE(at::equal(a.parameters()[0], b.parameters()[0]));
  EXPECT_FALSE(at::equal(a.parameters()[0], c.parameters()[0]));
}

}  // namespace
}  // namespace orrery
