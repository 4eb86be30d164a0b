// A whole small model: sessions, snapshots, files.
#include "model/session.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <fstream>

#include "../dynamics/awake.h"
#include "codec/checkpoint.h"
#include "codec/registry.h"
#include "core/file.h"
#include "core/tensor_rng.h"
#include "model/dream_world.h"
#include "nn/module_tensors.h"

namespace orrery {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<WorldModel> SmallModel(const std::string& state = "window(3)", uint64_t seed = 1) {
  ModelConfig config;
  config.state = state;
  config.transition = {.dim = 32, .depth = 2, .heads = 2, .patch = 1};
  config.rollout = {.steps = 2};
  config.data = {"toy", "test", 16, 16, 10, {3, 0, {"left", "stay", "right"}, {}, {}}, false};
  auto model = std::make_shared<WorldModel>(config, MakeCodec("identity(patch=8)", 16, 16, 0), seed);
  const at::NoGradGuard guard;
  at::manual_seed(3);
  Awaken(model->Network(), 0.05);
  return model;
}

struct Context {
  at::Tensor frames, actions;
};
Context RandomContext(int64_t batch, int64_t frames, uint64_t seed) {
  Rng rng(seed);
  return {(UniformTensor({batch, frames, 16, 16, 3}, rng) * 255).to(at::kByte), (UniformTensor({batch, frames, 1}, rng) * 3).floor()};
}

Session Started(const std::shared_ptr<WorldModel>& model, int64_t batch = 1, uint64_t seed = 5) {
  Session session(model, model->Config().rollout);
  const Context context = RandomContext(batch, 4, 2);
  std::vector<uint64_t> seeds;
  for (int64_t b = 0; b < batch; ++b) seeds.push_back(seed + static_cast<uint64_t>(b));
  session.Reset(context.frames, context.actions, {}, seeds);
  return session;
}

void Walk(Session& session, int64_t steps, int64_t action = 0) {
  for (int64_t i = 0; i < steps; ++i) session.Step(at::full({session.Batch(), 1}, static_cast<double>((action + i) % 3)));
}

// With another's memory a session goes on otherwise, but for what its window holds.
TEST(Session, TakesOverWhatAnotherRemembers) {
  const auto next = [](const std::string& state, bool taken) {
    const auto model = SmallModel(state);
    const at::NoGradGuard guard;
    Awaken(*model->GetMemory(), 0.2);
    Session own(model, model->Config().rollout), other(model, model->Config().rollout);
    const Context a = RandomContext(1, 7, 2), b = RandomContext(1, 7, 3);
    own.Reset(a.frames, a.actions, {}, {5});
    other.Reset(b.frames, b.actions, {}, {6});
    if (taken) own.TakeOlder(other.Snapshot());
    Walk(own, 1);
    return own.Latent();
  };
  EXPECT_TRUE(at::equal(next("window(3)", true), next("window(3)", false)));
  for (const std::string state : {"window(3) + tome(frames=2)", "window(3) + ssm(heads=2, dim=8, every=1)", "dense()"})
    EXPECT_GT((next(state, true) - next(state, false)).abs().max().item<double>(), 1e-4) << state;
}

TEST(Session, ShowsTheLastContextFrame) {
  const auto model = SmallModel();
  const Session session = Started(model);
  EXPECT_EQ(session.Index(), 3);
  EXPECT_TRUE(at::equal(session.Frame(), RandomContext(1, 4, 2).frames.select(1, 3)));  // pixel patches are lossless
}

TEST(Session, RestoredSnapshotsGoOnToTheBit) {
  Session session = Started(SmallModel());
  Walk(session, 3);
  const SessionState snapshot = session.Snapshot();
  Walk(session, 4);
  const Parts expected = session.Snapshot().ToParts();
  session.Restore(snapshot);
  Walk(session, 4);
  EXPECT_EQ(session.Snapshot().ToParts().Difference(expected), "");
}

TEST(Session, ForksAreApart) {
  Session session = Started(SmallModel());
  Walk(session, 2);
  const Parts before = session.Snapshot().ToParts().Clone();
  Session left = session.Fork(), right = session.Fork();
  Walk(left, 3, 0);
  Walk(right, 3, 1);
  EXPECT_EQ(session.Snapshot().ToParts().Difference(before), "");
  EXPECT_NE(left.Snapshot().ToParts().Difference(right.Snapshot().ToParts()), "");
}

TEST(Session, StateSurvivesAFile) {
  const auto model = SmallModel();
  Session session = Started(model);
  Walk(session, 3);
  const std::string path = testing::TempDir() + "session.safetensors";
  session.Snapshot().ToParts().Save(path);
  Session other(model, model->Config().rollout);
  other.Restore(SessionState::FromParts(Parts::Load(path)));
  Walk(session, 3);
  Walk(other, 3);
  EXPECT_EQ(other.Snapshot().ToParts().Difference(session.Snapshot().ToParts()), "");
}

TEST(Session, RowsDoNotDependOnEachOther) {
  const auto model = SmallModel();
  Session both = Started(model, 2, 5), alone(model, model->Config().rollout);
  const Context context = RandomContext(2, 4, 2);
  alone.Reset(context.frames.narrow(0, 1, 1), context.actions.narrow(0, 1, 1), {}, {6});
  Walk(both, 3);
  Walk(alone, 3);
  EXPECT_LT((both.Latent().narrow(0, 1, 1) - alone.Latent()).abs().max().item<double>(), 1e-4);
}

TEST(Session, RefusesWhatDoesNotFit) {
  const auto model = SmallModel();
  Session session(model, model->Config().rollout);
  EXPECT_THROW(session.Step(at::zeros({1, 1})), Error);
  session = Started(model);
  EXPECT_THROW(session.Step(at::full({1, 1}, 3.0)), Error);
  EXPECT_THROW(session.Step(at::full({1, 1}, NAN)), Error);
  EXPECT_THROW(session.Step(at::zeros({1, 2})), Error);
  EXPECT_THROW(session.Reset(at::zeros({1, 2, 8, 8, 3}, at::kByte), at::zeros({1, 2, 1}), {}, {1}), Error);
}

TEST(DreamWorld, IsAWorld) {
  const auto model = SmallModel();
  const Context context = RandomContext(3, 4, 2);
  const auto starts = std::make_shared<const Starts>(Starts{context.frames, context.actions, {}});
  DreamWorld world(model, starts, model->Config().rollout);
  std::vector<uint8_t> first(16 * 16 * 3), frame(first.size()), again(first.size());
  world.Reset(1);
  world.Render(first);
  EXPECT_EQ(std::memcmp(first.data(), context.frames[1][3].contiguous().const_data_ptr(), first.size()), 0);
  world.Step(std::vector<float>{2});
  const std::string snapshot = world.Snapshot();
  world.Step(std::vector<float>{0});
  world.Render(frame);
  world.Restore(snapshot);
  world.Step(std::vector<float>{0});
  world.Render(again);
  EXPECT_EQ(frame, again);
  EXPECT_THROW(world.Restore("nonsense"), Error);
}

class ModelFolder : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    model_->Save(folder_);
    SaveCodec(folder_ / "codec.safetensors", model_->GetCodec());
  }
  std::string LoadError() const {
    try {
      WorldModel::Load(folder_);
    } catch (const Error& e) {
      return e.what();
    }
    return "no error";
  }
  const fs::path folder_ = fs::path(testing::TempDir()) / "model";
  std::shared_ptr<WorldModel> model_ = SmallModel();
};

TEST_F(ModelFolder, LoadsTheSameModel) {
  const auto loaded = WorldModel::Load(folder_);
  Session a = Started(model_), b = Started(loaded);
  Walk(a, 3);
  Walk(b, 3);
  EXPECT_EQ(a.Snapshot().ToParts().Difference(b.Snapshot().ToParts()), "");
}

TEST_F(ModelFolder, WrongFilesAreNamed) {
  const fs::path weights = folder_ / "model.safetensors";
  TensorFile file = LoadSafetensors(weights);
  const NamedTensors good = file.tensors;
  file.tensors[0].second = at::zeros({1, 2});
  SaveSafetensors(weights, file.tensors);
  EXPECT_NE(LoadError().find("expected ["), std::string::npos) << LoadError();
  file.tensors = good;
  file.tensors.pop_back();
  SaveSafetensors(weights, file.tensors);
  EXPECT_NE(LoadError().find("is missing"), std::string::npos) << LoadError();
  file.tensors = good;
  file.tensors.emplace_back("blokc0.up.bias", at::zeros({1}));
  SaveSafetensors(weights, file.tensors);
  EXPECT_NE(LoadError().find("belongs to no part"), std::string::npos) << LoadError();
  file.tensors = good;
  file.tensors[0].second = at::full_like(good[0].second, NAN);
  SaveSafetensors(weights, file.tensors);
  EXPECT_NE(LoadError().find("not finite"), std::string::npos) << LoadError();
  const std::string bytes = ReadFile(weights);
  WriteFileAtomic(weights, bytes.substr(0, bytes.size() / 2));
  EXPECT_NE(LoadError().find("lie outside"), std::string::npos) << LoadError();
  SaveSafetensors(weights, good);
  EXPECT_EQ(LoadError(), "no error");
}

TEST_F(ModelFolder, AnotherCodecIsRefused) {
  Json config = ReadJson(folder_ / "config.json");
  config["codec_hash"] = "0000";
  WriteJson(folder_ / "config.json", config);
  EXPECT_NE(LoadError().find("not the one the model was trained with"), std::string::npos);
  config["codec_hash"] = model_->Config().codec_hash;
  config["stat"] = "window(3)";
  WriteJson(folder_ / "config.json", config);
  EXPECT_NE(LoadError().find("did you mean 'state'"), std::string::npos);
  fs::remove(folder_ / "config.json");
  EXPECT_NE(LoadError().find("not a model folder"), std::string::npos);
}

}  // namespace
}  // namespace orrery
