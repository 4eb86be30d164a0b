// Memory gain against values by hand.
#include "eval/persistence/memory_gain.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

namespace orrery {
namespace {

// One frame of one grey; two such frames that differ by d have a PSNR of 20 log10(255 / d).
at::Tensor Grey(int value) { return at::full({1, 4, 4, 3}, value, at::kByte); }
double Db(double difference) { return 20 * std::log10(255 / difference); }

std::vector<ReturnFilms> Films(const std::vector<int>& made, const std::vector<int>& near) {
  std::vector<ReturnFilms> films;
  const std::vector<int> truth{10, 60, 120};
  for (size_t i = 0; i < truth.size(); ++i) films.push_back({Grey(made[i]), Grey(truth[i]), Grey(near[i]), Grey(truth[i])});
  return films;
}

TEST(MemoryGains, AreOneForTheTruthAndZeroForAPictureThatIsTheSameEverywhere) {
  EXPECT_NEAR(*MemoryGain(Films({10, 60, 120}, {10, 60, 120}), "none").value, 1, 1e-12);
  const Estimate same = MemoryGain(Films({77, 77, 77}, {10, 60, 120}), "none");
  EXPECT_NEAR(*same.value, 0, 1e-12);
  EXPECT_NEAR(same.interval->high, 0, 1e-12);
  EXPECT_NEAR(*MemoryGain(Films({77, 77, 77}, {77, 77, 77}), "none").value, 0, 1e-12) << "0 by 10 dB, not 0 by 0";
}

TEST(MemoryGains, CompareOwnFramesWithThoseOfOtherScenarios) {
  // Off by 5 at the return, by 2 nearby. Against the truths 10, 60, 120: own 5; others 55 and 115, 45 and 65, 105 and 55.
  const double unseen = (Db(55) + Db(115) + Db(45) + Db(65) + Db(105) + Db(55)) / 2;
  const double seen = 3 * Db(5) - unseen, recent = 3 * Db(2) - unseen;
  EXPECT_NEAR(*MemoryGain(Films({15, 65, 125}, {12, 62, 122}), "none").value, seen / recent, 1e-9);
  // Worse than others' frames: forgotten and mixed up.
  EXPECT_LT(*MemoryGain(Films({60, 120, 10}, {10, 60, 120}), "none").value, 0);
}

// Qualities of four scenarios with the same gain, fresh frames 20 dB above chance.
ReturnQualities WithGain(double gain) {
  ReturnQualities q;
  for (const double unseen : {10.0, 11.0, 14.0, 9.0}) {
    q.unseen.push_back(unseen);
    q.seen.push_back(unseen + 20 * gain);
    q.recent.push_back(unseen + 20);
  }
  return q;
}

TEST(MemoryGains, OfASubjectThatKnowsNothingAreZeroWhateverItsPicturesAreLike) {
  // Own and others' frames agree with a truth alike; what is fresh is 2 dB better than chance, less than a scale needs.
  const ReturnQualities q{{12, 9}, {11, 10}, {14, 11}};
  EXPECT_NEAR(*MemoryGain(q).value, 0, 1e-12);
  const ReturnQualities better{{13, 10}, {11, 10}, {14, 11}};
  EXPECT_NEAR(*MemoryGain(better).value, 1 / kKnows, 1e-12);
}

TEST(MemoryGains, HalveBetweenGapsOnALogarithmicScale) {
  const std::vector<int64_t> gaps{16, 32, 64, 128};
  const auto half = [&](std::initializer_list<double> gains) {
    std::vector<ReturnQualities> curve;
    for (const double gain : gains) curve.push_back(WithGain(gain));
    return HalfLife(gaps, curve);
  };
  const MemoryHalfLife between = half({1, 0.75, 0.25, 0});
  EXPECT_NEAR(*between.gap.value, std::sqrt(32.0 * 64), 1e-9);
  EXPECT_NEAR(between.gap.interval->low, std::sqrt(32.0 * 64), 1e-9) << "all scenarios are alike";
  EXPECT_FALSE(between.censored);
  const MemoryHalfLife never = half({1, 1, 1, 0.5});
  EXPECT_TRUE(never.censored);
  EXPECT_NEAR(*never.gap.value, 128, 1e-9);
  EXPECT_NEAR(*half({0.2, 1, 1, 1}).gap.value, 16, 1e-9) << "below one half from the first gap on";
}

TEST(MemoryGains, NeedTwoScenarios) {
  std::vector<ReturnFilms> films = Films({10, 60, 120}, {10, 60, 120});
  films.resize(1);
  const Estimate one = MemoryGain(films, "nobody came back");
  EXPECT_FALSE(one.value);
  EXPECT_EQ(one.cause, "nobody came back");
  EXPECT_FALSE(MemoryGain({}, "none").value);
}

}  // namespace
}  // namespace orrery
