// Poses that nobody gives: the algebra of motions, what the odometry learns, and sessions, dreams and files that use it.
#include "model/odometry.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/optim/adam.h>

#include <numbers>

#include "../core/error_of.h"
#include "../dynamics/awake.h"
#include "codec/checkpoint.h"
#include "codec/registry.h"
#include "core/tensor_rng.h"
#include "model/dream_world.h"
#include "worlds/registry.h"

namespace orrery {
namespace {

at::Tensor Row(std::initializer_list<double> values) { return at::tensor(std::vector<double>(values)).to(at::kFloat).view({1, -1}); }

TEST(Motions, AreSeenFromThePoseBefore) {
  // Facing +y at (1, 2): to (0, 4) is 2 forward and 1 to the left.
  const double up = std::numbers::pi / 2;
  EXPECT_TRUE(at::allclose(MotionBetween(Row({1, 2, up}), Row({0, 4, up + 0.3})), Row({2, 1, 0.3}), 1e-5, 1e-5));
  EXPECT_TRUE(at::allclose(PoseAfter(Row({1, 2, up}), Row({2, 1, 0.3})), Row({0, 4, up + 0.3}), 1e-5, 1e-5));
  // Over the seam of the circle one turns the short way.
  EXPECT_NEAR(MotionBetween(Row({0, 0, 3.1}), Row({0, 0, -3.1}))[0][2].item<double>(), 2 * std::numbers::pi - 6.2, 1e-5);
  Rng rng(1);
  const at::Tensor a = NormalTensor({50, 3}, rng) * 2, b = NormalTensor({50, 3}, rng) * 2, back = PoseAfter(a, MotionBetween(a, b));
  EXPECT_TRUE(at::allclose(back.narrow(1, 0, 2), b.narrow(1, 0, 2), 1e-4, 1e-4));
  EXPECT_TRUE(at::allclose(back.select(1, 2).cos(), b.select(1, 2).cos(), 1e-4, 1e-4));
}

const LatentShape kLatent{.channels = 2, .height = 2, .width = 2};
const ActionSpace kActions{3, 0, {"forward", "left", "right"}, {}, {}};

// A walker between walls: it goes half a unit forward unless the frame says that a wall is ahead, and turns by 0.4.
Clip Walkers(int64_t batch, int64_t frames, Rng& rng) {
  Clip clip{NormalTensor({batch, frames, 2, 2, 2}, rng),
            {(UniformTensor({batch, frames, 1}, rng) * 3).floor(), {}, at::zeros({batch, frames, 3})}};
  clip.condition.pose.select(1, 0).copy_(NormalTensor({batch, 3}, rng));
  const at::Tensor wall = UniformTensor({batch, frames}, rng) < 0.3;
  clip.latent.select(2, 0).copy_(at::where(wall, 1.0, -1.0).view({batch, frames, 1, 1}).expand({-1, -1, 2, 2}));
  for (int64_t t = 1; t < frames; ++t) {
    const at::Tensor act = clip.condition.action.select(1, t).select(1, 0);
    const at::Tensor forward = at::where((act == 0) & wall.select(1, t - 1).logical_not(), 0.5, 0.0);
    const at::Tensor turn = at::where(act == 1, 0.4, at::where(act == 2, -0.4, 0.0));
    clip.condition.pose.select(1, t).copy_(
        PoseAfter(clip.condition.pose.select(1, t - 1), at::stack({forward, at::zeros_like(forward), turn}, 1)));
  }
  return clip;
}

TEST(Odometry, LearnsWhatActionsAndWallsDoAndAddsUp) {
  at::manual_seed(1);
  Odometry odometry(kLatent, kActions);
  odometry.SetScale(at::tensor({0.25F, 0.0F, 0.3F}));
  torch::optim::Adam adam(odometry.parameters(), torch::optim::AdamOptions(3e-3));
  Rng rng(2);
  const double before = odometry.Score(Walkers(32, 12, rng)).Root()["position"].get<double>();
  for (int step = 0; step < 400; ++step) {
    adam.zero_grad();
    odometry.Loss(Walkers(16, 8, rng)).backward();
    adam.step();
  }
  const Clip fresh = Walkers(32, 31, rng);
  const Json score = odometry.Score(fresh).Root();
  EXPECT_LT(score["position"].get<double>(), 0.1 * before);
  EXPECT_LT(score["heading"].get<double>(), 1.5);

  const at::NoGradGuard guard;
  at::Tensor pose = fresh.condition.pose.select(1, 0), motion;
  for (int64_t t = 1; t < 31; ++t) {
    const at::Tensor next = odometry.Predict(fresh.latent.select(1, t - 1), pose, motion, fresh.condition.action.select(1, t));
    pose = PoseAfter(pose, next);
    motion = next;
  }
  const at::Tensor truth = fresh.condition.pose.select(1, 30);
  EXPECT_LT((pose - truth).narrow(1, 0, 2).norm(2, 1).mean().item<double>(), 0.5) << "30 steps of dead reckoning";
  EXPECT_GT((truth - fresh.condition.pose.select(1, 0)).narrow(1, 0, 2).norm(2, 1).mean().item<double>(), 1.0);
}

TEST(Odometry, ActionsThatNobodyKnowsDoNotCount) {
  at::manual_seed(1);
  const Odometry odometry(kLatent, kActions);
  Rng rng(3);
  Clip clip = Walkers(2, 6, rng);
  clip.condition.known = at::ones({2, 6}, at::kBool);
  clip.condition.known.select(1, 3).fill_(false);
  const double loss = odometry.Loss(clip).item<double>();
  EXPECT_EQ(odometry.Score(clip).frames, 8);
  clip.condition.action.select(1, 3).copy_(2 - clip.condition.action.select(1, 3));
  EXPECT_EQ(odometry.Loss(clip).item<double>(), loss);
  clip.condition.known.fill_(false);
  EXPECT_TRUE(odometry.Score(clip).Root().is_null());
}

constexpr const char* kMaze = "maze(size=5, height=16, width=16)";

std::shared_ptr<WorldModel> PosedModel(const std::string& state = "window(2) + geometry.map(size=16, cell=0.5, features=4, bins=3)") {
  ModelConfig config;
  config.state = state;
  config.transition = {.dim = 32, .depth = 2, .heads = 2, .patch = 1};
  config.rollout = {.steps = 2};
  config.data = {"maze", kMaze, 16, 16, 15, MakeWorld(kMaze)->Facts().actions, true};
  auto model = std::make_shared<WorldModel>(config, MakeCodec("identity(patch=8)", 16, 16, 0), 1);
  const at::NoGradGuard guard;
  at::manual_seed(3);
  Awaken(model->Network(), 0.05);
  Awaken(*model->GetMemory(), 0.2);
  if (model->GetOdometry()) model->GetOdometry()->SetScale(at::full({3}, 0.3));
  return model;
}

Starts RandomStart(int64_t batch = 1) {
  Rng rng(4);
  return {(UniformTensor({batch, 3, 16, 16, 3}, rng) * 255).to(at::kByte), (UniformTensor({batch, 3, 1}, rng) * 6).floor(),
          NormalTensor({batch, 3, 3}, rng)};
}

Session Begun(const std::shared_ptr<WorldModel>& model) {
  Session session(model, model->Config().rollout);
  const Starts start = RandomStart();
  session.Reset(start.frames, start.actions, start.pose, {7});
  return session;
}

at::Tensor Act(int64_t t) { return at::full({1, 1}, static_cast<double>(t % 6)); }

TEST(Sessions, GuessThePoseThatNobodyGives) {
  const auto model = PosedModel();
  Session guessing = Begun(model), told = Begun(model), elsewhere = Begun(model);
  for (int64_t t = 0; t < 5; ++t) {
    const SessionState& s = guessing.Snapshot();
    const at::NoGradGuard guard;
    const at::Tensor pose = PoseAfter(s.pose, model->GetOdometry()->Predict(s.latent, s.pose, s.motion, Act(t)));
    guessing.Step(Act(t));
    told.Step(Act(t), pose);
    elsewhere.Step(Act(t), pose + 1);
    EXPECT_TRUE(at::equal(guessing.Snapshot().pose, pose));
    EXPECT_TRUE(at::equal(guessing.Frame(), told.Frame())) << t;
  }
  EXPECT_FALSE(at::equal(guessing.Latent(), elsewhere.Latent())) << "poses matter to this model";
}

TEST(Sessions, KeepPoseAndMotionInTheirSnapshots) {
  const auto model = PosedModel();
  Session session = Begun(model);
  for (int64_t t = 0; t < 3; ++t) session.Step(Act(t));
  const Parts kept = session.Snapshot().ToParts();
  EXPECT_TRUE(kept.Has("motion"));
  Session again(model, model->Config().rollout);
  again.Restore(SessionState::FromParts(kept));
  for (int64_t t = 3; t < 6; ++t) {
    session.Step(Act(t));
    again.Step(Act(t));
  }
  EXPECT_EQ(session.Snapshot().ToParts().Difference(again.Snapshot().ToParts()), "");
}

TEST(Sessions, ThatCannotKnowThePoseSayWhatIsMissing) {
  const auto model = PosedModel();
  Session session(model, model->Config().rollout);
  const Starts start = RandomStart();
  EXPECT_NE(ErrorOf([&] { session.Reset(start.frames, start.actions, {}, {7}); }).find("give the pose of the context's frames"),
            std::string::npos);
  Starts bare = start;
  bare.pose = at::Tensor();
  EXPECT_NE(
      ErrorOf([&] { DreamWorld(model, std::make_shared<const Starts>(bare), model->Config().rollout); }).find("real beginnings have none"),
      std::string::npos);
}

TEST(Files, KeepTheOdometryAndOldOnesWithoutItLoad) {
  const auto model = PosedModel();
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "posed-model";
  std::filesystem::remove_all(folder);
  model->Save(folder);
  SaveCodec(folder / "codec.safetensors", model->GetCodec());
  const auto loaded = WorldModel::Load(folder);
  EXPECT_EQ(loaded->Parameters(), model->Parameters());
  Session a = Begun(model), b = Begun(std::const_pointer_cast<WorldModel>(loaded));
  a.Step(Act(1));
  b.Step(Act(1));
  EXPECT_TRUE(at::equal(a.Snapshot().pose, b.Snapshot().pose));

  const TensorFile file = LoadSafetensors(folder / "model.safetensors");
  NamedTensors without;
  for (const auto& [name, tensor] : file.tensors)
    if (!name.starts_with("odometry.")) without.emplace_back(name, tensor.clone());
  EXPECT_LT(without.size(), file.tensors.size());
  SaveSafetensors(folder / "model.safetensors", without, {{"format", "orrery.model/1"}});
  const auto old = std::const_pointer_cast<WorldModel>(WorldModel::Load(folder));
  Session c = Begun(old);
  c.Step(Act(1), Row({1, 1, 0}));
  EXPECT_NE(ErrorOf([&] { c.Step(Act(2)); }).find("cannot guess them"), std::string::npos);
  EXPECT_EQ(PosedModel("window(2)")->GetOdometry(), nullptr) << "nothing asks for poses";
}

TEST(Dreams, ArePlayableWithPosesOfTheirOwn) {
  const auto model = PosedModel("window(2) + retrieval.pose(k=1, range=3)");
  const auto starts = std::make_shared<const Starts>(RandomStart(2));
  DreamWorld dream(model, starts, model->Config().rollout);
  dream.Reset(1);
  EXPECT_TRUE(at::equal(dream.Dream().Snapshot().pose[0], starts->pose[1][2]));
  const float forward[] = {1};
  dream.Step(forward);
  const std::string kept = dream.Snapshot();
  dream.Step(forward);
  const at::Tensor after = dream.Dream().Snapshot().pose;
  EXPECT_FALSE(at::equal(after[0], starts->pose[1][2]));
  dream.Restore(kept);
  dream.Step(forward);
  EXPECT_TRUE(at::equal(dream.Dream().Snapshot().pose, after));
}

TEST(Dreams, AreToldThePosesOfTheirGuide) {
  const auto model = PosedModel();
  const auto world = [&] {
    auto w = MakeWorld(kMaze);
    w->Reset(5);
    return w;
  };
  const auto place = [](const World& w) {
    const Pose p = *w.TruePose();
    return Row({p.x, p.y, p.angle});
  };
  const auto truth = world();
  Starts start = RandomStart();
  start.pose = place(*truth).expand({3, 3}).unsqueeze(0).contiguous();
  DreamWorld dream(model, std::make_shared<const Starts>(start), model->Config().rollout, world());
  dream.Reset(1);
  std::string kept;
  std::vector<at::Tensor> poses;
  for (int t = 0; t < 8; ++t) {
    if (t == 3) kept = dream.Snapshot();
    const float action[] = {static_cast<float>(t % 6)};
    truth->Step(action);
    dream.Step(action);
    poses.push_back(dream.Dream().Snapshot().pose);
    EXPECT_TRUE(at::equal(poses.back(), place(*truth))) << t;
  }
  EXPECT_FALSE(dream.TruePose()) << "a dream has no true pose";
  dream.Restore(kept);
  for (int t = 3; t < 8; ++t) {
    const float action[] = {static_cast<float>(t % 6)};
    dream.Step(action);
    EXPECT_TRUE(at::equal(dream.Dream().Snapshot().pose, poses[static_cast<size_t>(t)])) << t;
  }
  dream.Reset(1);
  const float action[] = {0};
  dream.Step(action);
  EXPECT_TRUE(at::equal(dream.Dream().Snapshot().pose, poses[0])) << "Reset takes the guide back too";
}

}  // namespace
}  // namespace orrery
