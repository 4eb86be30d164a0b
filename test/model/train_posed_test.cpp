// Training a model that takes poses: its odometry learns along, and the result plays by itself and is judged with poses given.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "../core/error_of.h"
#include "codec/checkpoint.h"
#include "codec/registry.h"
#include "data/dataset_writer.h"
#include "eval/subject.h"
#include "model/dream_world.h"
#include "model/train_model.h"
#include "worlds/registry.h"

namespace orrery {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMaze = "maze(size=5, height=16, width=16)";

std::shared_ptr<const Dataset> MazeSet(const fs::path& folder, bool pose) {
  fs::remove_all(folder);
  const auto world = MakeWorld(kMaze);
  DatasetWriter writer(folder, {"maze", kMaze, 16, 16, 15, world->Facts().actions, pose});
  Rng rng(1);
  for (uint64_t e = 0; e < 10; ++e) {
    const int64_t frames = 30;
    Episode episode{at::empty({frames, 16, 16, 3}, at::kByte), at::zeros({frames, 1}), {}, e};
    if (pose) episode.pose = at::empty({frames, 3});
    world->Reset(e);
    for (int64_t t = 0; t < frames; ++t) {
      const float action[] = {static_cast<float>(rng.Below(6))};
      if (t > 0) {
        world->Step(action);
        episode.actions[t][0] = action[0];
      }
      const at::Tensor frame = episode.frames[t];
      world->Render({frame.mutable_data_ptr<uint8_t>(), static_cast<size_t>(frame.numel())});
      const Pose at = *world->TruePose();
      if (pose) episode.pose[t].copy_(at::tensor({at.x, at.y, at.angle}, at::kFloat));
    }
    writer.Add(episode);
  }
  writer.Finish();
  return std::make_shared<const Dataset>(folder);
}

class TrainPosed : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(root_);
    codec_ = MakeCodec("identity(patch=4)", 16, 16, 0);
    SaveCodec(root_ / "run" / "codec.safetensors", *codec_);
  }
  std::shared_ptr<WorldModel> Model(const std::shared_ptr<const Dataset>& set) const {
    ModelConfig config;
    config.state = "window(3) + geometry.map(size=24, features=8, bins=6)";
    config.transition = {.dim = 32, .depth = 2, .heads = 2, .patch = 1};
    config.rollout = {.steps = 1};
    config.data = set->Facts();
    return std::make_shared<WorldModel>(config, codec_, 1);
  }
  const fs::path root_ = fs::path(testing::TempDir()) / "train_posed";
  std::shared_ptr<Codec> codec_;
};

TEST_F(TrainPosed, ItsOdometryLearnsAndItPlaysAndIsJudged) {
  const auto set = MazeSet(root_ / "set", true);
  ModelTask task(Model(set), set, {.batch = 8, .clip = 10, .starts = 3, .start_frames = 4}, root_ / "run" / "latents", {}, {});
  const double before = task.Validate()["odometry"]["position"].get<double>();
  TrainOptions options = ModelTrainDefaults();
  options.steps = 200;
  options.warmup = 5;
  options.validate_minutes = options.checkpoint_minutes = 1000;
  const TrainReport report = Train(task, options, root_ / "run");
  EXPECT_LT(report.validation["odometry"]["position"].get<double>(), 0.7 * before);
  EXPECT_LT(report.validation["odometry"]["heading"].get<double>(), 7.5) << "degrees; a turn is 15";

  const auto model = WorldModel::Load(root_ / "run");
  const auto starts = std::make_shared<const Starts>(LoadStarts(root_ / "run"));
  ASSERT_TRUE(starts->pose.defined());
  DreamWorld dream(model, starts, model->Config().rollout);
  dream.Reset(0);
  const at::Tensor begin = dream.Dream().Snapshot().pose;
  const float left[] = {2};
  for (int t = 0; t < 6; ++t) dream.Step(left);
  const double turned = (dream.Dream().Snapshot().pose - begin)[0][2].item<double>();
  EXPECT_NEAR(std::remainder(turned, 2 * M_PI), 6 * M_PI / 12, 0.8) << "six turns to the left by 15 degrees";

  const auto subject = ModelSubject("trained", model, model->Config().rollout);
  Scenario s{kMaze, 3, 4, {}, "", 0, 0};
  for (int t = 0; t < 8; ++t) s.actions.push_back({static_cast<float>(t % 6)});
  EXPECT_EQ(subject->Unfit(s), "");
  EXPECT_EQ(Imagine(*subject, s, 0).Count(), 5);
}

TEST_F(TrainPosed, DataWithoutPosesAreRefused) {
  const auto set = MazeSet(root_ / "bare", false);
  EXPECT_NE(
      ErrorOf([&] { ModelTask(Model(set), set, {.batch = 2, .clip = 4}, root_ / "latents", {}, {}); }).find("need a data set with poses"),
      std::string::npos);
}

}  // namespace
}  // namespace orrery
