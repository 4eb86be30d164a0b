#include "model/train_codec.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "codec/checkpoint.h"
#include "codec/registry.h"
#include "core/file.h"
#include "core/tensor_rng.h"
#include "data/dataset_writer.h"
#include "data/video.h"

namespace orrery {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSide = 16;

// A bright disc on a sloping ground, at random places.
at::Tensor Picture(Rng& rng) {
  const at::Tensor axis = at::arange(kSide, at::kFloat), y = axis.view({-1, 1}), x = axis.view({1, -1});
  const at::Tensor ground = 0.2 + 0.02 * (rng.Uniform() * x + rng.Uniform() * y);
  const at::Tensor disc = at::sigmoid(4 - ((x - rng.Uniform(4, 12)).square() + (y - rng.Uniform(4, 12)).square()).sqrt());
  const double hue = rng.Uniform();
  return FramesToBytes(at::stack({ground + hue * disc, ground + (1 - hue) * disc, ground + 0.5 * disc}));
}

class TrainCodecTest : public testing::Test {
 protected:
  void SetUp() override {
    at::set_num_threads(1);  // networks this small only wait for each other on two
    folder_ = fs::temp_directory_path() / fmt::format("orrery_train_codec_{}", ::getpid());
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::shared_ptr<const Dataset> Data(int64_t episodes) const {
    DatasetFacts facts;
    facts.name = "discs";
    facts.height = facts.width = kSide;
    DatasetWriter writer(folder_ / "data", facts, {.overwrite = true});
    Rng rng(1);
    for (int64_t e = 0; e < episodes; ++e) {
      std::vector<at::Tensor> frames;
      for (int i = 0; i < 24; ++i) frames.push_back(Picture(rng));
      Episode episode;
      episode.frames = at::stack(frames);
      writer.Add(episode);
    }
    writer.Finish();
    return std::make_shared<const Dataset>(folder_ / "data");
  }

  TrainReport Run(const std::string& name, std::shared_ptr<const Dataset> data, const std::string& spec, int64_t steps,
                  double noise = 0.2) const {
    CodecTrainOptions options;
    options.batch = 16;
    options.validation_frames = 48;
    options.statistics_frames = 480;
    options.loss.noise = noise;
    TrainOptions training = CodecTrainDefaults();
    training.steps = steps;
    training.bf16 = false;
    training.ema = 0.95;
    return TrainCodec(spec, std::move(data), options, training, folder_ / name);
  }
  fs::path folder_;
};

constexpr const char* kSmall = "vae(latent=4, features=16, blocks=1)";

TEST_F(TrainCodecTest, LearnsToReconstructHeldOutFrames) {
  const auto data = Data(20);
  const double before = Run("short", data, kSmall, 1).validation["psnr"], after = Run("long", data, kSmall, 250).validation["psnr"];
  EXPECT_GT(after, before + 8);
  EXPECT_GT(after, 24);

  const auto codec = LoadCodec(folder_ / "long");
  const at::Tensor frames = BytesToFrames(data->Read(3, 0, 24).frames), latents = codec->Encode(frames);
  EXPECT_GT(PeakSignalToNoise(codec->Decode(latents), frames).mean().item<double>(), 22);
  EXPECT_TRUE(at::allclose(latents.mean({0, 2, 3}), at::zeros({4}), 0, 0.5));
  EXPECT_TRUE(at::allclose(latents.std({0, 2, 3}), at::ones({4}), 0, 0.5));

  const at::Tensor sample = ReadPng(folder_ / "long" / "samples" / "000250.png");
  EXPECT_EQ(sample.size(2), 3);
  const Json config = ReadJson(folder_ / "long" / "config.json");
  EXPECT_EQ(config["codec"], codec->Spec());
  EXPECT_EQ(config["data"]["name"], "discs");
}

TEST_F(TrainCodecTest, ValidatesOnEpisodesThatTrainingNeverSees) {
  EXPECT_TRUE(Run("several", Data(5), kSmall, 1).validation["held_out"].get<bool>());
  EXPECT_FALSE(Run("one", Data(1), kSmall, 1).validation["held_out"].get<bool>());
}

TEST_F(TrainCodecTest, MeasuresStatisticsOfACodecWithoutWeights) {
  const auto data = Data(6);
  const Json validation = Run("identity", data, "identity(patch=4)", 1).validation;
  EXPECT_GT(validation["psnr"].get<double>(), 60);
  const auto codec = LoadCodec(folder_ / "identity");
  const at::Tensor latents = codec->Encode(BytesToFrames(data->Read(0, 0, 24).frames));
  EXPECT_NEAR(latents.mean().item<double>(), 0, 0.3);
  EXPECT_NEAR(latents.std().item<double>(), 1, 0.3);
}

TEST_F(TrainCodecTest, RefusesAnotherCodecInTheSameRun) {
  const auto data = Data(3);
  Run("run", data, kSmall, 1);
  EXPECT_THROW(Run("run", data, "vae(latent=4, features=8, blocks=1)", 2), Error);
  EXPECT_EQ(Run("run", data, kSmall, 2).steps, 2);
}

}  // namespace
}  // namespace orrery
