// Models that take poses as subjects: told those of the true world under the same actions.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "../dynamics/awake.h"
#include "codec/registry.h"
#include "eval/subject.h"
#include "model/dream_world.h"
#include "scenes.h"

namespace orrery {
namespace {

constexpr const char* kMaze = "maze(size=5, height=16, width=16)";

std::shared_ptr<WorldModel> Posed(const std::string& state) {
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
  return model;
}

class PosedSubjects : public testing::TestWithParam<std::string> {};

TEST_P(PosedSubjects, ImagineWithThePosesOfTheSameActions) {
  const Scenario s = PolicyScenario(kMaze, 2, 5, 12);
  const auto model = Posed(GetParam());
  const auto subject = ModelSubject("posed", model, model->Config().rollout);
  EXPECT_EQ(subject->Unfit(s), "");
  EXPECT_EQ(subject->Facts()["poses"], "given");
  const Film truth = MakeTruth(s).film, film = Imagine(*subject, s, 1);
  ASSERT_EQ(film.Count(), 8);
  EXPECT_TRUE(film.poses.empty()) << "what it was told is no answer of its own";

  at::Tensor actions = at::zeros({1, 13, 1}), pose = at::zeros({1, 13, 3});
  for (int64_t t = 0; t < 13; ++t) {
    if (t > 0) actions[0][t][0] = s.actions[static_cast<size_t>(t - 1)][0];
    const Pose& p = truth.poses[static_cast<size_t>(t)];
    pose[0][t].copy_(at::tensor({p.x, p.y, p.angle}, at::kFloat));
  }
  Session session(model, model->Config().rollout);
  session.Reset(truth.frames.slice(0, 0, 5).unsqueeze(0), actions.narrow(1, 0, 5), pose.narrow(1, 0, 5), {SampleSeed(s, 1)});
  for (int64_t t = 5; t < 13; ++t) {
    session.Step(actions.select(1, t), pose.select(1, t));
    EXPECT_TRUE(at::equal(session.Frame()[0], film.frames[t - 5])) << t;
  }
  // Shown true frames, it goes on from the true past with the poses that belong to them.
  const at::Tensor forced = Imagine(*subject, s, 1, 1).frames;
  EXPECT_TRUE(at::equal(forced[0], film.frames[0]));
  EXPECT_FALSE(at::equal(forced[2], film.frames[2]));
}

// Rows of one session and sessions of their own agree but for rounding, which may turn a colour by one.
TEST_P(PosedSubjects, ImagineSideBySideAsAlone) {
  std::vector<Scenario> scenarios;
  for (uint64_t seed = 2; seed < 17; ++seed) scenarios.push_back(PolicyScenario(kMaze, seed, 5, 12));
  const auto model = Posed(GetParam());
  const auto subject = ModelSubject("posed", model, model->Config().rollout);
  std::vector<Scenario> next = scenarios;
  std::rotate(next.begin(), next.begin() + 1, next.end());
  for (const FilmOptions& options : {FilmOptions{1, 0, {}}, FilmOptions{1, 3, {}}, FilmOptions{1, 0, next}}) {
    const std::vector<Film> together = subject->Films(scenarios, options), alone = subject->Subject::Films(scenarios, options);
    ASSERT_EQ(together.size(), scenarios.size());
    for (size_t i = 0; i < scenarios.size(); ++i) {
      ASSERT_EQ(together[i].Count(), alone[i].Count());
      EXPECT_EQ(together[i].objects.size(), alone[i].objects.size());
      EXPECT_EQ(together[i].events.size(), alone[i].events.size());
      EXPECT_LE((together[i].frames.to(at::kInt) - alone[i].frames.to(at::kInt)).abs().max().item<int64_t>(), 1) << i;
    }
  }
}

// Scenarios of different lengths cannot be rows of one session.
TEST_P(PosedSubjects, ImagineUnlikeScenariosOneByOne) {
  const auto model = Posed(GetParam());
  const auto subject = ModelSubject("posed", model, model->Config().rollout);
  const std::vector<Scenario> scenarios{PolicyScenario(kMaze, 2, 5, 12), PolicyScenario(kMaze, 3, 5, 9)};
  const std::vector<Film> films = subject->Films(scenarios, {});
  for (size_t i = 0; i < 2; ++i) EXPECT_TRUE(at::equal(films[i].frames, Imagine(*subject, scenarios[i], 0).frames));
}

INSTANTIATE_TEST_SUITE_P(States, PosedSubjects,
                         testing::Values("window(2) + geometry.map(size=16, cell=0.5, features=4, bins=3)",
                                         "window(2) + retrieval.pose(k=1, range=3)"),
                         [](const auto& info) { return info.index == 0 ? "map" : "retrieval"; });

TEST(PosedModels, DoNotFitWorldsWithoutPoses) {
  const auto model = Posed("window(2) + geometry.map(size=16, cell=0.5, features=4, bins=3)");
  ModelConfig config = model->Config();
  config.data.actions = MakeWorld("billiards(height=16, width=16)")->Facts().actions;
  const auto other = std::make_shared<WorldModel>(config, MakeCodec("identity(patch=8)", 16, 16, 0), 1);
  const auto subject = ModelSubject("posed", other, config.rollout);
  EXPECT_NE(subject->Unfit(PolicyScenario("billiards(height=16, width=16)", 1, 2, 3)).find("has none"), std::string::npos);
}

}  // namespace
}  // namespace orrery
