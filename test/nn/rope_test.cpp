// Rotary tables against their definitions.
#include "nn/rope.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "core/tensor_rng.h"
#include "nn/fused.h"

namespace orrery {
namespace {

at::Tensor Random(at::IntArrayRef sizes, uint64_t seed) {
  Rng rng(seed);
  return NormalTensor(sizes, rng);
}

at::Tensor Scores(const at::Tensor& q, const at::Tensor& k, const RopeTable& table) {
  return at::matmul(Rotate(q, table), Rotate(k, table).transpose(2, 3));
}

TEST(TimeRope, ScoresDependOnDifferencesOfTimeOnly) {
  const at::Tensor q = Random({1, 2, 6, 16}, 1), k = Random({1, 2, 6, 16}, 2), time = at::arange(6, at::kFloat);
  const at::Tensor here = Scores(q, k, MakeTimeRope(time, 16, 10000)), later = Scores(q, k, MakeTimeRope(time + 7, 16, 10000));
  EXPECT_LT((here - later).abs().max().item<double>(), 1e-5);
  EXPECT_GT((here - Scores(q, k, MakeTimeRope(time * 2, 16, 10000))).abs().max().item<double>(), 1e-2);
}

TEST(TimeRope, LastPairTurnsByBaseToTheMinusOnePlusOnePair) {
  const RopeTable table = MakeTimeRope(at::tensor({3.f}), 64, 10000);
  EXPECT_NEAR(table.cos[0][0].item<float>(), std::cos(3.0), 1e-6);
  EXPECT_NEAR(table.sin[0][31].item<float>(), std::sin(3 * std::pow(10000.0, -62.0 / 64)), 1e-9);
}

TEST(PixelRope, EveryAngleIsPositionTimesFrequency) {
  const int64_t rows = 3, columns = 5, n = 2;
  const RopeTable table = MakePixelRope(rows, columns, {.head_dim = 12, .frequencies = n, .highest = 7});
  ASSERT_EQ(table.cos.sizes(), (std::vector<int64_t>{rows * columns, 6}));
  const double frequency[] = {std::numbers::pi, 7 * std::numbers::pi};
  for (int64_t y = 0; y < rows; ++y)
    for (int64_t x = 0; x < columns; ++x)
      for (int64_t pair = 0; pair < 6; ++pair) {
        const double down = -1 + 2.0 * static_cast<double>(y) / (rows - 1), along = -1 + 2.0 * static_cast<double>(x) / (columns - 1);
        const double angle = pair < n ? down * frequency[pair] : pair < 2 * n ? along * frequency[pair - n] : 0;
        EXPECT_NEAR(table.cos[y * columns + x][pair].item<float>(), std::cos(angle), 1e-5);
        EXPECT_NEAR(table.sin[y * columns + x][pair].item<float>(), std::sin(angle), 1e-5);
      }
}

TEST(SplitHeads, WithoutWeightsNothingIsNormalised) {
  const int64_t B = 2, S = 4, H = 2, d = 8;
  const at::Tensor qkv = Random({B, S, 3 * H * d}, 3);
  const RopeTable rope = MakeTimeRope(at::arange(S, at::kFloat), d, 100);
  const QueryKeyValue h = SplitHeads(qkv, H, {}, {}, rope, true);
  const at::Tensor plain = qkv.view({B, S, 3, H, d}).permute({2, 0, 3, 1, 4});
  EXPECT_TRUE(at::allclose(h.q, ApplyRope(plain[0], rope), 1e-6, 1e-6));
  EXPECT_TRUE(at::allclose(h.k, ApplyRope(plain[1], rope), 1e-6, 1e-6));
  EXPECT_TRUE(at::equal(h.k_plain, plain[1]));
  EXPECT_TRUE(at::equal(h.v, plain[2]));
}

}  // namespace
}  // namespace orrery
