// Videos: what is written can be read, crop and rate do what they say, and no broken file passes.
#include "data/video.h"

#include <ATen/ATen.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdlib>

#include "core/file.h"
#include "core/tensor_rng.h"
#include "test_data.h"

namespace orrery {
namespace {

namespace fs = std::filesystem;

double Psnr(const at::Tensor& a, const at::Tensor& b) {
  const double mse = (a.to(at::kDouble) - b.to(at::kDouble)).square().mean().item<double>();
  return 10 * std::log10(255.0 * 255.0 / std::max(mse, 1e-9));
}

// A soft picture that drifts: [T, H, W, 3]. Frame t has brightness of its own, so that frames can be told apart.
at::Tensor Film(int64_t frames, int64_t height, int64_t width) {
  const at::Tensor t = at::arange(frames, at::kFloat).view({-1, 1, 1, 1});
  const at::Tensor y = at::arange(height, at::kFloat).view({1, -1, 1, 1}) / height;
  const at::Tensor x = at::arange(width, at::kFloat).view({1, 1, -1, 1}) / width;
  const at::Tensor c = at::arange(3, at::kFloat).view({1, 1, 1, 3});
  return (40 + 4 * t + 40 * (3 * x + 2 * y + c + 0.1 * t).sin() + 30 * y).clamp(0, 255).to(at::kByte);
}

void Write(const fs::path& path, const at::Tensor& film, const VideoWriteOptions& options = {}) {
  VideoWriter writer(path, film.size(1), film.size(2), options);
  for (int64_t t = 0; t < film.size(0); ++t) writer.Add(film[t]);
  writer.Finish();
}

// Runs the ffmpeg program, for files that the writer does not write.
void Ffmpeg(const std::string& arguments) { ASSERT_EQ(std::system(("ffmpeg -v error -y " + arguments).c_str()), 0) << arguments; }

TEST(Video, RoundTripInEveryFormat) {
  const TemporaryFolder folder;
  const at::Tensor film = Film(31, 48, 64);
  for (const auto& [name, least] : {std::pair{"film.mp4", 38.0}, std::pair{"film.webm", 36.0}, std::pair{"film.gif", 30.0}}) {
    Write(folder / name, film, {.fps = 20});
    const Video read = ReadVideo(folder / name, {.height = 48, .width = 64});
    ASSERT_EQ(read.frames.sizes(), film.sizes()) << name;
    EXPECT_NEAR(read.fps, 20, 0.01) << name;
    for (int64_t t = 0; t < film.size(0); ++t) EXPECT_GT(Psnr(read.frames[t], film[t]), least) << name << " frame " << t;
  }
  EXPECT_EQ(CountFiles(folder.Path()), 3);
}

TEST(Video, ScaleAndOddSizes) {
  const TemporaryFolder folder;
  const at::Tensor film = Film(5, 7, 9);
  Write(folder / "film.mp4", film, {.scale = 5});
  const Video big = ReadVideo(folder / "film.mp4", {.height = 36, .width = 46});
  const at::Tensor wanted = film.repeat_interleave(5, 1).repeat_interleave(5, 2);
  EXPECT_GT(Psnr(big.frames.narrow(1, 0, 35).narrow(2, 0, 45), wanted), 32);
}

TEST(Video, QualityIsObeyed) {
  const TemporaryFolder folder;
  const at::Tensor film = (Film(12, 64, 64).to(at::kFloat) / 2 + at::randint(0, 100, {12, 64, 64, 3})).to(at::kByte);
  for (const std::string suffix : {".mp4", ".webm"}) {
    Write(folder / ("fine" + suffix), film, {.quality = 10});
    Write(folder / ("coarse" + suffix), film, {.quality = 40});
    EXPECT_GT(fs::file_size(folder / ("fine" + suffix)), 2 * fs::file_size(folder / ("coarse" + suffix)));
  }
}

TEST(Video, CropsAroundTheCentre) {
  const TemporaryFolder folder;
  at::Tensor film = at::zeros({3, 60, 160, 3}, at::kByte);
  film.slice(2, 50, 110).fill_(200);  // the middle square is light, the sides are black
  Write(folder / "film.mp4", film);
  const at::Tensor cropped = ReadVideo(folder / "film.mp4", {.height = 20, .width = 20}).frames;
  EXPECT_GT(cropped.narrow(2, 1, 18).min().item<int64_t>(), 180);
  const at::Tensor whole = ReadVideo(folder / "film.mp4", {.height = 20, .width = 20, .crop = false}).frames;
  EXPECT_LT(whole.narrow(2, 0, 5).max().item<int64_t>(), 20);
  EXPECT_GT(whole.narrow(2, 8, 4).min().item<int64_t>(), 180);
  // Upright frames lose rows.
  const at::Tensor tall = film.transpose(1, 2).contiguous();
  Write(folder / "tall.mp4", tall);
  EXPECT_GT(ReadVideo(folder / "tall.mp4", {.height = 20, .width = 20}).frames.narrow(1, 1, 18).min().item<int64_t>(), 180);
}

TEST(Video, ShrinkingAveragesAreas) {
  const TemporaryFolder folder;
  const at::Tensor film = Film(3, 96, 128);
  Write(folder / "film.mp4", film, {.quality = 4});
  const at::Tensor small = ReadVideo(folder / "film.mp4", {.height = 24, .width = 32}).frames;
  const at::Tensor means = film.to(at::kFloat).view({3, 24, 4, 32, 4, 3}).mean({2, 4});
  EXPECT_GT(Psnr(small, means), 38);
}

TEST(Video, RateTakesTheNearestFrames) {
  const TemporaryFolder folder;
  Write(folder / "film.mp4", Film(31, 16, 16), {.fps = 30});
  const auto indices = [&](double fps) {
    VideoReader reader(folder / "film.mp4", {.height = 16, .width = 16, .fps = fps});
    EXPECT_EQ(reader.Fps(), fps);
    std::vector<int64_t> all;
    while (const auto frame = reader.Next()) all.push_back(frame->index);
    return all;
  };
  EXPECT_EQ(indices(10), (std::vector<int64_t>{0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30}));
  EXPECT_EQ(indices(7), (std::vector<int64_t>{0, 4, 9, 13, 17, 21, 26, 30}));
  std::vector<int64_t> same(31);
  for (int64_t i = 0; i < 31; ++i) same[i] = i;
  EXPECT_EQ(indices(30), same);
  EXPECT_EQ(indices(60).size(), 61u);
}

TEST(Video, ReaderCountsAndHoldsOneFrame) {
  const TemporaryFolder folder;
  Write(folder / "film.mp4", Film(9, 16, 16));
  VideoReader reader(folder / "film.mp4", {.height = 16, .width = 16});
  for (int64_t i = 0; i < 9; ++i) EXPECT_EQ(reader.Next()->index, i);
  EXPECT_FALSE(reader.Next());
  EXPECT_FALSE(reader.Next());
  EXPECT_EQ(reader.Decoded(), 9);
}

// Every cut of the file must be noticed, wherever it falls.
TEST(Video, CutShortIsOneLineThatNamesTheFrameReached) {
  const TemporaryFolder folder;
  const at::Tensor film = (Film(40, 48, 48).to(at::kFloat) / 2 + at::randint(0, 60, {40, 48, 48, 3})).to(at::kByte);
  Write(folder / "late.mp4", film);
  Ffmpeg(fmt::format("-i {} -c copy -movflags faststart {}", (folder / "late.mp4").string(), (folder / "early.mp4").string()));
  Write(folder / "film.webm", film);
  Write(folder / "film.gif", film);
  for (const std::string name : {"late.mp4", "early.mp4", "film.webm", "film.gif"}) {
    const std::string bytes = ReadFile(folder / name);
    const fs::path cut = folder / ("cut" + fs::path(name).extension().string());
    for (const double share : {0.02, 0.3, 0.5, 0.8, 0.97, 1.0}) {
      WriteFileAtomic(cut, std::string_view(bytes).substr(0, static_cast<size_t>(share * static_cast<double>(bytes.size() - 1))));
      const std::string message = ErrorOf([&] { ReadVideo(cut, {.height = 48, .width = 48}); });
      ExpectOneLine(message, {cut.string()});
      const bool readable_start = name != "late.mp4" && share > 0.4 && share < 1;
      if (readable_start) ExpectOneLine(message, {"cut short", "frames 0.."});
    }
    EXPECT_EQ(ErrorOf([&] { ReadVideo(folder / name, {.height = 48, .width = 48}); }), "");
  }
}

TEST(Video, DamageInsideIsNoticed) {
  const TemporaryFolder folder;
  const at::Tensor film = (Film(40, 48, 48).to(at::kFloat) / 2 + at::randint(0, 60, {40, 48, 48, 3})).to(at::kByte);
  Write(folder / "film.mp4", film);
  std::string bytes = ReadFile(folder / "film.mp4");
  std::fill(bytes.begin() + bytes.size() / 2, bytes.begin() + bytes.size() / 2 + 3000, '\x11');
  WriteFileAtomic(folder / "film.mp4", bytes);
  ExpectOneLine(ErrorOf([&] { ReadVideo(folder / "film.mp4", {.height = 48, .width = 48}); }), {"film.mp4", "frames 0.."});
}

TEST(Video, WhatIsNoVideoIsOneLine) {
  const TemporaryFolder folder;
  ExpectOneLine(ErrorOf([&] { ReadVideo(folder / "none.mp4", {}); }), {"none.mp4", "no such"});
  WriteFileAtomic(folder / "text.mp4", std::string(5000, 'x'));
  ExpectOneLine(ErrorOf([&] { ReadVideo(folder / "text.mp4", {}); }), {"text.mp4", "not a readable video"});
  WriteFileAtomic(folder / "empty.mp4", "");
  ExpectOneLine(ErrorOf([&] { ReadVideo(folder / "empty.mp4", {}); }), {"empty.mp4", "not a readable video"});
  Ffmpeg(fmt::format("-f lavfi -i sine=duration=1 {}", (folder / "sound.mp4").string()));
  ExpectOneLine(ErrorOf([&] { ReadVideo(folder / "sound.mp4", {}); }), {"sound.mp4", "no video stream"});
}

TEST(Video, SoundBesideThePictureIsPassedOver) {
  const TemporaryFolder folder;
  Ffmpeg(fmt::format("-f lavfi -i testsrc=duration=1:rate=25 -f lavfi -i sine=duration=3 {}", (folder / "both.mp4").string()));
  EXPECT_EQ(ReadVideo(folder / "both.mp4", {}).frames.size(0), 25);
}

TEST(VideoWriter, WholeOrAbsent) {
  const TemporaryFolder folder;
  const at::Tensor film = Film(4, 16, 16);
  {
    VideoWriter writer(folder / "film.mp4", 16, 16, {});
    writer.Add(film[0]);
  }
  EXPECT_EQ(CountFiles(folder.Path()), 0);
  Write(folder / "film.mp4", film);
  const std::string bytes = ReadFile(folder / "film.mp4");
  {
    VideoWriter writer(folder / "film.mp4", 16, 16, {});
    writer.Add(film[0]);
  }
  EXPECT_EQ(ReadFile(folder / "film.mp4"), bytes);
  VideoWriter writer(folder / "none.gif", 16, 16, {});
  ExpectOneLine(ErrorOf([&] { writer.Finish(); }), {"none.gif", "no frame"});
  ExpectOneLine(ErrorOf([&] { writer.Add(film[0].slice(0, 0, 8)); }), {"[16, 16, 3]", "[8, 16, 3]"});
  ExpectOneLine(ErrorOf([&] { VideoWriter(folder / "film.avi", 16, 16, {}); }), {"film.avi", ".mp4, .webm or .gif"});
}

// A limit on the size of files stands for a full disk.
TEST(VideoWriterDeathTest, FullDiskIsOneLineAndKeepsTheOldFilm) {
  const TemporaryFolder folder;
  const auto limited = [&] {
    const at::Tensor film = at::randint(0, 256, {30, 64, 64, 3}).to(at::kByte);
    std::signal(SIGXFSZ, SIG_IGN);
    for (const std::string name : {"film.mp4", "film.webm", "film.gif"}) {
      WriteFileAtomic(folder / name, "old");
      const rlimit limit = {20000, RLIM_INFINITY};
      setrlimit(RLIMIT_FSIZE, &limit);
      ExpectOneLine(ErrorOf([&] { Write(folder / name, film); }), {name, "File too large"});
      EXPECT_EQ(ReadFile(folder / name), "old");
    }
    EXPECT_EQ(CountFiles(folder.Path()), 3);
    std::exit(::testing::Test::HasFailure() ? 1 : 0);
  };
  EXPECT_EXIT(limited(), ::testing::ExitedWithCode(0), "^$");
}

TEST(Picture, PngRoundTrip) {
  const TemporaryFolder folder;
  const at::Tensor image = at::randint(0, 256, {13, 7, 3}).to(at::kByte);
  WritePng(folder / "a.png", image);
  EXPECT_TRUE(at::equal(ReadPng(folder / "a.png"), image));
  EXPECT_EQ(ReadFile(folder / "a.png"), EncodePng(image));
  EXPECT_TRUE(at::equal(ReadVideo(folder / "a.png", {.height = 13, .width = 7, .fps = 1}).frames[0], image));
  const std::string bytes = ReadFile(folder / "a.png");
  WriteFileAtomic(folder / "cut.png", std::string_view(bytes).substr(0, bytes.size() / 2));
  ExpectOneLine(ErrorOf([&] { ReadPng(folder / "cut.png"); }), {"cut.png"});
  WriteFileAtomic(folder / "text.png", "no picture");
  ExpectOneLine(ErrorOf([&] { ReadPng(folder / "text.png"); }), {"text.png"});
}

TEST(Picture, FilmStripPlacesFrames) {
  const at::Tensor a = at::randint(0, 255, {3, 4, 5, 3}).to(at::kByte), b = at::randint(0, 255, {2, 4, 5, 3}).to(at::kByte);
  const at::Tensor strip = FilmStrip({a, b}, 2, 3);
  EXPECT_EQ(strip.sizes(), (at::IntArrayRef{2 * 8 + 3, 3 * 10 + 2 * 3, 3}));
  const auto at_place = [&](int64_t row, int64_t column) {
    return strip.narrow(0, row * 11, 8).narrow(1, column * 13, 10).slice(0, 0, 8, 2).slice(1, 1, 10, 2);
  };
  EXPECT_TRUE(at::equal(at_place(0, 2), a[2]));
  EXPECT_TRUE(at::equal(at_place(1, 1), b[1]));
  EXPECT_TRUE(at::all(at_place(1, 2) == 255).item<bool>());
  EXPECT_TRUE(at::all(strip.narrow(0, 8, 3) == 255).item<bool>());
  ExpectOneLine(ErrorOf([&] { FilmStrip({a, b.slice(1, 0, 3)}, 1, 0); }), {"film strip"});
}

}  // namespace
}  // namespace orrery
