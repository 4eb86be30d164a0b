// Intervals cover what they say they cover, on distributions whose truth is known; tests agree with published values.
#include "eval/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "coverage.h"

namespace orrery {
namespace {

TEST(Intervals, OfClusteredMeansCoverTheTruth) {
  // 60 scenarios, 4 samples each that share their scenario's own shift: resampling single values would be far too sure.
  const auto draw = [](Rng& rng) {
    Clusters clusters(60);
    for (auto& cluster : clusters) {
      const double shift = 2 * rng.Normal();
      for (int i = 0; i < 4; ++i) cluster.push_back(5 + shift + 0.5 * rng.Normal());
    }
    return clusters;
  };
  EXPECT_NEAR(Coverage(400, 5, [&](Rng& rng) { return ClusterMeanInterval(draw(rng)); }), 0.95, 0.03);
  const auto naive = [&](Rng& rng) {
    Clusters single;
    for (const auto& cluster : draw(rng))
      for (const double value : cluster) single.push_back({value});
    return ClusterMeanInterval(single);
  };
  EXPECT_LT(Coverage(200, 5, naive), 0.85);
}

TEST(Intervals, OfAPlainMeanCoverTheTruth) {
  EXPECT_NEAR(Coverage(400, 0.5,
                       [](Rng& rng) {
                         std::vector<double> sample;
                         for (int i = 0; i < 50; ++i) sample.push_back(rng.Uniform());
                         return MeanInterval(sample);
                       }),
              0.95, 0.03);
  EXPECT_THROW(MeanInterval(std::vector<double>{1}), Error);
}

TEST(Intervals, OfRatiosCoverTheTruthByBca) {
  // Positive and skewed, correlated within a scenario.
  const auto draw = [](Rng& rng) {
    std::vector<double> a, b;
    for (int i = 0; i < 80; ++i) {
      const double shared = std::exp(0.6 * rng.Normal());
      a.push_back(2 * shared * std::exp(0.4 * rng.Normal() - 0.08));
      b.push_back(shared * std::exp(0.4 * rng.Normal() - 0.08));
    }
    return PairedRatio(a, b);
  };
  EXPECT_NEAR(Coverage(300, 2, draw), 0.95, 0.035);
}

TEST(Intervals, OfPairedDifferencesUseThePairs) {
  Rng rng(1);
  std::vector<double> a, b;
  for (int i = 0; i < 100; ++i) {
    const double shared = 10 * rng.Normal();
    a.push_back(shared + 0.5 + 0.1 * rng.Normal());
    b.push_back(shared + 0.1 * rng.Normal());
  }
  const Interval paired = PairedDifference(a, b);
  EXPECT_LT(paired.high - paired.low, 0.1);
  EXPECT_GT(paired.low, 0.4);
}

TEST(Intervals, OfTwoLevelsAreNoNarrower) {
  Rng rng(2);
  Clusters clusters(30);
  for (auto& cluster : clusters)
    for (int i = 0; i < 3; ++i) cluster.push_back(rng.Normal());
  const Interval one = ClusterMeanInterval(clusters), two = TwoLevelInterval(clusters);
  EXPECT_GT(two.high - two.low, one.high - one.low);
}

TEST(Rates, WilsonAgreesWithTheBooks) {
  const Interval tenth = Wilson(1, 10), none = Wilson(0, 20);
  EXPECT_NEAR(tenth.low, 0.017876, 1e-5);
  EXPECT_NEAR(tenth.high, 0.404150, 1e-5);
  EXPECT_EQ(none.low, 0);
  EXPECT_NEAR(none.high, 0.161125, 1e-5);
  EXPECT_THROW(Wilson(3, 2), Error);
}

TEST(Tests, McNemarAndHolm) {
  EXPECT_NEAR(McNemar(1, 9), 0.021484375, 1e-12);
  EXPECT_EQ(McNemar(0, 0), 1);
  EXPECT_EQ(McNemar(5, 5), 1);
  const std::vector<double> adjusted = Holm(std::vector<double>{0.01, 0.04, 0.03, 0.005});
  const std::vector<double> expected = {0.03, 0.06, 0.06, 0.02};
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(adjusted[i], expected[i], 1e-12);
}

TEST(Tests, EquivalenceNeedsEvidenceNotAbsenceOfIt) {
  Rng rng(3);
  std::vector<double> many, few;
  for (int i = 0; i < 400; ++i) many.push_back(0.1 * rng.Normal());
  for (int i = 0; i < 4; ++i) few.push_back(rng.Normal());
  EXPECT_TRUE(Equivalent(many, 0.05));
  EXPECT_FALSE(Equivalent(few, 0.05));
}

TEST(Ranks, CorrelationsAgreeWithScipy) {
  const std::vector<double> x = {1, 2, 3, 4, 5, 5}, y = {2, 1, 4, 3, 7, 6};
  EXPECT_NEAR(Spearman(x, y), 0.869657, 1e-6);
  EXPECT_NEAR(Kendall(x, y), 0.690066, 1e-6);
  EXPECT_EQ(Spearman(x, std::vector<double>(6, 1.0)), 0);
}

TEST(Slopes, TheilSenIgnoresAnOutlier) {
  std::vector<double> x, y;
  for (int i = 0; i < 20; ++i) {
    x.push_back(i);
    y.push_back(3 + 0.5 * i);
  }
  y[7] = 100;
  EXPECT_NEAR(TheilSen(x, y), 0.5, 1e-12);
  EXPECT_THROW(TheilSen(std::vector<double>{1, 1}, std::vector<double>{1, 2}), Error);
}

TEST(SurvivalCurves, CensoredRunsCountAsLongAsTheyWereSeen) {
  const Survival s = KaplanMeier(std::vector<double>{2, 4, 4, 6, 8}, {true, true, false, true, false});
  EXPECT_EQ(s.time, (std::vector<double>{2, 4, 6}));
  EXPECT_NEAR(s.share[0], 0.8, 1e-12);
  EXPECT_NEAR(s.share[1], 0.6, 1e-12);
  EXPECT_NEAR(s.share[2], 0.3, 1e-12);
  EXPECT_EQ(s.Median(), 6);
  EXPECT_NEAR(s.At(5), 0.6, 1e-12);
  EXPECT_TRUE(std::isinf(KaplanMeier(std::vector<double>{5, 5}, {false, false}).Median()));
}

TEST(PowerLaws, AreFoundBack) {
  Rng rng(4);
  std::vector<double> x, y;
  for (int i = 0; i < 30; ++i) {
    x.push_back(std::exp2(1 + 0.3 * i));
    y.push_back(7 * std::pow(x.back(), 1.5) * std::exp(0.05 * rng.Normal()));
  }
  const PowerLaw law = FitPowerLaw(x, y);
  EXPECT_NEAR(law.exponent, 1.5, 0.02);
  EXPECT_LT(law.interval.low, 1.5);
  EXPECT_GT(law.interval.high, 1.5);
}

}  // namespace
}  // namespace orrery
