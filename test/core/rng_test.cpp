#include "core/rng.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace orrery {
namespace {

// Known answers of Random123's own test file for philox4x32-10.
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(Philox4x32({0, 0, 0, 0}, {0, 0}), (std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(Philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (std::array<uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (std::array<uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Rng, ASavedStateGoesOnWhereItWas) {
  Rng a(5, "noise");
  for (int i = 0; i < 7; ++i) a.U32();
  const Rng::State state = a.GetState();
  std::vector<double> expected;
  for (int i = 0; i < 9; ++i) expected.push_back(a.Normal());
  Rng b;
  b.SetState(state);
  for (const double x : expected) EXPECT_EQ(b.Normal(), x);
}

TEST(Rng, PurposesAndSeedsAreApart) {
  EXPECT_NE(Rng(1, "a").U64(), Rng(1, "b").U64());
  EXPECT_NE(Rng(1, "a").U64(), Rng(2, "a").U64());
  EXPECT_NE(DeriveSeed(3, uint64_t{0}), DeriveSeed(3, uint64_t{1}));
}

TEST(Rng, MomentsOfUniformAndNormal) {
  Rng rng(1);
  const int n = 200000;
  double u = 0, u2 = 0, z = 0, z2 = 0, z4 = 0;
  for (int i = 0; i < n; ++i) {
    const double x = rng.Uniform(), y = rng.Normal();
    u += x, u2 += x * x, z += y, z2 += y * y, z4 += y * y * y * y;
  }
  EXPECT_NEAR(u / n, 0.5, 0.003);
  EXPECT_NEAR(u2 / n, 1.0 / 3, 0.003);
  EXPECT_NEAR(z / n, 0, 0.01);
  EXPECT_NEAR(z2 / n, 1, 0.02);
  EXPECT_NEAR(z4 / n, 3, 0.12);
}

TEST(Rng, BelowIsUniform) {
  Rng rng(2);
  std::vector<int> count(7);
  for (int i = 0; i < 70000; ++i) ++count[rng.Below(7)];
  double chi2 = 0;
  for (const int c : count) chi2 += (c - 10000.0) * (c - 10000.0) / 10000;
  EXPECT_LT(chi2, 22.5);  // 99.9 % of chi-square with 6 degrees
}

}  // namespace
}  // namespace orrery
