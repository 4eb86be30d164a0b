// Masks and scores of Physics-IQ computed by hand, the published table, and what subjects of known faults must score on real takes.
#include "eval/causality/physics_iq.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "../core/error_of.h"
#include "core/rng.h"
#include "eval/causality/instances.h"
#include "worlds/registry.h"

namespace orrery {
namespace {

constexpr int64_t kSide = 16;

std::vector<uint8_t> Uniform(std::initializer_list<int> levels) {
  std::vector<uint8_t> film;
  for (const int level : levels) film.insert(film.end(), 3 * kSide * kSide, static_cast<uint8_t>(level));
  return film;
}

TEST(MotionMasks, OfASquareThatAppears) {
  std::vector<uint8_t> film = Uniform({0, 0, 0});
  for (int64_t t = 1; t < 3; ++t)
    for (int64_t y = 4; y < 12; ++y)
      for (int64_t i = 3 * 4; i < 3 * 12; ++i) film[static_cast<size_t>((t * kSide + y) * kSide * 3 + i)] = 255;
  const Masks masks = MotionMasks({film, kSide, kSide});
  // The blur widens the square of 8 by a pixel: 64 grey levels beside it, 16 at the corners, of which 0.7 and then 0.49 remain.
  EXPECT_EQ(Count(masks.At(0)), 0);
  EXPECT_EQ(Count(masks.At(1)), 100);
  EXPECT_EQ(Count(masks.At(2)), 96);
  for (int64_t y = 0; y < kSide; ++y)
    for (int64_t x = 0; x < kSide; ++x) {
      const bool in_y = y >= 3 && y <= 12, in_x = x >= 3 && x <= 12, corner = (y == 3 || y == 12) && (x == 3 || x == 12);
      EXPECT_EQ(masks.At(1)[static_cast<size_t>(y * kSide + x)], in_y && in_x) << y << ' ' << x;
      EXPECT_EQ(masks.At(2)[static_cast<size_t>(y * kSide + x)], in_y && in_x && !corner) << y << ' ' << x;
    }
}

TEST(MotionMasks, NeedAChangeOfMoreThanFourteenLevels) {
  // 0.7 x 100 + 0.3 x 114 = 104.2 is 10 away from 114; 104.5 rounds to the even 104, 11 away from 115.
  EXPECT_EQ(Count(MotionMasks({Uniform({100, 114}), kSide, kSide}).At(1)), 0);
  EXPECT_EQ(Count(MotionMasks({Uniform({100, 115}), kSide, kSide}).At(1)), kSide * kSide);
  EXPECT_EQ(Count(MotionMasks({Uniform({100, 86}), kSide, kSide}).At(1)), 0);
}

TEST(MotionMasks, OpeningTakesAwaySpecksAndClosingFillsHoles) {
  std::vector<uint8_t> line(7 * 7);
  for (size_t i = 0; i < 7; ++i) line[7 * 3 + i] = 1;
  std::vector<uint8_t> block(7 * 7, 1);
  block[7 * 3 + 3] = 0;
  Erode(line, 7, 7, 1);
  EXPECT_EQ(Count(line), 0);
  Dilate(block, 7, 7, 1);
  Erode(block, 7, 7, 1);
  EXPECT_EQ(Count(block), 49) << "borders do not erode what touches them";
}

TEST(MotionMasks, RefuseWhatTheyCannotDo) {
  const std::vector<uint8_t> film = Uniform({0, 0});
  EXPECT_EQ(ErrorOf([&] {
              MotionMasks({film, kSide, kSide}, {.kernel = 4});
            }),
            "motion masks: a kernel of 3 or 5 pixels expected, or 0 to choose, got 4");
  EXPECT_EQ(ErrorOf([&] { FrameSpan(film, 15, 16); }), "film: whole frames of 15x16x3 = 720 bytes expected, got 1536 bytes");
  EXPECT_NE(ErrorOf([&] { MotionMasks({film, 2, 256}); }).find("at least 3x3"), std::string::npos);
}

MotionClip ClipOf(std::vector<uint8_t> bytes, std::initializer_list<uint8_t> masks) {
  MotionClip clip{1, 3, std::move(bytes), Masks(3, 1, 3)};
  std::copy(masks.begin(), masks.end(), clip.masks.on.begin());
  return clip;
}

TEST(PhysicsIq, MetricsByHand) {
  std::vector<uint8_t> black(27), spotted(27);
  for (size_t i = 9; i < 18; ++i) spotted[i] = 51;  // one frame of three is 0.2 brighter
  const MotionClip real = ClipOf(black, {0, 0, 0, 1, 1, 0, 1, 0, 0}), other = ClipOf(spotted, {0, 0, 0, 0, 1, 1, 1, 0, 0});
  const MotionScores scores = CompareMotion(real, other);
  EXPECT_NEAR(scores.spatial, 2.0 / 3, 1e-12);
  EXPECT_NEAR(scores.spatiotemporal, (1 + 1.0 / 3 + 1) / 3, 1e-12);
  EXPECT_NEAR(scores.weighted, 2.0 / 4, 1e-12);
  EXPECT_NEAR(scores.mse, 0.04 / 3, 1e-12);
  const MotionClip still = ClipOf(black, {0, 0, 0, 0, 0, 0, 0, 0, 0});
  const MotionScores empty = CompareMotion(still, still);
  EXPECT_EQ(empty.spatial, 1);
  EXPECT_EQ(empty.spatiotemporal, 1);
  EXPECT_EQ(empty.weighted, 1);
  EXPECT_EQ(empty.mse, 0);
  EXPECT_THROW(CompareMotion(real, MotionClip{1, 3, std::vector<uint8_t>(18), Masks(2, 1, 3)}), Error);
}

TEST(PhysicsIq, TheTableOfThePaper) {
  const MotionScores variance{0.678, 0.535, 0.577, 0.002};
  const auto raw = [&](const MotionScores& model) { return *ScorePhysicsIq(std::vector{PhysicsIqCase{"", model, variance}}).raw; };
  EXPECT_NEAR(raw({0.204, 0.164, 0.137, 0.010}), 27.4, 0.05);
  EXPECT_NEAR(raw({0.170, 0.155, 0.093, 0.013}), 22.3, 0.05);
  EXPECT_NEAR(raw({0.201, 0.115, 0.116, 0.015}), 22.5, 0.06);
  EXPECT_NEAR(raw({0.138, 0.047, 0.063, 0.030}), 10.6, 0.05);
  EXPECT_NEAR(raw({1, 1, 1, 0}), 169.44, 0.05);
  const PhysicsIq copy = ScorePhysicsIq(std::vector{PhysicsIqCase{"", {1, 1, 1, 0}, variance}});
  EXPECT_EQ(copy.score.value, 100);
  EXPECT_FALSE(copy.score.interval) << "one scenario has no interval";
  EXPECT_FALSE(copy.score.cause.empty());
}

TEST(PhysicsIq, RatioOfMeansIsNotMeanOfRatios) {
  const std::vector<PhysicsIqCase> cases = {{"a", {0.1, 0.1, 0.1, 0}, {0.2, 0.2, 0.2, 0}}, {"b", {0.8, 0.8, 0.8, 0}, {0.8, 0.8, 0.8, 0}}};
  const PhysicsIq two = ScorePhysicsIq(cases);
  EXPECT_NEAR(*two.score.value, 90, 1e-9);
  EXPECT_NEAR(*two.per_scenario.value, 75, 1e-9);
  std::vector<PhysicsIqCase> more = cases;
  more.push_back({"c", {0.5, 0.5, 0.5, 0}, {0, 0.5, 0.5, 0}});
  const PhysicsIq three = ScorePhysicsIq(more);
  EXPECT_EQ(three.per_scenario.failed, 1) << "takes that have nothing in common normalise nothing";
  EXPECT_NEAR(*three.per_scenario.value, 75, 1e-9);
  const PhysicsIq none = ScorePhysicsIq(std::vector{PhysicsIqCase{"", {1, 1, 1, 0}, {0, 1, 0, 0}}});
  EXPECT_FALSE(none.score.value);
  EXPECT_EQ(none.score.cause, "the two takes have no moving pixel in common");
  EXPECT_FALSE(none.doubt.empty());
}

TEST(PhysicsIq, ViewsOfAScenarioDoNotNarrowTheInterval) {
  Rng rng(7);
  std::vector<PhysicsIqCase> one, three;
  for (int i = 0; i < 30; ++i) {
    const double iou = rng.Uniform(0.1, 0.4);
    const PhysicsIqCase view{std::to_string(i), {iou, iou, iou, 0.01}, {0.6, 0.5, 0.6, 0.002}};
    one.push_back(view);
    three.insert(three.end(), 3, view);
  }
  const PhysicsIq a = ScorePhysicsIq(one), b = ScorePhysicsIq(three);
  ASSERT_TRUE(a.score.interval);
  EXPECT_NEAR(a.score.interval->low, b.score.interval->low, 1e-9);
  EXPECT_NEAR(a.score.interval->high, b.score.interval->high, 1e-9);
  EXPECT_GT(a.score.interval->high - a.score.interval->low, 2);
  EXPECT_LT(a.score.interval->low, *a.score.value);
  EXPECT_EQ(b.score.count, 30);
}

// 60 frames of a scene in which the cue is pushed; `take` 0 is the first.
std::vector<uint8_t> Take(const char* spec, uint64_t seed, uint64_t take) {
  const auto world = MakeWorld(spec);
  world->Reset(seed);
  world->Perturb(take);
  std::vector<std::vector<float>> actions(59, {0});
  for (size_t t = 0; t < 8; ++t) actions[t] = {static_cast<float>(1 + seed % 8)};
  return RunTwin(*world, {actions, "", 0}, false).frames;
}

std::vector<uint8_t> Reordered(const std::vector<uint8_t>& film, const std::function<int64_t(int64_t)>& from) {
  std::vector<uint8_t> out;
  const FrameSpan frames(film, 64, 64);
  for (int64_t t = 0; t < frames.frames; ++t) out.insert(out.end(), frames.At(from(t)).begin(), frames.At(from(t)).end());
  return out;
}

class PhysicsIqOnBilliards : public testing::Test {
 protected:
  static constexpr int64_t kScenes = 24;
  void SetUp() override {
    for (uint64_t seed = 0; seed <= kScenes; ++seed) first_.push_back(Take("billiards(balls=3)", seed, 0));
    for (uint64_t seed = 0; seed < kScenes; ++seed) second_.push_back(Take("billiards(balls=3)", seed, 1));
  }
  // `make` turns the first take of scene i into the film that is judged.
  PhysicsIq Score(const std::function<std::vector<uint8_t>(size_t i)>& make) const {
    std::vector<PhysicsIqCase> cases;
    for (size_t i = 0; i < kScenes; ++i) {
      const std::vector<uint8_t> film = make(i);
      const MotionClip real = MakeMotionClip({first_[i], 64, 64}), take = MakeMotionClip({second_[i], 64, 64});
      cases.push_back({std::to_string(i), CompareMotion(real, MakeMotionClip({film, 64, 64})), CompareMotion(real, take)});
    }
    return ScorePhysicsIq(cases);
  }
  std::vector<std::vector<uint8_t>> first_, second_;
};

TEST_F(PhysicsIqOnBilliards, SubjectsOfKnownFaultsScoreAsTheyMust) {
  const PhysicsIq copy = Score([&](size_t i) { return first_[i]; });
  EXPECT_EQ(copy.score.value, 100);
  EXPECT_GT(*copy.raw, 100);
  EXPECT_EQ(copy.model.spatial, 1);
  EXPECT_EQ(copy.model.mse, 0);
  EXPECT_EQ(copy.doubt, "");

  const PhysicsIq take = Score([&](size_t i) { return second_[i]; });
  EXPECT_NEAR(*take.raw, 100, 1e-9);
  EXPECT_NEAR(*take.per_scenario.value, 100, 1e-9);

  const PhysicsIq frozen = Score([&](size_t i) { return Reordered(first_[i], [](int64_t) { return 0; }); });
  EXPECT_EQ(frozen.model.spatial, 0);
  EXPECT_EQ(frozen.model.weighted, 0);
  double still = 0;
  for (size_t i = 0; i < kScenes; ++i) {
    const Masks masks = MotionMasks({first_[i], 64, 64});
    for (int64_t t = 0; t < masks.frames; ++t) still += Count(masks.At(t)) == 0;
  }
  EXPECT_NEAR(frozen.model.spatiotemporal, still / (60.0 * kScenes), 1e-12) << "the share of still frames";

  const PhysicsIq lag = Score([&](size_t i) { return Reordered(first_[i], [](int64_t t) { return std::max<int64_t>(0, t - 2); }); });
  EXPECT_GT(lag.model.spatial, 0.9);
  EXPECT_LT(lag.model.spatiotemporal, 0.8);

  const PhysicsIq reverse = Score([&](size_t i) { return Reordered(first_[i], [](int64_t t) { return 59 - t; }); });
  EXPECT_GT(reverse.model.spatial, 0.8);
  EXPECT_LT(reverse.model.spatiotemporal, lag.model.spatiotemporal);

  const PhysicsIq other = Score([&](size_t i) { return first_[i + 1]; });
  EXPECT_LT(*other.score.value, 15);
  EXPECT_LT(*other.score.value, *reverse.score.value);
  EXPECT_LT(*reverse.raw, *lag.raw);
  EXPECT_LT(*lag.raw, *copy.raw);
  ASSERT_TRUE(other.score.interval);
  EXPECT_LT(other.score.interval->high, lag.score.interval->low);
  for (const auto& [name, iq] :
       {std::pair{"copy", &copy}, {"take2", &take}, {"frozen", &frozen}, {"lag2", &lag}, {"reverse", &reverse}, {"random", &other}})
    RecordProperty(name, fmt::format("score {:.1f} SP {:.3f} ST {:.3f} WS {:.3f} MSE {:.4f}", *iq->score.value, iq->model.spatial,
                                     iq->model.spatiotemporal, iq->model.weighted, iq->model.mse));
}

TEST(ExactMasks, ShowWhatMovesAndNothingElse) {
  const std::vector<int32_t> ids = {1, 0, 2, 0, 1, 2, 0, 1, 2};  // three frames of 1x3
  const ObjectFilm objects = {{{1, "ball", 0, 0, {}}, {2, "ball", 2, 0, {}}},
                              {{1, "ball", 1, 0, {}}, {2, "ball", 2, 0, {}}},
                              {{1, "ball", 1.04, 0, {}}, {2, "box", 2, 0, {}}}};
  const Masks masks = MovingMasks(ids, 1, 3, objects);
  EXPECT_EQ(masks.on, (std::vector<uint8_t>{0, 0, 0, 0, 1, 0, 0, 0, 1})) << "1 rolls, then rests; 2 becomes another thing";
  EXPECT_THROW(MovingMasks(ids, 1, 4, objects), Error);
}

TEST(ExactMasks, ExplainAllMotionThatIsSeen) {
  const auto world = MakeWorld("billiards(balls=4)");
  world->Reset(1);
  const std::string start = world->Snapshot();
  std::vector<std::vector<float>> actions(60, {0});
  std::fill(actions.begin(), actions.begin() + 8, std::vector<float>{1});
  const TwinRun run = RunTwin(*world, {actions, "", 0}, false);
  world->Restore(start);
  const std::vector<int32_t> ids = RecordIds(*world, {actions, "", 0}, false);
  const Masks exact = MovingMasks(ids, 64, 64, run.objects), seen = MotionMasks({run.frames, 64, 64});
  // The background forgets 0.3 a frame: what left a place more than ten frames ago differs there by less than the threshold.
  Masks recent = exact;
  for (int64_t t = 0; t < recent.frames; ++t)
    for (int64_t past = std::max<int64_t>(0, t - 10); past < t; ++past)
      for (size_t i = 0; i < recent.At(t).size(); ++i) recent.At(t)[i] |= exact.At(past)[i];
  const int64_t moving = Count(seen.on);
  EXPECT_GT(moving, 2000);
  EXPECT_EQ(CountBoth(seen.on, Dilated(recent, 3).on), moving);
  EXPECT_GT(CountBoth(seen.on, exact.on), Count(exact.on) / 4) << "the inside of a rolling ball looks still";
}

TEST(Resizing, TakesTheMiddleOfEveryFour) {
  std::vector<uint8_t> image(4 * 8);
  std::iota(image.begin(), image.end(), uint8_t{0});
  // (9 + 10 + 17 + 18) / 4 = 13.5, (13 + 14 + 21 + 22) / 4 = 17.5: half up.
  EXPECT_EQ(ResizeBilinear(image, 4, 8, 1, 1, 2), (std::vector<uint8_t>{14, 18}));
  Masks masks(1, 4, 4);
  masks.on[5] = 1;
  EXPECT_EQ(Count(ResizeMasks(masks, 1, 1).on), 0);
  masks.on[10] = 1;
  EXPECT_EQ(Count(ResizeMasks(masks, 1, 1).on), 1) << "two of the middle four";
  const std::vector<uint8_t> film(3 * 16 * 16 * 2, 7);
  const MotionClip clip = MakeMotionClip({film, 16, 16}, {.mask = {}, .reduce = 4});
  EXPECT_EQ(clip.bytes, std::vector<uint8_t>(3 * 4 * 4 * 2, 7));
  EXPECT_EQ(clip.masks, Masks(2, 4, 4));
}

}  // namespace
}  // namespace orrery
