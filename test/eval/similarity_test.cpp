// Frames are prepared as written down, and likeness has its closed forms. Agreement with other libraries: python/test_eval_parity.py.
#include "eval/quality/similarity.h"

#include <gtest/gtest.h>

#include <cmath>

#include "../core/error_of.h"
#include "films.h"

namespace orrery {
namespace {

at::Tensor Uniform(int64_t side, int64_t level) { return at::full({2, side, side, 3}, level, at::kByte); }

std::vector<double> List(const at::Tensor& t) {
  const at::Tensor flat = t.to(at::kDouble).contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

TEST(Frames, AreQuantizedWithHalvesAwayFromZero) {
  // 0.3 * 255 and 0.7 * 255 are exactly 76.5 and 178.5: rounding to even would give 76 and 178.
  const at::Tensor bytes = Quantize(at::tensor({-0.2, 0.0, 0.3, 0.7, 1.0, 1.7}, at::kDouble));
  EXPECT_EQ(bytes.scalar_type(), at::kByte);
  EXPECT_EQ(List(bytes), (std::vector<double>{0, 0, 77, 179, 255, 255}));
  const at::Tensor all = at::arange(256).to(at::kByte);
  EXPECT_TRUE(at::equal(Quantize(all.to(at::kFloat) / 255.0), all));
  EXPECT_THROW(Quantize(at::full({2}, std::nan(""))), Error);
  EXPECT_THROW(Quantize(all), Error);
}

TEST(Frames, GreyWeighsTheChannels) {
  const at::Tensor pixels = at::tensor({255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30}, at::kInt).to(at::kByte).view({1, 4, 3});
  const auto grey = List(Grey(pixels));
  const double expected[] = {76.245, 149.685, 29.07, 18.15};
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(grey[i], expected[i], 1e-12);
}

TEST(Frames, AreResizedBilinearly) {
  const at::Tensor two = at::tensor({0.0, 1.0}, at::kDouble).view({1, 2, 1});
  EXPECT_EQ(List(Resize(two, 1, 4)), (std::vector<double>{0, 0.25, 0.75, 1}));
  // Shrunk to one pixel: with antialias triangle weights 1.5, 2.5, ... of the four centres; without, the two middle pixels.
  const at::Tensor four = at::tensor({8.0, 0.0, 4.0, 20.0}, at::kDouble).view({1, 4, 1});
  EXPECT_NEAR(Resize(four, 1, 1).item<double>(), (0.625 * 8 + 0.875 * 0 + 0.875 * 4 + 0.625 * 20) / 3, 1e-12);
  EXPECT_NEAR(Resize(four, 1, 1, {.antialias = false}).item<double>(), 2, 1e-12);
  const at::Tensor film = RandomFilm({2, 12, 20, 3}, 1), small = Resize(film, 6, 10);
  EXPECT_EQ(small.sizes(), (at::IntArrayRef{2, 6, 10, 3}));
  EXPECT_EQ(small.scalar_type(), at::kDouble);
  EXPECT_TRUE(at::equal(Resize(film, 12, 20), film.to(at::kDouble)));
  EXPECT_THROW(Resize(film, 0, 4), Error);
}

TEST(Frames, ChangeTheirRateByBlending) {
  const at::Tensor film = at::tensor({10, 20, 40, 80}, at::kInt).to(at::kByte).view({4, 1});
  EXPECT_EQ(List(ResampleFrames(film, 3)), (std::vector<double>{10, 30, 80}));
  EXPECT_EQ(List(ResampleFrames(film, 7)), (std::vector<double>{10, 15, 20, 30, 40, 60, 80}));
  EXPECT_EQ(List(ResampleFrames(film, 4)), List(film));
  EXPECT_EQ(List(ResampleFrames(film, 1)), (std::vector<double>{10}));
  EXPECT_EQ(FramesAtRate(31, 30, 8), 9);  // one second
  EXPECT_THROW(FramesAtRate(31, 0, 8), Error);
}

TEST(FilmPsnrs, AreAveragedInBothOrders) {
  const at::Tensor a = at::zeros({2, 8, 8, 3}, at::kByte), b = a.clone();
  b[0].fill_(51);  // 0.2 apart: 13.979 dB; the other frame is equal: the cap
  const FilmPsnr film = SummarizePsnr(a, b);
  EXPECT_NEAR(film.mean_of_frames, (13.979400 + 100) / 2, 1e-5);
  EXPECT_NEAR(film.of_mean_mse, 16.989700, 1e-5);
  EXPECT_THROW(FramePsnr(a, b.narrow(0, 0, 1)), Error);
  EXPECT_THROW(FramePsnr(a, b.to(at::kFloat)), Error);
}

TEST(FilmPsnrs, OfNoiseAreWhatItsVarianceSays) {
  Rng rng(3);
  const at::Tensor film = Quantize(0.3 + 0.4 * UniformTensor({8, 64, 64, 3}, rng));  // far from both ends: nothing is clamped
  EXPECT_NEAR(SummarizePsnr(WithNoise(film, 0.05), film).mean_of_frames, 26.0, 0.3);
}

TEST(Ssim, OfUniformPicturesHasItsClosedForm) {
  const double a = 64 / 255.0, b = 128 / 255.0, luminance = (2 * a * b + 1e-4) / (a * a + b * b + 1e-4);
  for (const Border border : {Border::kReflect, Border::kValid})
    for (const double s : List(FrameSsim(Uniform(16, 64), Uniform(16, 128), {border}))) EXPECT_NEAR(s, luminance, 1e-12);
  at::Tensor red = Uniform(16, 64);
  red.select(3, 0).fill_(128);
  for (const double s : List(FrameSsim(Uniform(16, 64), red))) EXPECT_NEAR(s, (luminance + 2) / 3, 1e-12);
  const double share = 0.3001 / (0.0448 + 0.2856 + 0.3001);
  for (const double s : List(FrameMsSsim(Uniform(64, 64), Uniform(64, 128)))) EXPECT_NEAR(s, std::pow(luminance, share), 1e-12);
}

TEST(Ssim, OfCopiesIsExactlyOne) {
  const at::Tensor film = RandomFilm({3, 41, 57, 3}, 2);
  for (const Border border : {Border::kReflect, Border::kValid}) {
    EXPECT_EQ(List(FrameSsim(film, film, {border})), (std::vector<double>{1, 1, 1}));
    EXPECT_EQ(List(FrameMsSsim(film, film, {.border = border})), (std::vector<double>{1, 1, 1}));
  }
}

TEST(Ssim, DoesNotDependOnHowManyFramesAreComparedAtATime) {
  const at::Tensor a = RandomFilm({70, 64, 48, 3}, 4), b = WithNoise(a, 0.1), whole = FrameSsim(a, b);
  EXPECT_EQ(List(FrameSsim(a.narrow(0, 63, 2), b.narrow(0, 63, 2))), List(whole.narrow(0, 63, 2)));
}

TEST(Ssim, BordersMatterOnlyAtTheBorder) {
  at::Tensor a = RandomFilm({1, 64, 64, 3}, 5), b = a.clone();
  b.narrow(1, 0, 1).fill_(0);
  EXPECT_LT(FrameSsim(a, b, {Border::kReflect}).item<double>(), FrameSsim(a, b, {Border::kValid}).item<double>());
  EXPECT_EQ(BorderName(Border::kValid), "valid");
}

TEST(MsSsim, SaysWhatItIsAndWhatItNeeds) {
  EXPECT_EQ(MsSsimScales(64, 64), 3);
  EXPECT_EQ(MsSsimScales(160, 400), 3);
  EXPECT_EQ(MsSsimScales(161, 400), 5);
  EXPECT_EQ(MsSsimName(3), "MS-SSIM(3)");
  EXPECT_EQ(MsSsimName(5), "MS-SSIM");
  EXPECT_EQ(
      ErrorOf([] { MsSsimScales(40, 64); }),
      "MS-SSIM(3): frames with both sides above 40 pixels expected, got 40 x 64: at scale 3 they are smaller than the 11 pixel window");
  EXPECT_THROW(MsSsimScales(160, 160, {.scales = 5}), Error);
  EXPECT_THROW(MsSsimScales(64, 64, {.scales = 6}), Error);
  EXPECT_THROW(FrameSsim(Uniform(10, 0), Uniform(10, 0)), Error);
}

}  // namespace
}  // namespace orrery
