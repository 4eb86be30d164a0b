// Training a small world model with every objective: the run goes on to the bit after a stop, and the result is a model that runs.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "../dynamics/awake.h"
#include "bar_set.h"
#include "codec/checkpoint.h"
#include "codec/registry.h"
#include "core/file.h"
#include "core/signals.h"
#include "dynamics/objectives/registry.h"
#include "model/session.h"
#include "model/train_model.h"

namespace orrery {
namespace {

namespace fs = std::filesystem;

// Asks for a stop at a step.
class StoppedTask : public ModelTask {
 public:
  using ModelTask::ModelTask;
  at::Tensor Loss(Rng& rng, std::map<std::string, at::Tensor>& terms) override {
    if (++step_ == stop_at) RequestStop();
    return ModelTask::Loss(rng, terms);
  }
  int64_t stop_at = -1;

 private:
  int64_t step_ = 0;
};

// Short warm-ups, so that what begins after them is stopped and resumed too.
std::string ShortSpec(const std::string& name) {
  if (name == "resampling") return "resampling(warmup=2)";
  if (name == "shortcut") return "shortcut(grid=4, warmup=2)";
  if (name == "error_bank") return "error_bank(grids=3, entries=4, warmup=2, update=0.5)";
  if (name == "causal_ode") return "causal_ode(steps=2, grid=4)";
  if (name == "self_forcing") return "self_forcing(steps=2, ratio=2)";
  return name;
}

class EveryObjective : public testing::TestWithParam<std::string> {
 protected:
  EveryObjective() : root_(fs::path(testing::TempDir()) / ("objective-" + GetParam())) {
    fs::remove_all(root_);
    set_ = BarSet(root_ / "set");
    codec_ = MakeCodec("identity(patch=4)", 16, 16, 0);
  }
  ~EveryObjective() override { ClearStopRequest(); }

  std::shared_ptr<WorldModel> Model(const std::string& objective, uint64_t seed = 1) const {
    ModelConfig config;
    config.state = "window(4)";
    config.objective = objective;
    config.transition = {.dim = 32, .depth = 2, .heads = 2, .patch = 1};
    config.rollout = {.steps = 2};
    config.rollout.context_level = Objectives().Make(objective, NoisePaths().Make(config.path))->ContextLevel();
    config.data = set_->Facts();
    return std::make_shared<WorldModel>(config, codec_, seed);
  }
  // An untrained teacher of the kind that is needed.
  std::shared_ptr<const WorldModel> TeacherOf(const std::string& name) const {
    if (name == "causal_ode") return Model("teacher_forcing", 2);
    if (name == "self_forcing") return Model("full_sequence", 2);
    return nullptr;
  }
  TrainReport Run(const fs::path& run, int64_t stop_at) const {
    const std::string spec = ShortSpec(GetParam());
    StoppedTask task(Model(spec), set_, {.batch = 2, .starts = 2, .start_frames = 3}, root_ / "latents", {}, {}, TeacherOf(GetParam()));
    task.stop_at = stop_at;
    TrainOptions options = ModelTrainDefaults();
    options.steps = 8;
    options.warmup = 2;
    options.validate_minutes = options.checkpoint_minutes = 1000;
    const TrainReport report = Train(task, options, run);
    ClearStopRequest();
    return report;
  }
  const fs::path root_;
  std::shared_ptr<const Dataset> set_;
  std::shared_ptr<Codec> codec_;
};

TEST_P(EveryObjective, GoesOnToTheBitAndRuns) {
  EXPECT_EQ(Run(root_ / "whole", -1).steps, 8);
  EXPECT_TRUE(Run(root_ / "parts", 5).interrupted);
  EXPECT_EQ(Run(root_ / "parts", -1).steps, 8);
  const TensorFile a = LoadSafetensors(root_ / "whole" / "checkpoint.safetensors"),
                   b = LoadSafetensors(root_ / "parts" / "checkpoint.safetensors");
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (const auto& [name, tensor] : a.tensors) {
    const at::Tensor* other = b.Find(name);
    ASSERT_NE(other, nullptr) << name;
    EXPECT_TRUE(at::equal(tensor, *other)) << name;
  }

  SaveCodec(root_ / "whole" / "codec.safetensors", *codec_);
  const auto model = WorldModel::Load(root_ / "whole");
  EXPECT_EQ(model->Config().objective, Objectives().Make(ShortSpec(GetParam()), model->Path())->Spec());
  Session session(model, model->Config().rollout);
  const Episode truth = set_->Read(0, 0, 3);
  session.Reset(truth.frames.unsqueeze(0), truth.actions.unsqueeze(0), {}, {7});
  session.Step(at::zeros({1, 1}));
  EXPECT_TRUE(at::isfinite(session.Latent()).all().item<bool>());
}

INSTANTIATE_TEST_SUITE_P(All, EveryObjective, testing::ValuesIn(Objectives().Names()), [](const auto& info) { return info.param; });

// A session tells the size of its steps to a model that learned them, and to no other that has the weights.
TEST(StepSize, IsToldToModelsThatLearnedIt) {
  const fs::path root = fs::path(testing::TempDir()) / "step-size";
  const auto set = BarSet(root / "set");
  const std::shared_ptr<Codec> codec = MakeCodec("identity(patch=4)", 16, 16, 0);
  const auto heard = [&](const std::string& objective) {
    ModelConfig config;
    config.objective = objective;
    config.transition = {.dim = 32, .depth = 1, .heads = 2, .patch = 1, .step = true};
    config.rollout.steps = 2;
    config.data = set->Facts();
    at::manual_seed(3);
    const auto model = std::make_shared<WorldModel>(config, codec, 1);
    Awaken(model->Network(), 0.3);
    const auto frame = [&] {
      Session session(model, model->Config().rollout);
      const Episode truth = set->Read(0, 0, 2);
      session.Reset(truth.frames.unsqueeze(0), truth.actions.unsqueeze(0), {}, {7});
      session.Step(at::zeros({1, 1}));
      return session.Latent().clone();
    };
    const at::Tensor before = frame();
    const at::NoGradGuard guard;
    for (auto& item : model->Network().named_parameters())
      if (item.key().starts_with("step_out")) item.value().zero_();
    return !at::equal(before, frame());
  };
  EXPECT_TRUE(heard("shortcut(grid=4)"));
  EXPECT_FALSE(heard("diffusion_forcing"));
}

TEST(OldModels, KeepTheirObjective) {
  const fs::path root = fs::path(testing::TempDir()) / "old-objective";
  const auto set = BarSet(root / "set");
  const std::shared_ptr<Codec> codec = MakeCodec("identity(patch=4)", 16, 16, 0);
  ModelConfig config;
  config.transition = {.dim = 32, .depth = 1, .heads = 2, .patch = 1};
  config.data = set->Facts();
  WorldModel(config, codec, 1).Save(root / "model");
  SaveCodec(root / "model" / "codec.safetensors", *codec);
  Json json = ReadJson(root / "model" / "config.json");
  json["objective"] = {{"context_share", 0.5}, {"context_noise", 0.1}, {"action_drop", 0.1}};
  json["transition"].erase("step");
  WriteJson(root / "model" / "config.json", json);
  EXPECT_EQ(WorldModel::Load(root / "model")->Config().objective,
            Objectives().Make("diffusion_forcing", NoisePaths().Make("flow"))->Spec());
  json["objective"] = "diffusion_forcing(prefix=0.8)";
  WriteJson(root / "model" / "config.json", json);
  EXPECT_NE(WorldModel::Load(root / "model")->Config().objective.find("prefix=0.8"), std::string::npos);
}

}  // namespace
}  // namespace orrery
