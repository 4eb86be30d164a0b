// Training a small world model end to end: latents on disk, resume to the bit, a usable result.
#include "model/train_model.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "../core/error_of.h"
#include "bar_set.h"
#include "codec/checkpoint.h"
#include "codec/registry.h"
#include "eval/drift.h"
#include "eval/one_step.h"

namespace orrery {
namespace {

namespace fs = std::filesystem;

class TrainModel : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(root_);
    set_ = BarSet(root_ / "set");
    codec_ = MakeCodec("identity(patch=4)", 16, 16, 0);
  }
  std::shared_ptr<WorldModel> Model(const std::string& state = "window(4)") const {
    ModelConfig config;
    config.state = state;
    config.transition = {.dim = 64, .depth = 2, .heads = 2, .patch = 1};
    config.rollout = {.steps = 2};
    config.data = set_->Facts();
    return std::make_shared<WorldModel>(config, codec_, 1);
  }
  TrainReport Run(const std::string& name, int64_t steps, std::shared_ptr<WorldModel> model) const {
    const fs::path run = root_ / name;
    ModelTask task(std::move(model), set_, {.batch = 4, .starts = 3, .start_frames = 4}, run / "latents", {}, {});
    TrainOptions options = ModelTrainDefaults();
    options.steps = steps;
    options.warmup = 5;
    options.validate_minutes = options.checkpoint_minutes = 1000;
    return Train(task, options, run);
  }
  const fs::path root_ = fs::path(testing::TempDir()) / "train_model";
  std::shared_ptr<const Dataset> set_;
  std::shared_ptr<Codec> codec_;
};

TEST_F(TrainModel, LatentsAreTheCodecsAndAreKept) {
  const LatentStore store(*set_, *codec_, "h", root_ / "cache");
  const Clip clip = store.Read(2, 3, 5);
  const Episode truth = set_->Read(2, 3, 5);
  const at::NoGradGuard guard;
  EXPECT_LT((clip.latent[0] - codec_->Encode(BytesToFrames(truth.frames))).abs().max().item<double>(), 2e-3);  // float16
  EXPECT_TRUE(at::equal(clip.condition.action[0], truth.actions));
  EXPECT_TRUE(clip.condition.known.all().item<bool>());
  EXPECT_FALSE(store.Read(2, 0, 2).condition.known[0][0].item<bool>());
  const auto written = fs::last_write_time(root_ / "cache" / "latents.f16");
  const LatentStore again(*set_, *codec_, "h", root_ / "cache");
  EXPECT_EQ(fs::last_write_time(root_ / "cache" / "latents.f16"), written) << "encoded twice";
  Rng rng(1);
  EXPECT_THROW(store.Sample({0, 1}, 2, 99, rng), Error);
}

TEST_F(TrainModel, TheResultLoadsAndStarts) {
  const auto model = Model();
  SaveCodec(root_ / "run" / "codec.safetensors", *codec_);
  const TrainReport report = Run("run", 6, model);
  EXPECT_EQ(report.steps, 6);
  EXPECT_TRUE(report.validation.contains("loss"));
  const auto loaded = WorldModel::Load(root_ / "run");
  const Starts starts = LoadStarts(root_ / "run");
  EXPECT_EQ(starts.frames.sizes(), (at::IntArrayRef{3, 4, 16, 16, 3}));
  const Json one_step = ScoreOneStep(loaded, *set_, {0, 1}, {.windows = 8, .context = 4, .rollout = loaded->Config().rollout});
  EXPECT_GT(one_step["moving"].get<int>(), 0);
  EXPECT_TRUE(std::isfinite(one_step["gain"].get<double>()));
  const Json drift = ScoreDrift(loaded, *set_, {0, 1}, {.rollouts = 2, .frames = 40, .context = 4, .rollout = loaded->Config().rollout});
  EXPECT_EQ(drift["blocks"].size(), 2u);
}

TEST_F(TrainModel, AStateGoesOverFromWindowToWindow) {
  const auto loss = [&](const std::string& state, int64_t clip, int64_t windows) {
    const auto model = Model(state);
    ModelTask task(model, set_, {.batch = 4, .clip = clip, .windows = windows}, root_ / "set-latents", {}, {});
    EXPECT_EQ(task.FramesPerBatch(), 4 * clip * windows);
    std::map<std::string, at::Tensor> terms;
    Rng rng(3);
    const at::Tensor loss = task.Loss(rng, terms);
    loss.backward();
    return loss.item<double>();
  };
  EXPECT_GT(loss("window(2) + ssm(heads=2, dim=8, state=8, every=1)", 6, 3), 0);
  EXPECT_NE(ErrorOf([&] { loss("window(2)", 6, 3); }).find("carries nothing"), std::string::npos);
}

TEST_F(TrainModel, LearnsTheBar) {
  const auto model = Model();
  ModelTask task(model, set_, {.batch = 8, .starts = 3, .start_frames = 4}, root_ / "bar" / "latents", {}, {});
  TrainOptions options = ModelTrainDefaults();
  options.steps = 350;
  options.warmup = 10;
  options.ema = 0.98;
  options.validate_minutes = options.checkpoint_minutes = 1000;
  SaveCodec(root_ / "bar" / "codec.safetensors", *codec_);
  Train(task, options, root_ / "bar");
  const auto loaded = WorldModel::Load(root_ / "bar");
  const Json score = ScoreOneStep(loaded, *set_, {0, 1, 2, 3}, {.windows = 48, .context = 4, .rollout = loaded->Config().rollout});
  EXPECT_GT(score["gain_low"].get<double>(), 0.5) << score.dump();
}

}  // namespace
}  // namespace orrery
