// Effects of interventions: counted by hand, and on real twins against subjects whose faults are known.
#include <gtest/gtest.h>

#include <cmath>

#include "core/rng.h"
#include "eval/causality/instances.h"
#include "eval/causality/pixel_effects.h"
#include "worlds/registry.h"

namespace orrery {
namespace {

struct Spot {
  size_t t, y, x;
  uint8_t level;
};

// Three black frames of 8x8 with single pixels of which the green channel is lit.
std::vector<uint8_t> FilmOf(std::initializer_list<Spot> spots) {
  std::vector<uint8_t> film(3 * 8 * 8 * 3);
  for (const Spot& s : spots) film[((s.t * 8 + s.y) * 8 + s.x) * 3 + 1] = s.level;
  return film;
}

FrameSpan Small(const std::vector<uint8_t>& film) { return {film, 8, 8}; }

TEST(PixelEffects, ByHand) {
  const std::vector<uint8_t> black = FilmOf({});
  const std::vector<uint8_t> truth = FilmOf({{1, 2, 2, 200}, {2, 0, 0, 13}, {2, 0, 7, 12}});
  const std::vector<uint8_t> made = FilmOf({{0, 5, 5, 90}, {1, 4, 4, 90}, {1, 7, 2, 90}});
  const PixelEffects effects = ComparePixelEffects(Small(black), Small(truth), Small(black), Small(made), 1);
  const EffectCounts after = effects.After();
  EXPECT_EQ(after.truth, 2) << "13 of 255 is more than 0.05, 12 is not";
  EXPECT_EQ(after.made, 2);
  EXPECT_EQ(after.made_hit, 1) << "two pixels off is near enough, three is not";
  EXPECT_EQ(after.truth_hit, 1);
  EXPECT_DOUBLE_EQ(*after.Precision(), 0.5);
  EXPECT_DOUBLE_EQ(*after.Recall(), 0.5);
  EXPECT_DOUBLE_EQ(*after.F1(), 0.5);
  EXPECT_DOUBLE_EQ(*effects.frames[1].Recall(), 1);
  EXPECT_EQ(effects.frames[2].Precision(), std::nullopt);
  EXPECT_EQ(effects.frames[2].F1(), 0);
  EXPECT_DOUBLE_EQ(*effects.Leak(), 1.0 / 64);
  EXPECT_EQ(effects.FalseRate(), std::nullopt);
  EXPECT_EQ(DifferingPixels(Small(black), Small(truth)), 3);

  const PixelEffects none = ComparePixelEffects(Small(black), Small(black), Small(black), Small(made), 0);
  EXPECT_DOUBLE_EQ(*none.FalseRate(), 3.0 / 192);
  EXPECT_EQ(none.Leak(), std::nullopt);
  EXPECT_EQ(none.After().F1(), 0);
  EXPECT_THROW(ComparePixelEffects(Small(black), Small(truth), Small(black), Small(made), 4), Error);
}

TEST(PixelEffects, SummariesWeighPairsByWhatTheyShow) {
  const auto pair = [](int64_t truth, int64_t made, int64_t truth_hit, int64_t made_hit) {
    return PixelEffects{1, {{100, 0, 1, 0, 0}, {100, truth, made, truth_hit, made_hit}}};
  };
  const PixelEffectSummary summary = SummarizePixelEffects(std::vector{pair(10, 20, 10, 10), pair(30, 10, 10, 10), pair(0, 5, 0, 0)});
  EXPECT_NEAR(*summary.precision.value, 20.0 / 30, 1e-12);
  EXPECT_NEAR(*summary.recall.value, 20.0 / 40, 1e-12);
  EXPECT_NEAR(*summary.f1.value, 2 * (2.0 / 3) * 0.5 / (2.0 / 3 + 0.5), 1e-12);
  EXPECT_NEAR(*summary.false_rate.value, 0.05, 1e-12);
  EXPECT_NEAR(*summary.leak.value, 0.01, 1e-12);
  EXPECT_EQ(summary.precision.count, 2);
  ASSERT_TRUE(summary.recall.interval);
  EXPECT_LE(summary.recall.interval->low, 0.5);
  EXPECT_FALSE(summary.false_rate.interval);
  const PixelEffectSummary silent = SummarizePixelEffects(std::vector{pair(10, 0, 0, 0), pair(5, 0, 0, 0)});
  EXPECT_FALSE(silent.precision.value);
  EXPECT_EQ(silent.precision.cause, "the model shows no effect of the intervention");
  EXPECT_EQ(silent.recall.value, 0);
}

TEST(NoiseEps, IsWhatNearlyAllPixelsStayWithin) {
  std::vector<uint8_t> a(300), b(300);
  for (size_t i = 0; i < 100; ++i) b[3 * i + i % 3] = i == 50 ? 200 : 20;
  EXPECT_DOUBLE_EQ(NoiseEps({a, 10, 10}, {b, 10, 10}), 20 / 255.0);
  for (int level = 13; level < 256; ++level) {
    std::vector<uint8_t> grey(300, static_cast<uint8_t>(level));
    ASSERT_EQ(Count(EffectMasks({a, 10, 10}, {grey, 10, 10}, NoiseEps({a, 10, 10}, {grey, 10, 10})).on), 0) << level;
  }
  b[3] = 150;
  EXPECT_DOUBLE_EQ(NoiseEps({a, 10, 10}, {b, 10, 10}), 150 / 255.0);
  EXPECT_DOUBLE_EQ(NoiseEps({a, 10, 10}, {a, 10, 10}), 0.05);
}

ObjectFilm Ball(std::initializer_list<std::pair<double, double>> places) {
  ObjectFilm film;
  for (const auto& [x, y] : places) film.push_back({{1, "ball", x, y, {}}});
  return film;
}

TEST(ObjectEffects, ByHand) {
  const ObjectFilm still = Ball({{0, 0}, {0, 0}}), truth = Ball({{0, 0}, {3, 4}}), read = Ball({{0, 0}, {3, 0}});
  const ObjectEffects effects = CompareObjectEffects(still, truth, still, read);
  EXPECT_DOUBLE_EQ(*effects.Cne(), 16.0 / 25);
  EXPECT_DOUBLE_EQ(*effects.Slope(), 9.0 / 25);
  EXPECT_DOUBLE_EQ(*effects.Cosine(), 3.0 / 5);
  EXPECT_EQ(effects.terms, 2);
  EXPECT_DOUBLE_EQ(*CompareObjectEffects(still, truth, still, Ball({{0, 0}, {-3, -4}})).Cne(), 4) << "harmful";
  const ObjectEffects nothing = CompareObjectEffects(still, still, still, read);
  EXPECT_EQ(nothing.Cne(), std::nullopt);
  EXPECT_EQ(nothing.Precision(), 0);
  EXPECT_EQ(nothing.Recall(), std::nullopt);
  EXPECT_THROW(CompareObjectEffects(still, truth, Ball({{0, 0}}), Ball({{0, 0}})), Error);
}

TEST(ObjectEffects, WhatIsNotReadIsAtItsWorst) {
  const ObjectFilm still = Ball({{0, 0}, {0, 0}, {0, 0}}), truth = Ball({{0, 0}, {3, 4}, {3, 4}});
  ObjectFilm read = truth;
  read[1].clear();
  const ObjectEffects effects = CompareObjectEffects(still, truth, still, read);
  EXPECT_EQ(effects.missing, 1);
  EXPECT_DOUBLE_EQ(effects.error, 13 * 13);
  EXPECT_DOUBLE_EQ(effects.power, 50);
  EXPECT_DOUBLE_EQ(*effects.Cosine(), 0.5);
  EXPECT_EQ(effects.read_onset.at(1), 2) << "a single frame without a reading is no change";
  const ObjectFilm gone(3);
  EXPECT_EQ(CompareObjectEffects(still, still, still, gone).read_onset.at(1), 0) << "three in a row are";
}

TEST(ObjectEffects, OnsetsOrderAndLightCone) {
  const auto chain = [](std::initializer_list<int64_t> starts) {
    ObjectFilm film;
    for (int64_t t = 0; t < 20; ++t) {
      std::vector<WorldObject> objects;
      int64_t id = 1;
      for (const int64_t start : starts) objects.push_back({id++, "domino", 0, 0, {t >= start ? 5.0 : 0.0}});
      film.push_back(objects);
    }
    return film;
  };
  const ObjectFilm still = chain({99, 99, 99, 99});
  const ObjectEffects effects = CompareObjectEffects(still, chain({2, 6, 10, 99}), still, chain({3, 11, 7, 1}));
  EXPECT_EQ(effects.Affected(), (std::set<int64_t>{1, 2, 3}));
  EXPECT_DOUBLE_EQ(*effects.Precision(), 0.75);
  EXPECT_DOUBLE_EQ(*effects.Recall(), 1);
  EXPECT_EQ(effects.untouched, 1);
  EXPECT_EQ(effects.spilled, 1) << "the fourth should not have changed";
  EXPECT_DOUBLE_EQ(*effects.OnsetError(), (1 + 5 + 3) / 3.0);
  EXPECT_DOUBLE_EQ(*effects.Early(), 1.0 / 3) << "the third came three frames before it could";
  EXPECT_DOUBLE_EQ(*effects.Order(), 1.0 / 3) << "two of three pairs in order";
}

TEST(DoseResponse, IsARankCorrelationOrSaysWhyNot) {
  const std::vector<double> truth = {1, 2, 4, 8, 16};
  EXPECT_EQ(DoseResponse(truth, std::vector<double>{1, 1.5, 2, 7, 9}).value, 1);
  EXPECT_EQ(DoseResponse(truth, std::vector<double>(5, 0.0)).value, 0);
  EXPECT_EQ(DoseResponse(std::vector<double>(5, 1.0), truth).cause, "the true response is the same for every dose");
  EXPECT_FALSE(DoseResponse(std::vector<double>{1, 2}, std::vector<double>{1, 2}).value);
}

TEST(Invariance, LooksOnlyAtThingsThatAreLeftAlone) {
  const std::vector<int32_t> ids = {0, 1, 2, 2}, changed = {0, 1, 2, 1};
  std::vector<uint8_t> a(12), b(12);
  b[0] = b[3] = b[9] = 255;  // background, the affected object, and a pixel that changes its owner
  EXPECT_EQ(InvariancePsnr({a, 2, 2}, {b, 2, 2}, ids, changed, {1}, 0).value, 100);
  b[6] = b[7] = b[8] = 51;
  EXPECT_NEAR(*InvariancePsnr({a, 2, 2}, {b, 2, 2}, ids, changed, {1}, 0).value, -10 * std::log10(0.04), 1e-9);
  EXPECT_FALSE(InvariancePsnr({a, 2, 2}, {b, 2, 2}, ids, changed, {1, 2}, 0).value);
}

struct Twins {
  TwinRun factual, changed;
  std::vector<int32_t> ids, ids_changed;
};

struct Case {
  const char *spec, *intervention;
  int push;  // the first action
  int64_t at;
  uint64_t seed;
  TwinPlan Plan() const {
    std::vector<std::vector<float>> actions(90, {0});
    actions[0] = {static_cast<float>(push)};
    return {actions, intervention, at};
  }
};

Twins RunCase(const Case& c) {
  const auto world = MakeWorld(c.spec);
  world->Reset(c.seed);
  const std::string start = world->Snapshot();
  const auto again = [&]() -> World& { return world->Restore(start), *world; };
  const TwinPlan plan = c.Plan();
  return {RunTwin(again(), plan, false), RunTwin(again(), plan, true), RecordIds(again(), plan, false), RecordIds(again(), plan, true)};
}

FrameSpan View(const TwinRun& run) { return {run.frames, 64, 64}; }
FrameSpan View(const std::vector<uint8_t>& film) { return {film, 64, 64}; }

class RealTwins : public testing::TestWithParam<Case> {
 protected:
  Twins twins_ = RunCase(GetParam());
  int64_t first_ = GetParam().at + 1;
  PixelEffects Against(const FrameSpan& made, const FrameSpan& made_changed) const {
    return ComparePixelEffects(View(twins_.factual), View(twins_.changed), made, made_changed, first_);
  }
};

TEST_P(RealTwins, TruthIsPerfect) {
  const PixelEffects pixels = Against(View(twins_.factual), View(twins_.changed));
  EXPECT_GT(pixels.After().truth, 100);
  EXPECT_EQ(pixels.After().Precision(), 1);
  EXPECT_EQ(pixels.After().Recall(), 1);
  EXPECT_EQ(pixels.Leak(), 0);
  const auto& [factual, changed, ids, ids_changed] = twins_;
  const ObjectEffects objects = CompareObjectEffects(factual.objects, changed.objects, factual.objects, changed.objects);
  EXPECT_GT(objects.power, 0);
  EXPECT_EQ(objects.Cne(), 0);
  EXPECT_DOUBLE_EQ(*objects.Slope(), 1);
  EXPECT_NEAR(*objects.Cosine(), 1, 1e-12);
  EXPECT_EQ(objects.OnsetError(), 0);
  EXPECT_EQ(objects.Early(), 0);
  EXPECT_EQ(objects.Affected(), CausalSet(factual, changed, 1));
  EXPECT_EQ(objects.Precision(), 1);
  EXPECT_EQ(objects.Recall(), 1);
}

TEST_P(RealTwins, IgnoringTheInterventionIsCneOneAndRecallZero) {
  const PixelEffects pixels = Against(View(twins_.factual), View(twins_.factual));
  EXPECT_EQ(pixels.After().Recall(), 0);
  EXPECT_EQ(pixels.After().Precision(), std::nullopt);
  EXPECT_EQ(pixels.After().F1(), 0);
  const auto& [factual, changed, ids, ids_changed] = twins_;
  const ObjectEffects objects = CompareObjectEffects(factual.objects, changed.objects, factual.objects, factual.objects);
  EXPECT_NEAR(*objects.Cne(), 1, 1e-12);
  EXPECT_EQ(objects.Slope(), 0);
  EXPECT_EQ(objects.Recall(), 0);
}

TEST_P(RealTwins, ARecolouredBackgroundHasRecallButNoPrecision) {
  std::vector<uint8_t> recoloured = twins_.changed.frames;
  for (auto i = static_cast<size_t>(first_ * 64 * 64); i < twins_.ids_changed.size(); ++i)
    if (twins_.ids_changed[i] == 0) recoloured[3 * i] = static_cast<uint8_t>(recoloured[3 * i] ^ 0x80);
  const PixelEffects pixels = Against(View(twins_.factual), View(recoloured));
  EXPECT_EQ(pixels.After().Recall(), 1);
  EXPECT_LT(*pixels.After().Precision(), 0.3);
  EXPECT_EQ(pixels.Leak(), 0);
}

TEST_P(RealTwins, NoiseThatIsNotSharedDestroysPrecision) {
  Rng rng(5);
  const auto noisy = [&](std::vector<uint8_t> film) {
    for (uint8_t& byte : film) byte = static_cast<uint8_t>(std::clamp<int64_t>(byte + rng.Below(61) - 30, 0, 255));
    return film;
  };
  const std::vector<uint8_t> a = noisy(twins_.factual.frames), twin = noisy(twins_.factual.frames), b = noisy(twins_.changed.frames);
  const PixelEffects pixels = Against(View(a), View(b));
  EXPECT_LT(*pixels.After().Precision(), 0.3);
  EXPECT_GT(*pixels.Leak(), 0.5);
  const PixelEffects guarded =
      ComparePixelEffects(View(twins_.factual), View(twins_.changed), View(a), View(b), first_, {.eps = NoiseEps(View(a), View(twin))});
  EXPECT_LT(*guarded.Leak(), 0.012) << "one pixel in a hundred differs more than that";
  EXPECT_GT(*guarded.After().Precision(), 2 * *pixels.After().Precision());
}

TEST_P(RealTwins, ThingsThatAreLeftAloneLookTheSame) {
  const auto& [factual, changed, ids, ids_changed] = twins_;
  const std::set<int64_t> affected = CausalSet(factual, changed, 1);
  EXPECT_EQ(InvariancePsnr(View(factual), View(factual), ids, ids_changed, affected, first_).value, 100);
  std::vector<uint8_t> recoloured = changed.frames;
  for (size_t i = 0; i < ids_changed.size(); ++i)
    if (ids_changed[i] != 0) recoloured[3 * i] = static_cast<uint8_t>(recoloured[3 * i] ^ 0x80);
  EXPECT_LT(*InvariancePsnr(View(factual), View(recoloured), ids, ids_changed, affected, first_).value, 12);
}

INSTANTIATE_TEST_SUITE_P(Worlds, RealTwins,
                         testing::Values(Case{"dominoes", "remove(6)", 1, 3, 3}, Case{"dominoes", "gap(4, 1)", 1, 5, 2},
                                         Case{"billiards(balls=4, friction=0)", "remove(2)", 0, 10, 8},
                                         Case{"billiards(balls=4)", "velocity(1, -6, 4)", 0, 20, 1}));

TEST(RealChains, FallInOrderAndDosesAreAnswered) {
  // The chain falls, or stands because the push was taken: the effect runs through it from left to right.
  const auto world = MakeWorld("dominoes");
  world->Reset(3);
  const std::string start = world->Snapshot();
  std::vector<std::vector<float>> push(90, {0}), rest(90, {0});
  push[0] = {1};
  const auto run = [&](const std::vector<std::vector<float>>& actions) {
    world->Restore(start);
    return RunTwin(*world, {actions, "", 0}, false).objects;
  };
  const ObjectFilm standing = run(rest), falling = run(push);
  const ObjectEffects same = CompareObjectEffects(standing, falling, standing, falling);
  EXPECT_GE(same.Affected().size(), 8u);
  EXPECT_EQ(same.Order(), 1);
  ObjectFilm early(falling.begin() + 5, falling.end());  // the wave five frames before its time
  early.insert(early.end(), 5, falling.back());
  const ObjectEffects shifted = CompareObjectEffects(standing, falling, standing, early);
  EXPECT_GT(*shifted.Early(), 0.7);
  EXPECT_GT(*shifted.OnsetError(), 3);

  std::vector<double> truth, followed, ignored;
  for (const char* dose : {"velocity(1, 1, 0)", "velocity(1, 2, 0)", "velocity(1, 4, 0)", "velocity(1, 7, 0)", "velocity(1, 11, 0)"}) {
    const Twins t = RunCase({"billiards(balls=4, speed=0)", dose, 0, 0, 5});
    const ObjectEffects follow = CompareObjectEffects(t.factual.objects, t.changed.objects, t.factual.objects, t.changed.objects);
    truth.push_back(std::sqrt(follow.power));
    followed.push_back(std::sqrt(follow.read_power));
    ignored.push_back(
        std::sqrt(CompareObjectEffects(t.factual.objects, t.changed.objects, t.factual.objects, t.factual.objects).read_power));
  }
  EXPECT_LT(truth.front(), truth.back());
  EXPECT_EQ(DoseResponse(truth, followed).value, 1);
  EXPECT_EQ(DoseResponse(truth, ignored).value, 0);
}

TEST(RealSummaries, WrongActionsInOneTwinDestroyPrecision) {
  std::vector<PixelEffects> wrong, right;
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    const Case c{"billiards(balls=4, speed=0)", "velocity(1, 3, 0)", 0, 5, seed};
    const Twins t = RunCase(c);
    TwinPlan other = c.Plan();
    for (size_t i = 0; i < 10; ++i) other.actions[i] = {static_cast<float>(1 + (seed + i / 5) % 8)};
    const auto world = MakeWorld(c.spec);
    world->Reset(seed);
    const TwinRun astray = RunTwin(*world, other, false);
    wrong.push_back(ComparePixelEffects(View(t.factual), View(t.changed), View(t.factual), View(astray), c.at + 1));
    right.push_back(ComparePixelEffects(View(t.factual), View(t.changed), View(t.factual), View(t.changed), c.at + 1));
  }
  const PixelEffectSummary bad = SummarizePixelEffects(wrong), good = SummarizePixelEffects(right);
  EXPECT_LT(*bad.precision.value, 0.3);
  EXPECT_GT(*bad.leak.value, 0) << "the wrong actions begin before the intervention";
  EXPECT_EQ(good.f1.value, 1);
  EXPECT_EQ(good.leak.value, 0);
}

TEST(RealSummaries, HeadlineNumbersHaveIntervals) {
  std::vector<ObjectEffects> right, half;
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    const Twins t = RunCase({"billiards(balls=3)", "velocity(0, 5, 5)", 0, 5, seed});
    right.push_back(CompareObjectEffects(t.factual.objects, t.changed.objects, t.factual.objects, t.changed.objects));
    ObjectFilm halfway = t.changed.objects;
    for (size_t f = 0; f < halfway.size(); ++f)
      for (size_t i = 0; i < halfway[f].size(); ++i) {
        halfway[f][i].x = 0.5 * (halfway[f][i].x + t.factual.objects[f][i].x);
        halfway[f][i].y = 0.5 * (halfway[f][i].y + t.factual.objects[f][i].y);
      }
    half.push_back(CompareObjectEffects(t.factual.objects, t.changed.objects, t.factual.objects, halfway));
  }
  const ObjectEffectSummary perfect = SummarizeObjectEffects(right), halved = SummarizeObjectEffects(half);
  EXPECT_EQ(perfect.cne.value, 0);
  EXPECT_EQ(perfect.r2.value, 1);
  EXPECT_EQ(perfect.missing.value, 0);
  EXPECT_NEAR(*halved.cne.value, 0.25, 1e-9) << "half of the way is a quarter of the squared error";
  EXPECT_NEAR(*halved.slope.value, 0.5, 1e-9);
  EXPECT_NEAR(*halved.cosine.value, 1, 1e-9);
  ASSERT_TRUE(halved.cne.interval);
  EXPECT_NEAR(halved.cne.interval->low, 0.25, 1e-9);
  EXPECT_NEAR(halved.r2.interval->high, 0.75, 1e-9);
  EXPECT_GT(*halved.onset_error.value, 0);
}

}  // namespace
}  // namespace orrery
