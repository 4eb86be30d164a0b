// Sessions under every rollout: frames in flight are part of the state.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "../dynamics/awake.h"
#include "codec/checkpoint.h"
#include "codec/registry.h"
#include "core/file.h"
#include "core/tensor_rng.h"
#include "model/dream_world.h"

namespace orrery {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<WorldModel> TinyModel(const std::string& state = "window(3)", bool pose = false,
                                      const std::string& objective = "diffusion_forcing") {
  ModelConfig config;
  config.state = state;
  config.objective = objective;
  config.transition = {.dim = 32, .depth = 2, .heads = 2, .patch = 1, .pose = pose};
  config.rollout = {.steps = 2};
  config.data = {"toy", "test", 16, 16, 10, {3, 0, {"left", "stay", "right"}, {}, {}}, pose};
  auto model = std::make_shared<WorldModel>(config, MakeCodec("identity(patch=8)", 16, 16, 0), 1);
  const at::NoGradGuard guard;
  at::manual_seed(3);
  Awaken(model->Network(), 0.05);
  return model;
}

Session Begin(const std::shared_ptr<WorldModel>& model, const std::string& spec, int64_t batch = 1, bool pose = false) {
  RolloutOptions options = model->Config().rollout;
  options.spec = spec;
  Session session(model, options);
  Rng rng(2);
  const at::Tensor frames = (UniformTensor({batch, 4, 16, 16, 3}, rng) * 255).to(at::kByte);
  const at::Tensor actions = (UniformTensor({batch, 4, 1}, rng) * 3).floor();
  std::vector<uint64_t> seeds;
  for (int64_t b = 0; b < batch; ++b) seeds.push_back(5 + static_cast<uint64_t>(b));
  session.Reset(frames, actions, pose ? at::zeros({batch, 4, 3}) : at::Tensor(), seeds);
  return session;
}

at::Tensor Same(const Session& session, int64_t action) { return at::full({session.Batch(), 1}, static_cast<double>(action % 3)); }

void Walk(Session& session, int64_t steps, int64_t action = 0) {
  for (int64_t i = 0; i < steps; ++i) session.Step(Same(session, action + i));
}

class RolloutOf : public testing::TestWithParam<std::string> {};

TEST_P(RolloutOf, SnapshotsForksAndFilesGoOnToTheBit) {
  const auto model = TinyModel("window(3) + ssm(heads=2, dim=8, state=4, every=1)");
  Session session = Begin(model, GetParam(), 2);
  Walk(session, 4);
  const SessionState snapshot = session.Snapshot();
  const fs::path file = fs::path(testing::TempDir()) / "flight.safetensors";
  snapshot.ToParts().Save(file);
  Session fork = session.Fork();
  Walk(fork, 3, 2);  // a sibling goes elsewhere
  Walk(session, 5, 1);
  const Parts expected = session.Snapshot().ToParts();
  session.Restore(snapshot);
  Walk(session, 5, 1);
  EXPECT_EQ(session.Snapshot().ToParts().Difference(expected), "");
  Session other = Begin(model, GetParam(), 2);
  other.Restore(SessionState::FromParts(Parts::Load(file)));
  EXPECT_EQ(other.Snapshot().ToParts().Difference(snapshot.ToParts()), "");
  Walk(other, 5, 1);
  EXPECT_EQ(other.Snapshot().ToParts().Difference(expected), "");
}

TEST_P(RolloutOf, RowsDoNotDependOnEachOther) {
  const auto model = TinyModel();
  Session both = Begin(model, GetParam(), 2);
  RolloutOptions options = model->Config().rollout;
  options.spec = GetParam();
  Session alone(model, options);
  Rng rng(2);
  const at::Tensor frames = (UniformTensor({2, 4, 16, 16, 3}, rng) * 255).to(at::kByte),
                   actions = (UniformTensor({2, 4, 1}, rng) * 3).floor();
  alone.Reset(frames.narrow(0, 1, 1), actions.narrow(0, 1, 1), {}, {6});
  Walk(both, 4);
  Walk(alone, 4);
  EXPECT_LT((both.Latent().narrow(0, 1, 1) - alone.Latent()).abs().max().item<double>(), 1e-4);
}

// A frame from elsewhere takes the place of the one in flight, and what follows was never in flight beside another.
TEST_P(RolloutOf, AForcedFrameDropsThoseInFlight) {
  const auto model = TinyModel();
  Session session = Begin(model, GetParam());
  Walk(session, 3);
  session.Force(at::zeros_like(session.Latent()), Same(session, 1));
  EXPECT_EQ(session.Index(), 7);
  EXPECT_TRUE(session.Snapshot().flight.frames.empty());
  Walk(session, 3);
  EXPECT_EQ(session.Index(), 10);
  EXPECT_TRUE(at::isfinite(session.Latent()).all().item<bool>());
}

INSTANTIATE_TEST_SUITE_P(Registered, RolloutOf,
                         testing::Values("sequential", "sequential(block=2)", "pyramid(u=1)", "pyramid(u=0, horizon=3)", "ad(s=1)",
                                         "pipeline(window=2)", "rolling(window=3, sink=1)", "sliding(window=3, sink=1, recache=true)"));

TEST(Rollouts, WhatIsInFlightIsPartOfTheState) {
  Session session = Begin(TinyModel(), "pyramid(u=1)");
  Walk(session, 2);
  EXPECT_EQ(session.Snapshot().flight.frames.size(), 1U);
  EXPECT_TRUE(session.Snapshot().ToParts().Has("flight/latent"));
  Session plain = Begin(TinyModel(), "sequential");
  Walk(plain, 2);
  const Parts parts = plain.Snapshot().ToParts();
  for (const Part& part : parts.All()) EXPECT_FALSE(part.name.starts_with("flight")) << part.name;
}

// Told what comes, a rollout that keeps a frame's first action makes what one that reads new ones makes.
TEST(Rollouts, KnownActionsAheadTakeThePlaceOfGuesses) {
  const auto model = TinyModel();
  const auto film = [&](const std::string& spec, bool told) {
    Session session = Begin(model, spec);
    std::vector<at::Tensor> frames;
    for (int64_t t = 0; t < 6; ++t) {
      const auto action = [&](int64_t i) { return at::full({1, 1}, static_cast<double>(i * i % 3)); };
      FrameCondition ahead;
      if (told) ahead.action = at::stack({action(t + 1), action(t + 2), action(t + 3)}, 1);
      session.Step(action(t), {}, ahead);
      frames.push_back(session.Latent());
    }
    return at::stack(frames);
  };
  const std::string keeps = "pipeline(window=4, steps=4)", reads = "pipeline(window=4, steps=4, reread=true)";
  EXPECT_TRUE(at::equal(film(keeps, true), film(reads, true)));
  EXPECT_FALSE(at::equal(film(keeps, false), film(reads, false)));
  EXPECT_TRUE(at::equal(film("sequential", true), film("sequential", false)));
}

TEST(Rollouts, PosesOfFramesInFlightAreGuessed) {
  Session session = Begin(TinyModel("window(3)", true), "pyramid(u=1)", 1, true);
  session.Step(Same(session, 0), at::full({1, 3}, 0.25));
  EXPECT_TRUE(at::equal(session.Snapshot().pose, at::full({1, 3}, 0.25)));
  EXPECT_TRUE(session.Snapshot().flight.frames[0].condition.pose.defined());
  Walk(session, 3);
  EXPECT_TRUE(at::isfinite(session.Latent()).all().item<bool>());
}

TEST(Rollouts, RecacheOfTheSameActionsChangesNothing) {
  Session session = Begin(TinyModel(), "sliding(window=4, sink=1, recache=true)");
  Walk(session, 6);
  const Parts before = session.Snapshot().ToParts().Clone();
  ASSERT_GT(session.Recent(), 3);
  session.Recache({}, {});
  EXPECT_EQ(session.Snapshot().ToParts().Difference(before), "");
  session.Recache(at::full({1, session.Recent(), 1}, 2.0), {});
  EXPECT_NE(session.Snapshot().ToParts().Difference(before), "");
  EXPECT_EQ(session.Index(), 9);
  EXPECT_THROW(session.Recache(at::zeros({1, 1, 1}), {}), Error);
  Session plain = Begin(TinyModel(), "sequential");
  EXPECT_THROW(plain.Recache({}, {}), Error);
}

TEST(Rollouts, AModelsFileCarriesItsRollout) {
  const auto model = TinyModel();
  const fs::path folder = fs::path(testing::TempDir()) / "rolling_model";
  fs::remove_all(folder);
  model->Save(folder);
  SaveCodec(folder / "codec.safetensors", model->GetCodec());
  Json config = ReadJson(folder / "config.json");
  EXPECT_EQ(config["rollout"]["spec"], "sequential");
  config["rollout"]["spec"] = "pyramid(u=1)";
  WriteJson(folder / "config.json", config);
  const auto loaded = WorldModel::Load(folder);
  EXPECT_EQ(Session(loaded, loaded->Config().rollout).Plan().ReactionLatency(), 1);
  for (const char* later : {"spec", "context_scale"}) config["rollout"].erase(later);  // as files before rollouts had specs
  WriteJson(folder / "config.json", config);
  EXPECT_EQ(WorldModel::Load(folder)->Config().rollout.spec, "sequential");
}

TEST(Rollouts, AModelIsRunOnlyAsItWasTrained) {
  const auto model = TinyModel("window(3)", false, "teacher_forcing");
  EXPECT_NO_THROW(Begin(model, "sequential"));
  try {
    Begin(model, "pyramid(u=1)");
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("not trained for"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace orrery
