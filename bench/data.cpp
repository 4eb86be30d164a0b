// Frames a second that the loader brings from disk, and the size on disk, as JSON.
//   bench_data [FRAME_SIDE]
#include <ATen/Parallel.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "core/rng.h"
#include "data/dataset_writer.h"
#include "data/loader.h"

namespace orrery {
namespace {

using Clock = std::chrono::steady_clock;

double Seconds(Clock::time_point since) { return std::chrono::duration<double>(Clock::now() - since).count(); }

// A picture of textured areas with a little noise that scrolls: it packs about as well as a rendered world.
Episode Scroll(const DatasetFacts& facts, int64_t frames, uint64_t seed) {
  Rng rng(seed);
  Episode episode;
  episode.frames = at::empty({frames, facts.height, facts.width, 3}, at::kByte);
  episode.actions = at::zeros({frames, 1}, at::kFloat);
  uint8_t* to = episode.frames.mutable_data_ptr<uint8_t>();
  const double phase = rng.Uniform(0, 6);
  for (int64_t t = 0; t < frames; ++t)
    for (int64_t y = 0; y < facts.height; ++y)
      for (int64_t x = 0; x < facts.width; ++x) {
        const double wave = std::sin(phase + 0.2 * static_cast<double>(x + 2 * t)) * std::cos(0.15 * static_cast<double>(y));
        const int64_t brick = ((x + 2 * t) / 7 + y / 5) % 3 * 25;
        for (int channel = 0; channel < 3; ++channel)
          *to++ = static_cast<uint8_t>(90 + 60 * wave + static_cast<double>(brick + channel * 9 + (rng.U32() & 3)));
      }
  return episode;
}

Json Measure(const std::shared_ptr<const Dataset>& set, int64_t length, int64_t batch) {
  Loader loader(set, {.batch = batch, .length = length, .seed = 1});
  loader.Next();
  const auto start = Clock::now();
  int64_t windows = 0;
  while (Seconds(start) < 2) windows += std::ssize(loader.Next().origin);
  const double rate = static_cast<double>(windows) / Seconds(start);
  return {{"length", length},
          {"batch", batch},
          {"windows_per_s", std::round(rate)},
          {"frames_per_s", std::round(rate * static_cast<double>(length))}};
}

Json Run(int64_t side) {
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("orrery_bench_data_{}", ::getpid());
  DatasetFacts facts;
  facts.name = "bench";
  facts.height = facts.width = side;
  facts.actions.count = 4;
  DatasetWriter writer(folder, facts, {.overwrite = true});
  constexpr int64_t kEpisodes = 40, kFrames = 250;
  double writing = 0;
  for (int64_t i = 0; i < kEpisodes; ++i) {
    const Episode episode = Scroll(facts, kFrames, static_cast<uint64_t>(i));
    const auto start = Clock::now();
    writer.Add(episode);
    writing += Seconds(start);
  }
  writer.Finish();
  const auto start = Clock::now();
  const auto set = std::make_shared<Dataset>(folder);
  Json result = {{"side", side}, {"open_s", Seconds(start)}};
  result["write_frames_per_s"] = std::round(kEpisodes * kFrames / writing);
  result["bytes_per_frame"] = std::filesystem::file_size(folder / "main_data.hdf5") / (kEpisodes * kFrames);
  for (const auto& [length, batch] : {std::pair{1, 256}, std::pair{8, 32}, std::pair{16, 16}, std::pair{64, 4}})
    result["loader"].push_back(Measure(set, length, batch));
  std::filesystem::remove_all(folder);
  return result;
}

}  // namespace
}  // namespace orrery

int main(int argc, char** argv) {
  at::set_num_threads(1);
  const int64_t side = argc > 1 ? std::atoll(argv[1]) : 64;
  std::printf("%s\n", orrery::Json{{"bench", "data"}, {"results", orrery::Run(side)}}.dump(2).c_str());
}
