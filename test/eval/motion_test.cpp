// Flow of known shifts, histograms of known tracks, and the closed forms of what is made of them.
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "eval/motion/consistency.h"
#include "eval/motion/cuts.h"
#include "eval/motion/degree.h"
#include "eval/motion/fvmd.h"
#include "eval/motion/smoothness.h"
#include "eval/motion/true_flow.h"
#include "eval/quality/diagnostics.h"
#include "eval/quality/distances.h"
#include "films.h"

namespace orrery {
namespace {

constexpr int64_t kSize = 64;

// A texture of waves of 8 to 32 pixels, moved by (x, y): what is at p in the first is at p + (x, y).
at::Tensor Waves(double x, double y, uint64_t seed = 3) {
  Rng rng(seed, "waves");
  const at::Tensor u = at::arange(kSize, at::kDouble).unsqueeze(0) - x, v = at::arange(kSize, at::kDouble).unsqueeze(1) - y;
  at::Tensor grey = at::zeros({kSize, kSize}, at::kDouble);
  for (int i = 0; i < 12; ++i) {
    const double angle = rng.Uniform(0, 6.283), length = rng.Uniform(8, 32), phase = rng.Uniform(0, 6.283);
    grey = grey + at::sin(6.283 / length * (std::cos(angle) * u + std::sin(angle) * v) + phase);
  }
  return Quantize((0.5 + 0.07 * grey).unsqueeze(-1).expand({kSize, kSize, 3}));
}

// `count` frames of it, each moved by (x, y) from the one before.
at::Tensor Drifting(double x, double y, int64_t count) {
  std::vector<at::Tensor> frames;
  for (int64_t t = 0; t < count; ++t) frames.push_back(Waves(x * static_cast<double>(t), y * static_cast<double>(t)));
  return at::stack(frames);
}

// What nineteen of twenty pixels are not further off than, beyond what comes into sight.
double OffBy(const at::Tensor& flow, double x, double y) {
  const int64_t margin = 12;
  const at::Tensor inner = flow.narrow(0, margin, kSize - 2 * margin).narrow(1, margin, kSize - 2 * margin);
  return at::quantile((inner - at::tensor({x, y}, at::kFloat)).norm(2, -1).flatten(), 0.95).item<double>();
}

// Between pixels, windows are blurred by their interpolation, which costs some hundredths of a pixel (of OpenCV's flow as well).
TEST(Flow, OfAMovedTextureIsItsShift) {
  for (const auto& [x, y, tolerance] :
       {std::tuple{0.4, -0.3, 0.12}, {1.5, 2.25, 0.12}, {-5.5, 3.0, 0.12}, {3.0, -2.0, 0.02}, {-6.0, 6.0, 0.02}}) {
    const auto frames = FlowFrames(Drifting(x, y, 2));
    EXPECT_LT(OffBy(FlowField(frames[0], frames[1], 1), x, y), tolerance) << x << ", " << y;
    EXPECT_LT(OffBy(FlowField(frames[1], frames[0], 2), -x, -y), tolerance) << x << ", " << y;
  }
}

TEST(Flow, OfEqualPicturesIsNothing) {
  const at::Tensor frame = RecordFilm("maze", 1, 1);
  const auto frames = FlowFrames(at::cat({frame, frame}));
  EXPECT_EQ(FlowField(frames[0], frames[1], 1).abs().max().item<double>(), 0);
}

TEST(Flow, StaysWhereThingsMove) {
  // A square of another texture moves by 2 pixels; further from it than a window at any level reaches, nothing does.
  at::Tensor film = at::stack({Waves(0, 0), Waves(0, 0)}), square = Waves(0, 0, 9).narrow(0, 0, 14).narrow(1, 0, 14);
  film[0].narrow(0, 8, 14).narrow(1, 8, 14).copy_(square);
  film[1].narrow(0, 8, 14).narrow(1, 10, 14).copy_(square);
  const auto frames = FlowFrames(film);
  const at::Tensor flow = FlowField(frames[0], frames[1], 1);
  EXPECT_NEAR(flow[15][15][0].item<double>(), 2, 0.05);
  EXPECT_NEAR(flow[15][15][1].item<double>(), 0, 0.05);
  EXPECT_EQ(flow.narrow(0, 30, 34).abs().max().item<double>(), 0);
}

TEST(Flow, AlongAnEdgeIsNotInvented) {
  at::Tensor film = at::zeros({2, kSize, kSize, 3}, at::kByte);
  for (int64_t t = 0; t < 2; ++t)
    for (int64_t x = 0; x < kSize; ++x)  // a soft vertical edge at 30 + t
      film[t].select(1, x).fill_(std::lround(100 + 80 * std::tanh(0.5 * static_cast<double>(x - 30 - t))));
  const auto frames = FlowFrames(film);
  const FlowPoint at = FindPoint(frames[0], frames[1], {30, 32});
  EXPECT_NEAR(at.x, 31, 0.05);
  EXPECT_NEAR(at.y, 32, 1e-6);
}

TEST(Flow, RefusesSmallFrames) { EXPECT_THROW(FlowFrames(at::zeros({2, 12, 40, 3}, at::kByte)), Error); }

TEST(Tracks, FollowAndStopAtTheBorder) {
  const auto frames = FlowFrames(Drifting(1.5, 0.5, 9));
  const at::Tensor tracks = TrackGrid(frames, 5, 0.125);
  const auto at = tracks.accessor<double, 3>();
  EXPECT_NEAR(at[0][6][0], 63 * (0.125 + 0.75 / 4), 1e-9);
  for (int64_t t = 0; t < 9; ++t) {
    EXPECT_NEAR(at[t][6][0], at[0][6][0] + 1.5 * static_cast<double>(t), 0.15);
    EXPECT_NEAR(at[t][6][1], at[0][6][1] + 0.5 * static_cast<double>(t), 0.15);
  }
  // The rightmost points leave after 7.875 / 1.5 frames, and wait where they were last.
  EXPECT_GT(at[8][9][0], 55.2);
  EXPECT_LE(at[8][9][0], 63);
  EXPECT_EQ(at[8][9][0], at[7][9][0]);
}

// All points move by (x, y) px of 256 a frame.
at::Tensor Straight(double x, double y) {
  const at::Tensor time = at::arange(kFvmdFrames, at::kDouble).view({1, -1, 1, 1});
  return (time * at::tensor({x, y}, at::kDouble)).expand({1, kFvmdFrames, kFvmdPoints, 2}).contiguous();
}

TEST(Fvmd, HistogramsOfAStraightTrack) {
  // Length sqrt(17): ceil(log2(5.12)) = 3 of 8; atan2(4, 1) + pi = 4.467: bin 5. The first frame has no velocity.
  const at::Tensor f = FvmdFeatures(Straight(4, 1)).view({2, 4, 4, 4, 8});
  at::Tensor expected = at::zeros({2, 4, 4, 4, 8}, at::kDouble);
  expected[0].select(-1, 5).fill_(100 * 3.0 / 8);
  expected[0][0].select(-1, 5).fill_(75 * 3.0 / 8);
  EXPECT_TRUE(at::allclose(f, expected));
  // The released code's acceleration is the velocity from the third frame on.
  expected[1].select(-1, 5).fill_(100 * 3.0 / 8);
  expected[1][0].select(-1, 5).fill_(50 * 3.0 / 8);
  EXPECT_TRUE(at::allclose(FvmdFeatures(Straight(4, 1), FvmdForm::kReleased).view({2, 4, 4, 4, 8}), expected));
  EXPECT_EQ(FvmdFeatures(Straight(0, 0)).abs().max().item<double>(), 0);
}

TEST(Fvmd, HistogramsOfAnAcceleratedTrackAtOnePlace) {
  // Point 0 alone: x = 1.5 t^2, y = t^2, so that acceleration is (3, 2) from frame 2 on: ceil(log2(4.61)) = 3; atan2(3, 2) + pi: bin 5.
  at::Tensor tracks = at::zeros({1, kFvmdFrames, kFvmdPoints, 2}, at::kDouble);
  for (int64_t t = 0; t < kFvmdFrames; ++t) {
    tracks[0][t][0][0] = 1.5 * static_cast<double>(t * t);
    tracks[0][t][0][1] = static_cast<double>(t * t);
  }
  const at::Tensor f = FvmdFeatures(tracks).view({2, 4, 4, 4, 8});
  EXPECT_NEAR(f[1][0][0][0][5].item<double>(), 2 * 3.0 / 8, 1e-12);
  EXPECT_NEAR(f[1][3][0][0][5].item<double>(), 4 * 3.0 / 8, 1e-12);
  EXPECT_NEAR(f[1].sum().item<double>(), 14 * 3.0 / 8, 1e-12);
  const at::Tensor pooled = PooledFvmd(f.view({1, 1024}));
  EXPECT_EQ(pooled.size(1), 64);
  EXPECT_NEAR(pooled.view({2, 4, 8})[1][3][5].item<double>(), 4 * 3.0 / 8 / 16, 1e-12);
}

TEST(Fvmd, DistanceHasTheReleasedDiagonal) {
  Rng rng(5, "features");
  const at::Tensor a = NormalTensor({64, 8}, rng).to(at::kDouble);
  EXPECT_NEAR(FvmdDistance(a, a), -2e-5 * 8, 1e-9);
  EXPECT_NEAR(FvmdDistance(a, a + 2), 4 * 8 - 2e-5 * 8, 1e-9);
  EXPECT_THROW(FvmdDistance(a.narrow(0, 0, 8), a), Error);
}

TEST(Fvmd, TracksAreInPixelsOf256) {
  const auto frames = FlowFrames(Drifting(0.75, 0, kFvmdFrames));
  const at::Tensor tracks = FvmdTracks(frames), middle = tracks.select(1, 8 * kFvmdSide + 6);
  EXPECT_EQ(tracks.sizes(), (std::vector<int64_t>{16, 400, 2}));
  EXPECT_NEAR((middle[15][0] - middle[0][0]).item<double>(), 4 * 0.75 * 15, 1);
}

TEST(Smoothness, OfADriftIsSeenByTheFlow) {
  const at::Tensor drift = Drifting(2, 1, 9), still = drift.narrow(0, 0, 1).expand_as(drift).contiguous();
  const double warp = WarpSmoothness(drift, FlowFrames(drift));
  EXPECT_GT(warp, 0.985);
  EXPECT_LT(BlendSmoothness(drift), 0.97);
  EXPECT_EQ(WarpSmoothness(still, FlowFrames(still)), 1);
  const at::Tensor back = drift.flip(0).contiguous();
  EXPECT_NEAR(WarpSmoothness(back, FlowFrames(back)), warp, 1e-6);
  const at::Tensor pair = drift.narrow(0, 0, 2);
  EXPECT_THROW(WarpSmoothness(pair, FlowFrames(pair)), Error);
}

TEST(WarpError, OfShiftAndBrightnessHasAClosedForm) {
  const at::Tensor wide = at::cat({Waves(0, 0), Waves(0, 0, 4)}, 1).clamp_max(200);
  // What is at x is at x + 2 in the next frame, 10 levels brighter.
  const at::Tensor film = at::stack({wide.narrow(1, 20, kSize), wide.narrow(1, 18, kSize) + 10}).contiguous();
  const std::vector<at::Tensor> flow = {at::tensor({2.0f, 0.0f}).expand({kSize, kSize, 2}).contiguous()};
  const WarpErrors moved = MeasureWarp(film, flow);
  EXPECT_NEAR(moved.ahead[0].item<double>(), 100, 1e-9);
  EXPECT_NEAR(moved.speed[0].item<double>(), 2, 1e-6);
  EXPECT_NEAR(Mawe(moved), 50, 1e-4);
  const at::Tensor brighter = at::stack({film[0], film[0] + 10}).contiguous();
  const WarpErrors still = MeasureWarp(brighter, std::vector<at::Tensor>{at::zeros({kSize, kSize, 2}, at::kFloat)});
  EXPECT_NEAR(still.back[0].item<double>(), 10, 1e-5);
  EXPECT_NEAR(Mawe(still), 1000, 1e-6);  // no slower than 0.1 px
}

TEST(Degree, CountsFastSteps) {
  // 16 frames of 64 px: faster than 1.5 px in 4 steps.
  std::vector<double> speeds(15, 0.0);
  for (int i = 0; i < 3; ++i) speeds[static_cast<size_t>(4 * i)] = 1.6;
  EXPECT_FALSE(IsDynamic(speeds, 64, 16));
  speeds[13] = 1.6;
  EXPECT_TRUE(IsDynamic(speeds, 64, 16));
  EXPECT_FALSE(IsDynamic(speeds, 128, 16));
  EXPECT_EQ(DynamicStride(15), 2);
  EXPECT_EQ(DynamicStride(30), 4);
  EXPECT_EQ(DynamicStride(4), 1);
  // Static: faster than 0.75 px in at most 2 steps, and not more than 3 px in all.
  std::vector<double> slow(15, 0.7);
  EXPECT_TRUE(IsStatic(slow, 0.1, 0.1, 64, 16));
  slow[0] = slow[1] = 9;
  EXPECT_TRUE(IsStatic(slow, 0.1, 0.1, 64, 16));
  EXPECT_FALSE(IsStatic(slow, 3.1, 0.1, 64, 16));
  EXPECT_FALSE(IsStatic(slow, 0.1, 3.1, 64, 16));
  slow[2] = 9;
  EXPECT_FALSE(IsStatic(slow, 0.1, 0.1, 64, 16));
}

TEST(Degree, TopSpeedIsTheMeanOfTheFastest) {
  at::Tensor flow = at::zeros({10, 10, 2}, at::kFloat);
  flow[0][0][0] = 3;
  flow[0][0][1] = 4;
  flow[5][5][1] = -2;
  EXPECT_NEAR(TopSpeed(flow, 0.02), 3.5, 1e-6);
  EXPECT_NEAR(TopSpeed(flow, 0.05), 7.0 / 5, 1e-6);
  EXPECT_NEAR(TopSpeed(flow, 0.001), 5, 1e-6);
}

TEST(Cuts, AreJumpsOfHueSaturationAndValue) {
  const at::Tensor colours = at::tensor({255, 0, 0, 0, 255, 0, 0, 0, 255, 90, 90, 90, 255, 0, 255}, at::kInt).to(at::kByte).view({5, 3});
  const at::Tensor expected = at::tensor({0, 255, 255, 60, 255, 255, 120, 255, 255, 0, 0, 90, 150, 255, 255}, at::kInt).view({5, 3});
  EXPECT_TRUE(at::equal(Hsv(colours).to(at::kInt), expected));
  const at::Tensor black = at::zeros({2, 8, 8, 3}, at::kByte), film = at::cat({black, black + 80, black + 160, black + 255});
  const at::Tensor change = ContentChange(film);
  EXPECT_NEAR(change[0].item<double>(), 0, 1e-12);
  EXPECT_NEAR(change[1].item<double>(), 80.0 / 3, 1e-9);  // 26.7: no cut
  EXPECT_NEAR(change[5].item<double>(), 95.0 / 3, 1e-9);
  EXPECT_EQ(CountCuts(film), 1);
}

Scenario Walk(const std::string& world, uint64_t seed, int64_t frames) {
  Scenario s;
  s.world = world;
  s.seed = seed;
  s.context = 1;
  const auto made = MakeWorld(world);
  const auto policy = MakePolicy("sticky");
  Rng rng(seed, "walk");
  made->Reset(seed);
  for (int64_t t = 0; t < frames; ++t) {
    s.actions.push_back(policy->Act(*made, rng));
    made->Step(s.actions.back());
  }
  return s;
}

TEST(TrueFlow, BringsTheNextFrameBack) {
  const Scenario s = Walk("maze", 5, 40);
  const Film film = MakeTruth(s).film;
  const auto before = StartWorld(s), after = StartWorld(s);
  double along = 0, standing = 0;
  for (int64_t t = 0; t < s.Last(); ++t) {
    after->Step(s.actions[static_cast<size_t>(t)]);
    const at::Tensor flow = TrueFlow(*before, *after), known = flow.isfinite().all(-1).unsqueeze(-1);
    const at::Tensor now = film.frames[t].to(at::kFloat), next = film.frames[t + 1].to(at::kFloat);
    const at::Tensor back = SampleAlong(next, flow.nan_to_num(0).to(at::kFloat), 1);
    along += ((back - now).abs() * known).mean().item<double>();
    standing += ((next - now).abs() * known).mean().item<double>();
    before->Step(s.actions[static_cast<size_t>(t)]);
  }
  EXPECT_LT(along, 0.4 * standing);
  EXPECT_FALSE(TrueFlow(*MakeWorld("keys"), *MakeWorld("keys")).defined());
}

TEST(TrueFlow, IsWhatIsFound) {
  const std::optional<FlowFloor> maze = MeasureFlow(Walk("maze", 5, 40)),
                                 balls = MeasureFlow(Walk("billiards(speed=8, friction=0)", 5, 40));
  ASSERT_TRUE(maze && balls);
  EXPECT_LT(maze->median, 0.2 * maze->speed);
  EXPECT_LT(balls->median, 0.1 * balls->speed);
  EXPECT_GT(maze->pixels, 10000);
  EXPECT_GT(balls->pixels, 100);
  EXPECT_FALSE(MeasureFlow(Walk("keys", 5, 8)));
}

at::Tensor Rows(std::initializer_list<double> values) { return at::tensor(values, at::kDouble).view({-1, 2}); }

TEST(Consistency, IsTheMeanOfCosinesToTheFirstAndTheLast) {
  EXPECT_DOUBLE_EQ(FeatureConsistency(Rows({2.0, 0.0, 0.0, 3.0, 1.0, 0.0})), 0.25) << "(0 + 0) / 2 and (1 + 0) / 2";
  EXPECT_DOUBLE_EQ(FeatureConsistency(Rows({1.0, 1.0, -1.0, -1.0, -2.0, -2.0})), 0.25) << "opposite counts 0";
  EXPECT_DOUBLE_EQ(FeatureConsistency(Rows({1.0, 2.0, 0.0, 0.0, 1.0, 2.0})), 0.25) << "nothing to be seen counts 0";
  EXPECT_DOUBLE_EQ(FeatureConsistency(at::ones({5, 7})), 1);
  EXPECT_THROW(FeatureConsistency(at::ones({1, 7})), Error);
}

TEST(Consistency, CropsFollowAThingAndEndAtTheEdge) {
  at::Tensor film = at::arange(2 * 32 * 32 * 3, at::kInt).remainder(251).to(at::kByte).view({2, 32, 32, 3});
  const ObjectFilm things = {{{4, "ball", 20.4, 9.6, {}}}, {{4, "ball", 1, 30, {}}, {5, "ball", 3, 3, {}}}};
  const Crops crops = CropThing(film, things, 4);
  EXPECT_TRUE(at::equal(crops.pictures[0], film[0].slice(0, 2, 18).slice(1, 12, 28)));
  EXPECT_TRUE(at::equal(crops.pictures[1][8][8], film[1][30][1]));
  EXPECT_TRUE(at::equal(crops.pictures[1][15][0], film[1][31][0])) << "beyond the corner it is as the corner";
  const Crops other = CropThing(film, things, 5);
  EXPECT_FALSE(other.seen[0].item<bool>());
  EXPECT_EQ(other.pictures[0].max().item<int64_t>(), 0);
  EXPECT_THROW(CropThing(film, {{}}, 4), Error);
}

TEST(Consistency, ABackgroundHasNoThings) {
  at::Tensor film = at::full({1, 40, 40, 3}, 90, at::kByte);
  film.slice(1, 4, 12).slice(2, 4, 12).fill_(200);
  const at::Tensor rest = WithoutThings(film, {{{1, "ball", 8, 8, {}}, {2, "ball", 60, -9, {}}}});
  EXPECT_TRUE(at::equal(rest, at::full_like(film, 90))) << "one is painted over, the other lies outside";
  EXPECT_TRUE(at::equal(WithoutThings(film, {{}}), film));
}

}  // namespace
}  // namespace orrery
