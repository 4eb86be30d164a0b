// Distances of sets have their closed forms, and intervals hold the truth. Agreement with other libraries: python/test_eval_parity.py.
#include "eval/quality/distances.h"

#include <gtest/gtest.h>

#include <cmath>

#include "../core/error_of.h"
#include "core/tensor_rng.h"
#include "coverage.h"
#include "eval/quality/feature_sets.h"

namespace orrery {
namespace {

at::Tensor Normal(int64_t rows, int64_t width, Rng& rng) { return NormalTensor({rows, width}, rng).to(at::kDouble); }

// Rows whose mean is exactly 0 and whose unbiased covariance is exactly the identity.
at::Tensor White(int64_t rows, int64_t width, uint64_t seed) {
  Rng rng(seed);
  const at::Tensor x = Normal(rows, width, rng), centred = x - x.mean(0);
  const at::Tensor factor = at::linalg_cholesky(at::matmul(centred.t(), centred) / static_cast<double>(rows - 1));
  return at::matmul(centred, at::inverse(factor).t());
}

TEST(FrechetDistance, OfAShiftIsItsSquare) {
  Rng rng(1);
  const at::Tensor x = Normal(300, 6, rng), shift = at::tensor({1.0, -2.0, 0.5, 0.0, 3.0, 0.25}, at::kDouble);
  EXPECT_NEAR(Frechet(x, x + shift), 14.3125, 1e-9);
  EXPECT_NEAR(Frechet(x, x), 0, 1e-9);
  const at::Tensor shuffled = x.index_select(0, at::tensor(Permutation(300, rng), at::kLong));
  EXPECT_NEAR(Frechet(x, shuffled), 0, 1e-9);  // it cannot see order
}

TEST(FrechetDistance, OfIsotropicSetsIsTheDifferenceOfTheirScales) {
  EXPECT_NEAR(Frechet(1.5 * White(400, 8, 1), 0.25 * White(100, 8, 2)), 8 * 1.25 * 1.25, 1e-9);
}

TEST(FrechetDistance, OfPlaneSetsThatDoNotCommute) {
  // Of a 2x2 product M = S1 S2, tr M^{1/2} = (tr M + 2 det(M)^{1/2})^{1/2}.
  const at::Tensor a = at::tensor({2.0, 0.3, 0.0, 0.5}, at::kDouble).view({2, 2}),
                   b = at::tensor({0.4, 0.0, -1.1, 1.7}, at::kDouble).view({2, 2});
  const at::Tensor s1 = at::matmul(a.t(), a), s2 = at::matmul(b.t(), b), m = at::matmul(s1, s2);
  const double root = std::sqrt(m.trace().item<double>() + 2 * std::sqrt(at::linalg_det(m).item<double>()));
  EXPECT_NEAR(Frechet(at::matmul(White(50, 2, 3), a), at::matmul(White(70, 2, 4), b)), (s1.trace() + s2.trace()).item<double>() - 2 * root,
              1e-9);
}

TEST(FrechetDistance, RefusesWhatItCannotTell) {
  Rng rng(1);
  EXPECT_NE(ErrorOf([&] { Frechet(Normal(64, 64, rng), Normal(200, 64, rng)); }).find("got 64 rows of 64"), std::string::npos);
  EXPECT_THROW(Frechet(Normal(9, 3, rng), Normal(9, 4, rng)), Error);
  EXPECT_THROW(Frechet(Normal(9, 3, rng), at::full({9, 3}, std::nan(""), at::kDouble)), Error);
}

TEST(FrechetDistance, ExtrapolatedIsLessBiased) {
  const int64_t d = 8;
  const double truth = d * 0.2 * 0.2;
  double plain = 0, limit = 0, slope = 0;
  for (uint64_t seed = 0; seed < 12; ++seed) {
    Rng rng(seed, "limit");
    const at::Tensor real = Normal(20000, d, rng), fake = 1.2 * Normal(400, d, rng);
    const FrechetLimit found = ExtrapolateFrechet(real, {fake, {}}, {.seed = seed});
    EXPECT_EQ(found.rows.size(), 15u);
    EXPECT_EQ(found.rows.front(), 80);
    EXPECT_EQ(found.rows.back(), 400);
    EXPECT_NEAR(found.distances.back(), Frechet(real, fake), 1e-9);
    plain += found.distances.back() / 12;
    limit += found.value / 12;
    slope += found.slope / 12;
  }
  EXPECT_GT(slope, 0);
  EXPECT_GT(plain - truth, 0.04);
  EXPECT_LT(std::abs(limit - truth), (plain - truth) / 3);
  Rng rng(1);
  EXPECT_THROW(ExtrapolateFrechet(Normal(100, d, rng), {Normal(80, d, rng), {}}), Error);
}

TEST(Mmd, AgreesWithHand) {
  const at::Tensor x = at::tensor({0.0, 1.0}, at::kDouble).view({2, 1}), y = at::tensor({1.0, 2.0}, at::kDouble).view({2, 1});
  EXPECT_NEAR(Kid(x, y), 1 + 27 - 2 * 9.25, 1e-12);
  EXPECT_NEAR(PolynomialMmd(x, y, kKidKernel, MmdForm::kBiased), 2.75 + 46.75 - 2 * 9.25, 1e-12);
}

TEST(Mmd, OfJediHasItsPublishedValue) {
  const at::Tensor x = at::arange(1, 10, at::kDouble).view({3, 3});
  const at::Tensor y = at::tensor({7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 1.0, 8.0, 0.0, 2.0, 5.0}, at::kDouble).view({4, 3});
  EXPECT_NEAR(PolynomialMmd(x, y, {2, 1.0 / 3, 0}, MmdForm::kBiased), 270.72222, 1e-5);
  EXPECT_NEAR(Jedi(x, y).biased, 27072.222, 1e-3);
  EXPECT_NEAR(Jedi(x, y).unbiased, -12257.407, 1e-3);
}

TEST(Mmd, OfOneDistributionIsZeroOnAverageAndNotClipped) {
  double sum = 0, squares = 0;
  int negative = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Rng rng(seed, "null");
    const double kid = Kid(Normal(40, 4, rng), Normal(60, 4, rng));
    sum += kid;
    squares += kid * kid;
    negative += kid < 0;
  }
  EXPECT_LT(std::abs(sum / 200), 3 * std::sqrt(squares) / 200);
  EXPECT_GT(negative, 40);
}

TEST(Mmd, OverSubsets) {
  Rng rng(2);
  const at::Tensor x = Normal(300, 4, rng), y = 0.5 + Normal(300, 4, rng);
  const SubsetScore whole = KidOverSubsets(x, y, {.subsets = 3, .size = 300});
  EXPECT_NEAR(whole.mean, Kid(x, y), 1e-10);
  EXPECT_NEAR(*whole.deviation, 0, 1e-10);
  EXPECT_FALSE(KidOverSubsets(x, y, {.subsets = 1, .size = 300}).deviation);
  EXPECT_NEAR(KidOverSubsets(x, y, {.subsets = 200, .size = 100}).mean, Kid(x, y), 0.1);
  EXPECT_THROW(KidOverSubsets(x, y), Error);
  // The same subset picked by weights and by rows.
  const at::Tensor weights = SubsetWeights(300, 100, 1, rng), picked = x.index_select(0, weights[0].nonzero().squeeze(1));
  EXPECT_EQ(picked.size(0), 100);
  EXPECT_NEAR(SubsetMmd(x, y, weights, at::ones({1, 300}, at::kDouble), kKidKernel, MmdForm::kUnbiased).item<double>(), Kid(picked, y),
              1e-10);
}

TEST(InceptionScores, HaveTheirEnds) {
  const at::Tensor certain = at::eye(7, at::kDouble).repeat({10, 1}), constant = at::full({40, 5}, 0.2, at::kDouble);
  const SubsetScore one = InceptionScore(certain, {.splits = 1});
  EXPECT_NEAR(one.mean, 7, 1e-9);
  EXPECT_FALSE(one.deviation);
  const SubsetScore ten = InceptionScore(certain, {.splits = 10, .shuffle = false});
  EXPECT_NEAR(ten.mean, 7, 1e-9);
  EXPECT_NEAR(*ten.deviation, 0, 1e-9);
  EXPECT_LT(InceptionScore(certain).mean, 7);  // its bias: splits of 7 random rows lack classes
  EXPECT_NEAR(InceptionScore(constant).mean, 1, 1e-12);
  EXPECT_THROW(InceptionScore(2 * constant), Error);
  EXPECT_THROW(InceptionScore(constant.narrow(0, 0, 9)), Error);
}

TEST(PrecisionAndRecall, AgreeWithHand) {
  const auto line = [](std::vector<double> x) { return at::tensor(x, at::kDouble).unsqueeze(1); };
  const PrecisionRecall found = ManifoldPrecisionRecall(line({0, 1, 2, 3}), line({0.5, 1.5, 10, 11}), 1);
  EXPECT_EQ(found.precision, 0.5);
  EXPECT_EQ(found.recall, 0.75);
}

TEST(PrecisionAndRecall, TellFidelityFromCoverage) {
  Rng rng(5);
  const at::Tensor real = Normal(1500, 3, rng);
  const PrecisionRecall same = ManifoldPrecisionRecall(real, real), narrow = ManifoldPrecisionRecall(real, 0.1 * Normal(1500, 3, rng)),
                        far = ManifoldPrecisionRecall(real, 100 + Normal(1500, 3, rng));
  EXPECT_EQ(same.precision, 1);
  EXPECT_EQ(same.recall, 1);
  EXPECT_GT(narrow.precision, 0.75);
  EXPECT_LT(narrow.recall, 0.1);
  EXPECT_EQ(far.precision, 0);
  EXPECT_EQ(far.recall, 0);
  EXPECT_THROW(ManifoldPrecisionRecall(real, real.narrow(0, 0, 3)), Error);
}

TEST(SetIntervals, OfFrechetDistancesHoldTheValueOfEndlessSets) {
  const auto draw = [](Rng& rng) {
    const at::Tensor a = Normal(200, 4, rng), b = 0.4 + 1.3 * Normal(200, 4, rng);
    return FrechetInterval({a, {}}, {b, {}}, {.resamples = 150});
  };
  EXPECT_NEAR(Coverage(100, 4 * (0.4 * 0.4 + 0.3 * 0.3), draw), 0.95, 0.05);
}

TEST(SetIntervals, OfFrechetDistancesAreFreeOfBias) {
  // Two sets of one distribution: the distance is bias alone.
  const auto covers = [](Target target) {
    return Coverage(40, 0, [=](Rng& rng) {
      const at::Tensor a = Normal(100, 12, rng), b = Normal(100, 12, rng);
      return FrechetInterval({a, {}}, {b, {}}, {.target = target, .resamples = 100});
    });
  };
  EXPECT_GT(covers(Target::kEndless), 0.85);
  EXPECT_LT(covers(Target::kThisSize), 0.05);
}

TEST(SetIntervals, OfMmdHoldTheTruth) {
  // E (x y + 1)^3 of independent x, y is the sum of binomial(3, j) E x^j E y^j; moments of N(m, s^2) to the third.
  const auto kernel = [](double m, double s, double n, double t) {
    return 1 + 3 * m * n + 3 * (m * m + s * s) * (n * n + t * t) + (m * m * m + 3 * m * s * s) * (n * n * n + 3 * n * t * t);
  };
  const double truth = kernel(0, 0.5, 0, 0.5) + kernel(0.3, 0.6, 0.3, 0.6) - 2 * kernel(0, 0.5, 0.3, 0.6);
  for (const MmdForm form : {MmdForm::kUnbiased, MmdForm::kBiased}) {
    const auto draw = [=](Rng& rng) {
      const at::Tensor a = 0.5 * Normal(150, 1, rng), b = 0.3 + 0.6 * Normal(150, 1, rng);
      return MmdInterval({a, {}}, {b, {}}, kKidKernel, form, {.resamples = 200});
    };
    EXPECT_NEAR(Coverage(200, truth, draw), 0.95, 0.04);
  }
}

TEST(SetIntervals, ResampleVideosNotFrames) {
  Rng rng(6);
  std::vector<int64_t> video;
  at::Tensor a = Normal(30, 2, rng).repeat_interleave(8, 0), b = 0.5 + Normal(30, 2, rng).repeat_interleave(8, 0);
  for (int64_t i = 0; i < 240; ++i) video.push_back(i / 8);
  a = a + 0.05 * Normal(240, 2, rng);
  b = b + 0.05 * Normal(240, 2, rng);
  const auto width = [](const Interval& i) { return i.high - i.low; };
  const SetIntervalOptions options{.resamples = 300};
  const double by_video = width(FrechetInterval({a, video}, {b, video}, options)),
               by_frame = width(FrechetInterval({a, {}}, {b, {}}, options));
  EXPECT_GT(by_video, 2 * by_frame);
  const double mmd_by_video = width(MmdInterval({a, video}, {b, video}, kKidKernel, MmdForm::kBiased, options));
  EXPECT_GT(mmd_by_video, 2 * width(MmdInterval({a, {}}, {b, {}}, kKidKernel, MmdForm::kBiased, options)));
  // The general way and the one by products see the same halves.
  const Interval general = SetInterval(
      {a, video}, {b, video}, [](const at::Tensor& x, const at::Tensor& y) { return Kid(x, y); }, options);
  const Interval products = MmdInterval({a, video}, {b, video}, kKidKernel, MmdForm::kUnbiased, options);
  EXPECT_NEAR(general.low, products.low, 1e-9);
  EXPECT_NEAR(general.high, products.high, 1e-9);
  EXPECT_THROW(FrechetInterval({a.narrow(0, 0, 72), {video.begin(), video.begin() + 72}}, {b, video}), Error);
  EXPECT_THROW(FrechetInterval({a, {1, 2}}, {b, video}), Error);
}

}  // namespace
}  // namespace orrery
