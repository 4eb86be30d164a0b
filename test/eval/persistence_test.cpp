// Measures of persistence against closed forms, hand-made cases and SciPy.
#include <gtest/gtest.h>

#include <cmath>

#include "eval/persistence/health.h"
#include "eval/persistence/occlusion.h"
#include "eval/persistence/surprise.h"
#include "eval/persistence/survival.h"
#include "eval/persistence/update.h"
#include "eval/quality/diagnostics.h"
#include "films.h"

namespace orrery {
namespace {

Lifetimes Of(std::initializer_list<double> ended, std::initializer_list<double> watched) {
  Lifetimes films;
  for (const double t : ended) films.Add(static_cast<int64_t>(t), 1000);
  for (const double t : watched) films.Add(std::nullopt, static_cast<int64_t>(t));
  return films;
}

TEST(Survival, IntervalsAreThoseOfSciPy) {
  // Remission of leukaemia under 6-mercaptopurine (Freireich et al. 1963); scipy.stats.ecdf(...).sf.confidence_interval(method="log-log").
  const Lifetimes films = Of({6, 6, 6, 7, 10, 13, 16, 22, 23}, {6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35});
  const Survival curve = KaplanMeier(films.frames, films.ended);
  struct Row {
    double time, share, low, high;
  };
  for (const Row& row : {Row{6, 0.85714286, 0.61971796, 0.95155175},
                         {7, 0.80672269, 0.56314656, 0.92280902},
                         {9, 0.80672269, 0.56314656, 0.92280902},
                         {10, 0.75294118, 0.50319951, 0.88936184},
                         {16, 0.62745098, 0.36751086, 0.80491219},
                         {23, 0.44817927, 0.18805201, 0.68014263},
                         {35, 0.44817927, 0.18805201, 0.68014263}}) {
    EXPECT_NEAR(curve.At(row.time), row.share, 1e-8) << row.time;
    const Interval band = SurvivalInterval(films, row.time);
    EXPECT_NEAR(band.low, row.low, 1e-8) << row.time;
    EXPECT_NEAR(band.high, row.high, 1e-8) << row.time;
  }
  const MedianLife life = MedianLifetime(films);
  EXPECT_EQ(life.median, 23);
  EXPECT_EQ(life.interval.low, 13);  // the first whose lower end is at most a half
  EXPECT_TRUE(std::isinf(life.interval.high));
}

TEST(Survival, AtOneAndZeroTheIntervalIsWilsons) {
  const Lifetimes none = Of({}, {256, 256, 256, 256, 256, 256, 256, 256}), all = Of({0, 0, 3, 4}, {});
  EXPECT_EQ(SurvivalInterval(none, 256).high, 1);
  EXPECT_NEAR(SurvivalInterval(none, 256).low, Wilson(8, 8).low, 1e-12);
  EXPECT_EQ(SurvivalInterval(all, 4).low, 0);
  EXPECT_NEAR(SurvivalInterval(all, 4).high, Wilson(0, 4).high, 1e-12);
  EXPECT_EQ(MedianLifetime(all).median, 0) << "two of four at once";
  EXPECT_TRUE(std::isinf(MedianLifetime(none).median));
  EXPECT_THROW(SurvivalInterval(none, 257), Error);
}

// A film whose signs are these.
FilmSigns Signs(const std::vector<double>& sharpness, double deviation = 0.2) {
  const at::Tensor s = at::tensor(sharpness, at::kDouble);
  return {s, at::full_like(s, deviation)};
}

TEST(Health, CollapseIsSixteenFramesInARowOutside) {
  Healthy healthy;
  healthy.sharpness = {100, 400};
  healthy.deviation = {0.1, 0.3};
  std::vector<double> sharpness(60, 200);
  EXPECT_FALSE(CollapseFrame(Signs(sharpness), healthy));
  std::fill(sharpness.begin() + 20, sharpness.begin() + 35, 50);  // fifteen
  EXPECT_FALSE(CollapseFrame(Signs(sharpness), healthy));
  sharpness[35] = 500;  // the sixteenth, on the other side
  EXPECT_EQ(CollapseFrame(Signs(sharpness), healthy), 20);
  EXPECT_EQ(CollapseFrame(Signs(std::vector<double>(60, 200), 0.31), healthy), 0);
}

TEST(Health, RangesComeFromRealFilmsAndNoneOfThoseCollapses) {
  std::vector<double> ramp;
  for (int i = 0; i <= 1000; ++i) ramp.push_back(100 + i);
  const Healthy healthy = HealthyRange(std::vector<FilmSigns>{Signs(ramp, 0.2)});
  EXPECT_NEAR(healthy.sharpness.low, 110.0 / 2, 1e-9);
  EXPECT_NEAR(healthy.sharpness.high, 1090.0 * 2, 1e-9);
  EXPECT_NEAR(healthy.deviation.high, 0.2 * std::sqrt(2.0), 1e-12);
  EXPECT_EQ(healthy.percentile, 1);
  // A film of three hundred that looks at a wall for twenty frames: with the first percentile it would count as broken.
  std::vector<FilmSigns> films(30, Signs(std::vector<double>(100, 500)));
  std::vector<double> wall(100, 500);
  std::fill(wall.begin() + 40, wall.begin() + 60, 1);
  films.push_back(Signs(wall));
  const Healthy wide = HealthyRange(films);
  EXPECT_LT(wide.percentile, 1);
  for (const FilmSigns& film : films) EXPECT_FALSE(CollapseFrame(film, wide));
  EXPECT_EQ(CollapseFrame(Signs(std::vector<double>(20, 0.1)), wide), 0);
  EXPECT_THROW(HealthyRange({}), Error);
}

TEST(Health, RealFilmsLastAndSpoiltOnesDoNot) {
  std::vector<FilmSigns> real;
  for (uint64_t seed = 0; seed < 4; ++seed) real.push_back(SignsOf(RecordFilm("maze", seed, 64)));
  const Healthy healthy = HealthyRange(real);
  const at::Tensor film = RecordFilm("maze", 9, 64);
  EXPECT_EQ(CollapseFrame(SignsOf(Blurred(film, 3)), healthy), 0);
  at::Tensor late = film.clone();
  late.narrow(0, 40, 24).copy_(RandomFilm({24, 64, 64, 3}, 1));
  EXPECT_EQ(CollapseFrame(SignsOf(late), healthy), 40);
  late.narrow(0, 40, 24).fill_(90);
  EXPECT_EQ(CollapseFrame(SignsOf(late), healthy), 40);
}

TEST(Health, StagnationNeedsATruthThatMoves) {
  const at::Tensor moving = at::full({80}, 4.0, at::kDouble);
  at::Tensor film = moving.clone();
  EXPECT_FALSE(StagnationFrame(film, moving, 4));
  film.narrow(0, 30, 50).fill_(0.01);
  // From step 28 on: two steps of 4 and thirty of 0.01 are below a tenth of 128? 8.3 < 12.8: yes; three of them, 12.29 < 12.8, too.
  EXPECT_EQ(StagnationFrame(film, moving, 4), 27);
  EXPECT_FALSE(StagnationFrame(film, moving, 9)) << "the truth moves by less than half of what is usual";
  at::Tensor truth = moving.clone();
  truth.narrow(0, 30, 50).zero_();
  EXPECT_EQ(StagnationFrame(at::zeros({80}, at::kDouble), truth, 4), 0);
  EXPECT_FALSE(StagnationFrame(film.narrow(0, 30, 50), truth.narrow(0, 30, 50), 4)) << "the truth stands still as well";
  EXPECT_FALSE(StagnationFrame(at::zeros({31}, at::kDouble), moving.narrow(0, 0, 31), 4)) << "too short to tell";
  EXPECT_THROW(StagnationFrame(film, moving.narrow(0, 0, 31), 4), Error);
}

TEST(Occlusions, RunFromTheLastSightToHalfOfTheThing) {
  // Two things in frames of eight pixels: how many pixels thing 1 and thing 2 show.
  const std::vector<std::pair<int, int>> shown = {{4, 2}, {4, 2}, {1, 2}, {0, 2}, {0, 0}, {1, 0}, {2, 0}, {4, 1}, {0, 0}, {1, 2}, {0, 0}};
  std::vector<int32_t> ids;
  for (const auto& [one, two] : shown) {
    std::vector<int32_t> frame(8, 0);
    std::fill_n(frame.begin(), one, 1);
    std::fill_n(frame.begin() + 4, two, 2);
    ids.insert(ids.end(), frame.begin(), frame.end());
  }
  const std::vector<Occlusion> found = FindOcclusions(ids, static_cast<int64_t>(shown.size()));
  const std::vector<Occlusion> wanted = {{1, 2, 6, 2}, {2, 3, 7, 3}, {2, 7, 9, 1}};  // thing 1 goes again before half of it shows
  EXPECT_EQ(found, wanted);
  EXPECT_THROW(FindOcclusions(ids, 7), Error);
}

WorldObject At(int64_t id, double x, double y, double color = 1) { return {id, "disc", x, y, {color}}; }

TEST(Returns, OfAThingThatWentHalfItsWay) {
  // Thing 1 goes 10 pixels while hidden (3 frames), thing 2 stands.
  const ObjectFilm truth = {{At(1, 0, 0), At(2, 5, 5)}, {At(1, 5, 0), At(2, 5, 5)}, {At(1, 10, 0), At(2, 5, 5)}};
  const ObjectFilm take = {{At(1, 0, 0), At(2, 5, 5)}, {At(1, 5, 0), At(2, 5, 5)}, {At(1, 12, 0), At(2, 5, 6)}};
  const std::vector<Occlusion> both = {{1, 0, 2, 1}, {2, 0, 2, 1}};
  const auto of = [&](std::vector<WorldObject> made) { return CompareReturns(both, truth, take, {{}, std::move(made)}, 1); };
  const ReturnSums half = of({At(1, 5, 0), At(2, 5, 5)});
  EXPECT_EQ(half.product / half.square, 0.5);
  EXPECT_EQ(half.error, 5);
  EXPECT_EQ(half.take_error, 3);
  EXPECT_EQ(half.things, 2);
  EXPECT_EQ(half.same, 2);
  EXPECT_EQ(half.moved, 1);
  EXPECT_EQ(half.paused, 0);
  const ReturnSums back = of({At(1, -5, 7), At(2, 5, 5, 3)});  // rewound; what is across the way does not count
  EXPECT_EQ(back.product / back.square, -0.5);
  EXPECT_EQ(back.same, 1);
  const ReturnSums still = of({At(1, 1, 0)});
  EXPECT_EQ(still.paused, 1);
  EXPECT_EQ(still.same, 1);
  EXPECT_EQ(still.error, 9 + kMissingPixels) << "thing 2 is missing, its way was 0";
  ReturnSums sum = half;
  sum += still;
  EXPECT_EQ(sum.things, 4);
  EXPECT_EQ(sum.product, half.product + still.product);
  EXPECT_THROW(CompareReturns(both, truth, take, {{}}, 1), Error);
}

TEST(Recall, OfTheNewTheOldAndNeither) {
  const at::Tensor grey = at::full({2, 16, 16, 3}, 60, at::kByte);
  at::Tensor fresh = grey.clone(), old = grey.clone();
  fresh.narrow(1, 0, 4).fill_(200);
  old.narrow(1, 8, 4).fill_(200);
  const auto recent = CompareRecall(fresh, fresh, old), stale = CompareRecall(old, fresh, old), none = CompareRecall(grey, fresh, old);
  EXPECT_EQ(recent->recent, 1);
  EXPECT_EQ(recent->old, 0);
  EXPECT_GT(recent->preference, 80);
  EXPECT_EQ(stale->recent, 0);
  EXPECT_EQ(stale->old, 1);
  EXPECT_EQ(stale->preference, -recent->preference);
  EXPECT_EQ(none->recent, 0);
  EXPECT_EQ(none->old, 0);
  EXPECT_EQ(none->preference, 0);
  // What lies outside of the change has no say; a third of the way towards the old picture is still the new one.
  at::Tensor elsewhere = fresh.clone();
  elsewhere.narrow(1, 13, 3).fill_(255);
  EXPECT_EQ(CompareRecall(elsewhere, fresh, old)->recent, 1);
  const auto mixed = [&](double share) {
    return (fresh.to(at::kDouble) * (1 - share) + old.to(at::kDouble) * share).round().to(at::kByte);
  };
  EXPECT_EQ(CompareRecall(mixed(0.33), fresh, old)->recent, 1);
  EXPECT_EQ(CompareRecall(mixed(0.5), fresh, old)->recent, 0);
  EXPECT_EQ(CompareRecall(mixed(0.5), fresh, old)->old, 0);
  EXPECT_EQ(CompareRecall(mixed(0.8), fresh, old)->old, 1);
  EXPECT_FALSE(CompareRecall(fresh, fresh, fresh)) << "nothing to recall";
}

TEST(Surprise, RelativeAccuracyComparesSums) {
  EXPECT_EQ(RelativeAccuracy({{{1, 2}, {3, 1}}}), 1);
  EXPECT_EQ(RelativeAccuracy({{{3, 1}, {1, 3}}}), 0);
  EXPECT_EQ(RelativeAccuracy({{{3, 1}, {3, 1}}}), 0.5);
  EXPECT_EQ(RelativeAccuracy({{{0, 0}, {0, 0}}}), 0.5);
  EXPECT_EQ(RelativeAccuracy({{{0.1 + 0.2, 0.3}, {0.3, 0.3}}}), 0.5) << "rounding is no surprise";
}

TEST(Surprise, OfListsWorkedOutByHand) {
  const std::vector<double> possible = {1, 2, 3, 4}, impossible = {2.5, 3, 5, 6};
  EXPECT_NEAR(Auroc(possible, impossible), (2 + 2.5 + 4 + 4) / 16.0, 1e-12);
  // From the top: 6, 5 hits; 4 misses; 3 and 3 together; 2.5 hits: 1/1, 2/2, 3/5, 4/6.
  EXPECT_NEAR(AveragePrecision(possible, impossible), (1 + 1 + 3.0 / 5 + 4.0 / 6) / 4, 1e-12);
  EXPECT_EQ(AbsoluteAccuracy(possible, impossible), (4 + 2) / 8.0) << "the 90th percentile of four is the largest, 4";
  const std::vector<double> ten = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  EXPECT_EQ(AbsoluteAccuracy(ten, std::vector<double>{8.5, 9.5}), (9 + 2) / 12.0) << "threshold 8";
  EXPECT_EQ(Auroc(possible, possible), 0.5);
  EXPECT_NEAR(AveragePrecision(std::vector<double>(3, 1.0), std::vector<double>(1, 1.0)), 0.25, 1e-12) << "all alike";
  EXPECT_THROW(Auroc({}, impossible), Error);
}

TEST(Surprise, ChanceIsAHalf) {
  Rng rng(5, "chance");
  std::vector<Quadruplet> quadruplets;
  for (int i = 0; i < 2000; ++i) quadruplets.push_back({{{rng.Uniform(), rng.Uniform()}, {rng.Uniform(), rng.Uniform()}}});
  std::vector<double> relative, possible, impossible;
  for (const Quadruplet& q : quadruplets) {
    relative.push_back(RelativeAccuracy(q));
    possible.insert(possible.end(), {q[0][0], q[1][1]});
    impossible.insert(impossible.end(), {q[0][1], q[1][0]});
  }
  const Estimate e = ShareEstimate(relative);
  EXPECT_NEAR(*e.value, 0.5, 0.035);
  EXPECT_NEAR(e.interval->high - e.interval->low, 2 * 1.96 * 0.5 / std::sqrt(2000.0), 1e-3);
  EXPECT_NEAR(AbsoluteAccuracy(possible, impossible), 0.5, 0.03);
  EXPECT_NEAR(Auroc(possible, impossible), 0.5, 0.03);
  EXPECT_NEAR(AveragePrecision(possible, impossible), 0.5, 0.03);
  EXPECT_FALSE(ShareEstimate({}).value);
  const SurpriseScores few = ScoreSurprise(std::span(quadruplets).first(12));
  EXPECT_TRUE(few.auroc.interval && few.auroc.interval->low <= *few.auroc.value && *few.auroc.value <= few.auroc.interval->high);
}

}  // namespace
}  // namespace orrery
