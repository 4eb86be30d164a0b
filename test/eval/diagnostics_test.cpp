// Diagnostics have their closed forms, and each metric of pixels puts spoilt films where it must.
#include "eval/quality/diagnostics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "eval/quality/distances.h"
#include "eval/quality/feature_sets.h"
#include "eval/quality/similarity.h"
#include "films.h"

namespace orrery {
namespace {

// A film of uniform frames of these grey levels.
at::Tensor Levels(const std::vector<int>& levels, int64_t side = 8) {
  const at::Tensor column = at::tensor(levels, at::kInt).to(at::kByte).view({-1, 1, 1, 1});
  return column.expand({column.size(0), side, side, 3}).contiguous();
}

at::Tensor Checkerboard(int level) {
  const at::Tensor i = at::arange(8, at::kLong), odd = (i.unsqueeze(1) + i.unsqueeze(0)) % 2;
  return (odd * level).to(at::kByte).view({1, 8, 8, 1}).expand({2, 8, 8, 3}).contiguous();
}

at::Tensor Reordered(const at::Tensor& film, uint64_t seed) {
  Rng rng(seed, "order");
  return film.index_select(0, at::tensor(Permutation(film.size(0), rng), at::kLong));
}

at::Tensor Frozen(const at::Tensor& film) { return film.narrow(0, 0, 1).expand_as(film).contiguous(); }

TEST(Sharpness, OfACheckerboard) {
  // Every inner pixel differs from all four neighbours: +-4 * 255, half of each.
  const at::Tensor sharpness = FrameSharpness(Checkerboard(255));
  EXPECT_NEAR(sharpness[0].item<double>(), 1020.0 * 1020.0, 1e-6);
  EXPECT_NEAR(*SharpnessRatio(Checkerboard(51), Checkerboard(255)).value, 0.04, 1e-12);
  const Measured none = SharpnessRatio(Checkerboard(255), Levels({9, 9}));
  EXPECT_FALSE(none.value);
  EXPECT_EQ(none.cause, "the real film has no edges");
}

TEST(Spectrum, OfPowerLawPicturesHasTheirExponent) {
  for (const double exponent : {1.0, 2.0, 3.0}) {
    const int64_t n = 128;
    Rng rng(7, "spectrum");
    const at::Tensor white = at::fft_fft2(NormalTensor({4, n, n}, rng).to(at::kDouble)), f = at::fft_fftfreq(n, 1.0, at::kDouble) * n;
    at::Tensor radius = (f.square().unsqueeze(1) + f.square().unsqueeze(0)).sqrt();
    radius[0][0] = 1;
    at::Tensor picture = at::real(at::fft_ifft2(white * radius.pow(-exponent / 2)));
    picture = 0.5 + 0.15 * picture / picture.std();
    const at::Tensor slope = FrameSpectrumSlope(Quantize(picture).unsqueeze(-1).expand({4, n, n, 3}));
    EXPECT_NEAR(slope.mean().item<double>(), exponent, 0.15) << exponent;
  }
  const at::Tensor film = RecordFilm("maze", 1, 4);
  EXPECT_EQ(SpectrumSlopeError(film, film), 0);
  EXPECT_GT(SpectrumSlopeError(Blurred(film), film), 0.5);
  EXPECT_TRUE(FrameSpectrumSlope(Levels({0, 255}, 16)).isfinite().all().item<bool>());
}

TEST(Colors, DriftByWhatWasAdded) {
  const at::Tensor film = RandomFilm({3, 8, 8, 3}, 1).clamp_max(128);
  at::Tensor brighter = film.clone();
  brighter[2] += 51;
  const ColorDrift drift = FrameColorDrift(brighter, film);
  EXPECT_NEAR(drift.mean[1].item<double>(), 0, 1e-12);
  EXPECT_NEAR(drift.mean[2].item<double>(), 0.2, 1e-12);
  EXPECT_NEAR(drift.deviation[2].item<double>(), 0, 1e-12);
  const ColorStatistics board = FrameColors(Checkerboard(255));
  EXPECT_NEAR(board.mean[0][1].item<double>(), 0.5, 1e-12);
  EXPECT_NEAR(board.deviation[0][1].item<double>(), 0.5, 1e-12);
}

TEST(Motion, IsComparedWithTheRealFilms) {
  const at::Tensor real = Levels({0, 10, 20, 20, 30, 40}), fake = Levels({0, 0, 20, 40, 40, 40});
  EXPECT_NEAR(*MotionRatio(fake, real).value, 1.0, 1e-12);
  EXPECT_EQ(*MotionRatio(Frozen(real), real).value, 0);
  EXPECT_FALSE(MotionRatio(real, Frozen(real)).value);
  // The real film moves at steps 0, 1, 3 and 4; of these the other repeats itself at 0, 3 and 4.
  EXPECT_NEAR(*DuplicateRate(fake, real).value, 0.75, 1e-12);
  EXPECT_EQ(*DuplicateRate(real, real).value, 0);
  EXPECT_EQ(DuplicateRate(real, Frozen(real)).cause, "the real film never moves by half a grey level a frame");
  EXPECT_THROW(FrameMotion(Levels({3})), Error);
}

TEST(Flickering, AndSmoothnessHaveTheirEnds) {
  const at::Tensor alternating = Levels({0, 255, 0, 255, 0}), rising = Levels({0, 2, 4, 6, 8, 10}), still = Levels({7, 7, 7});
  EXPECT_EQ(TemporalFlickering(alternating), 0);
  EXPECT_EQ(TemporalFlickering(still), 1);
  EXPECT_NEAR(TemporalFlickering(rising), 253.0 / 255, 1e-12);
  EXPECT_EQ(BlendSmoothness(alternating), 0);
  EXPECT_EQ(BlendSmoothness(still), 1);
  EXPECT_EQ(BlendSmoothness(rising), 1);
  EXPECT_NEAR(BlendSmoothness(Levels({0, 0, 30, 30, 60})), 240.0 / 255, 1e-12);
  EXPECT_THROW(BlendSmoothness(Levels({0, 1})), Error);
}

TEST(StartAndEnd, AreFifteenPercentOfTheFilmEach) {
  std::vector<int> levels;
  for (int t = 0; t < 20; ++t) levels.push_back(10 * t);
  const auto brightness = [](const at::Tensor& part) { return part.to(at::kDouble).mean().item<double>(); };
  EXPECT_NEAR(StartEndContrast(Levels(levels), brightness), 170, 1e-12);  // 3 frames each: levels 10 and 180
  EXPECT_NEAR(StartEndContrast(Levels(levels).flip(0), brightness), 170, 1e-12);
  EXPECT_EQ(StartEndContrast(Levels({5, 5}), brightness), 0);
}

double MeanPsnr(const at::Tensor& a, const at::Tensor& b) { return SummarizePsnr(a, b).mean_of_frames; }
double MeanSsim(const at::Tensor& a, const at::Tensor& b) { return FrameSsim(a, b).mean().item<double>(); }

class SpoiltFilms : public testing::TestWithParam<const char*> {};

TEST_P(SpoiltFilms, AreOrderedByLikeness) {
  const at::Tensor real = RecordFilm(GetParam(), 1, 48), other = RecordFilm(GetParam(), 2, 48);
  const at::Tensor noise = WithNoise(real, 0.05), blur = Blurred(real);
  EXPECT_EQ(MeanPsnr(real, real), 100);
  EXPECT_NEAR(MeanPsnr(noise, real), 26.0, 1.0);  // clamping raises it
  EXPECT_GT(MeanPsnr(noise, real), MeanPsnr(other, real));
  EXPECT_GT(MeanPsnr(blur, real), MeanPsnr(other, real));
  EXPECT_EQ(MeanSsim(real, real), 1);
  EXPECT_GT(MeanSsim(blur, real), MeanSsim(other, real));
  EXPECT_LT(*SharpnessRatio(blur, real).value, 0.5);
  EXPECT_GT(*SharpnessRatio(noise, real).value, 1);
}

TEST_P(SpoiltFilms, AreOrderedByMotion) {
  const at::Tensor real = RecordFilm(GetParam(), 3, 48), shuffled = Reordered(real, 1), reversed = real.flip(0), frozen = Frozen(real);
  EXPECT_EQ(TemporalFlickering(frozen), 1);
  EXPECT_EQ(BlendSmoothness(frozen), 1);
  EXPECT_EQ(*MotionRatio(frozen, real).value, 0);
  EXPECT_GT(*DuplicateRate(frozen, real).value, 0.99);
  EXPECT_LT(TemporalFlickering(shuffled), TemporalFlickering(real));
  EXPECT_LT(BlendSmoothness(shuffled), BlendSmoothness(real));
  EXPECT_GT(*MotionRatio(shuffled, real).value, 1.2);
  EXPECT_NEAR(TemporalFlickering(reversed), TemporalFlickering(real), 1e-12);
  EXPECT_NEAR(*MotionRatio(reversed, real).value, 1, 1e-12);
  EXPECT_GT(TemporalFlickering(Blurred(real)), TemporalFlickering(real));
}

INSTANTIATE_TEST_SUITE_P(Worlds, SpoiltFilms, testing::Values("maze", "billiards"));

// Where pictures are full of edges, blur is worse than noise of 0.05; in smooth ones it is not.
TEST(SpoiltFilm, OfManyEdgesIsWorseBlurredThanNoisy) {
  const at::Tensor real = RecordFilm("keys", 1, 24);
  EXPECT_GT(MeanPsnr(WithNoise(real, 0.05), real), MeanPsnr(Blurred(real), real));
}

TEST(SpoiltFilm, OfAnotherTakeIsNearerThanAnotherScene) {
  const at::Tensor real = RecordFilm("billiards", 1, 24), take = RecordFilm("billiards", 1, 24, 1), other = RecordFilm("billiards", 2, 24);
  EXPECT_FALSE(at::equal(real, take));
  EXPECT_GT(MeanPsnr(take, real), MeanPsnr(other, real) + 3);
  EXPECT_NEAR(*MotionRatio(take, real).value, 1, 0.2);
}

}  // namespace
}  // namespace orrery
