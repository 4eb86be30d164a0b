// Scenarios, the truth, and learned models as subjects.
#include "eval/subject.h"

#include <gtest/gtest.h>

#include "../core/error_of.h"
#include "core/rng.h"
#include "core/sha256.h"
#include "eval/dummies/registry.h"
#include "model/dream_world.h"
#include "scenes.h"
#include "small_model.h"

namespace orrery {
namespace {

std::unique_ptr<Subject> Small() {
  const auto model = MazeModel();
  return ModelSubject("small", model, model->Config().rollout);
}

TEST(Scenarios, TruthRepeatsAndTheContextEndIsAMomentOfIt) {
  Scenario s = PolicyScenario("billiards", 3, 6, 20);
  s.intervention = "remove(2)";
  s.at = 10;
  const Truth truth = MakeTruth(s), again = MakeTruth(s);
  EXPECT_EQ(truth.film.Count(), 21);
  EXPECT_TRUE(at::equal(truth.film.frames, again.film.frames));
  EXPECT_EQ(truth.film.objects, again.film.objects);
  const auto world = MakeWorld(s.world);
  world->Restore(truth.context_end);
  EXPECT_TRUE(at::equal(Shot(*world), truth.film.frames[5]));
  EXPECT_EQ(truth.film.objects[10].size(), 4u) << "before action 10";
  EXPECT_EQ(truth.film.objects[11].size(), 3u);
  EXPECT_EQ(MakeTruth(PolicyScenario("maze", 1, 2, 5)).film.poses.size(), 6u);
}

TEST(Scenarios, SurviveJsonAndDifferById) {
  Scenario s = PolicyScenario("maze(step=continuous)", 3, 4, 9);
  s.intervention = "light(on=false)";
  const Scenario same = Json::parse(Json(s).dump()).get<Scenario>();
  EXPECT_EQ(same.Id(), s.Id());
  EXPECT_TRUE(at::equal(MakeTruth(same).film.frames, MakeTruth(s).film.frames));
  Scenario other = s;
  other.at = 1;
  EXPECT_NE(other.Id(), s.Id());
  EXPECT_EQ(SampleSeed(other, 2), SampleSeed(s, 2)) << "twins share their noise";
  EXPECT_NE(SampleSeed(s, 1), SampleSeed(s, 2));
}

TEST(Scenarios, ThatCannotBeAreRefused) {
  Scenario s = PolicyScenario("maze", 3, 4, 9);
  s.context = 11;
  EXPECT_NE(ErrorOf([&] { MakeTruth(s); }).find("a context of 1..10 frames"), std::string::npos);
  s.context = 4;
  s.at = 10;
  EXPECT_THROW(MakeTruth(s), Error);
  s.at = 0;
  s.intervention = "remove(1)";
  EXPECT_THROW(MakeTruth(s), Error);
}

TEST(Truths, AsASubjectGiveTheTruthWithEveryIntervention) {
  for (const int64_t at : {0, 4, 5, 12, 20}) {
    Scenario s = PolicyScenario("billiards", 5, 6, 20);
    s.intervention = "velocity(2, vx=5, vy=1)";
    s.at = at;
    EXPECT_TRUE(at::equal(Imagine(*Judged("truth"), s, 0).frames, Future(s))) << at;
    EXPECT_TRUE(at::equal(Imagine(*Judged("truth"), s, 0, 4).frames, Future(s))) << at << " regrounded";
  }
}

TEST(Models, BeginWithTheContextAndAreASessionOfTheirOwn) {
  const Scenario s = PolicyScenario(kSmallMaze, 2, 5, 12);
  const auto subject = Small();
  EXPECT_TRUE(at::equal(Shot(*subject->Begin(s, 0)), MakeTruth(s).film.frames[4]));
  const Film film = Imagine(*subject, s, 1);
  ASSERT_EQ(film.Count(), 8);
  const auto model = MazeModel();
  Session session(model, model->Config().rollout);
  at::Tensor actions = at::zeros({1, 5, 1});
  for (int64_t t = 1; t < 5; ++t) actions[0][t][0] = s.actions[static_cast<size_t>(t - 1)][0];
  session.Reset(MakeTruth(s).film.frames.slice(0, 0, 5).unsqueeze(0), actions, {}, {SampleSeed(s, 1)});
  for (int64_t t = 4; t < 12; ++t) {
    session.Step(at::full({1, 1}, s.actions[static_cast<size_t>(t)][0]));
    EXPECT_TRUE(at::equal(session.Frame()[0], film.frames[t - 4])) << t;
  }
}

TEST(Models, NullTwinsAreBitEqualAndSamplesDiffer) {
  const Scenario s = PolicyScenario(kSmallMaze, 2, 5, 12);
  const auto subject = Small();
  const at::Tensor film = Imagine(*subject, s, 1).frames;
  EXPECT_TRUE(at::equal(Imagine(*subject, s, 1).frames, film));
  EXPECT_FALSE(at::equal(Imagine(*subject, s, 2).frames, film));
  const auto world = subject->Begin(s, 7);
  world->Reset(SampleSeed(s, 1));
  EXPECT_TRUE(at::equal(RecordFilm(*world, s, 4, 12).frames, film)) << "Reset goes back to the end of the context";
}

TEST(Models, RegroundedRunsSeeTheTruthAgain) {
  const Scenario s = PolicyScenario(kSmallMaze, 2, 5, 12);
  const auto subject = Small();
  const at::Tensor free = Imagine(*subject, s, 1).frames, forced = Imagine(*subject, s, 1, 1).frames,
                   by3 = Imagine(*subject, s, 1, 3).frames;
  EXPECT_EQ(forced.sizes(), free.sizes());
  EXPECT_TRUE(at::equal(forced[0], free[0]));
  EXPECT_TRUE(at::equal(by3.slice(0, 0, 3), free.slice(0, 0, 3)));
  EXPECT_FALSE(at::equal(by3[3], free[3]));
  EXPECT_TRUE(at::equal(Imagine(*subject, s, 1, 8).frames, free));
  EXPECT_THROW(Imagine(*subject, s, 1, -1), Error);
}

TEST(Models, ThatDoNotFitAreRefusedWithTheReason) {
  const auto subject = Small();
  EXPECT_NE(subject->Unfit(PolicyScenario("maze", 1, 2, 3)).find("frames of 16x16"), std::string::npos);
  EXPECT_NE(ErrorOf([&] { subject->Begin(PolicyScenario("billiards(height=16, width=16)", 1, 2, 3), 0); }).find("6 actions (noop,"),
            std::string::npos);
  EXPECT_NE(subject->Unfit(PolicyScenario("maze(size=5, height=16, width=16, step=continuous)", 1, 2, 3)).find("2 numbers"),
            std::string::npos);
  Scenario s = PolicyScenario(kSmallMaze, 2, 5, 12);
  s.intervention = "light(on=false)";
  s.at = 3;
  EXPECT_EQ(Imagine(*subject, s, 0).Count(), 8) << "the context shows it";
  EXPECT_TRUE(s.InContext());
  s.at = 4;
  EXPECT_NE(ErrorOf([&] { Imagine(*subject, s, 0); }).find("cannot be told of \"light(on=false)\""), std::string::npos);
}

TEST(Models, TakeRealFramesInPlaceOfImaginedOnes) {
  const Scenario s = PolicyScenario(kSmallMaze, 2, 5, 12);
  const at::Tensor truth = MakeTruth(s).film.frames;
  const auto subject = Small();
  const auto world = subject->Begin(s, 0);
  auto& dream = dynamic_cast<DreamWorld&>(*world);
  const at::Tensor frame = truth[5].contiguous();
  dream.Observe({frame.const_data_ptr<uint8_t>(), static_cast<size_t>(frame.numel())}, s.actions[4]);
  EXPECT_TRUE(at::equal(Shot(dream), truth[5]));
  EXPECT_THROW(dream.Observe({frame.const_data_ptr<uint8_t>(), 3}, s.actions[5]), Error);
}

TEST(Models, TellWhatTheyAreAndChangeWithTheirWeights) {
  const auto model = MazeModel();
  const auto subject = ModelSubject("small", model, model->Config().rollout);
  const Json facts = subject->Facts();
  EXPECT_EQ(facts.at("kind"), "model");
  EXPECT_EQ(facts.at("state"), model->Config().state);
  EXPECT_EQ(facts.at("parameters"), model->Parameters());
  EXPECT_EQ(Small()->Facts(), facts);
  const at::NoGradGuard guard;
  model->Network().parameters()[0].flatten()[0] += 1;
  EXPECT_NE(ModelSubject("small", model, model->Config().rollout)->Facts(), facts);
}

TEST(Models, OfAFolderTellTheHashesOfItsFiles) {
  const Json facts = Judged("models/maze")->Facts();
  EXPECT_EQ(facts.at("sha256").at("model.safetensors"), FileSha256("models/maze/model.safetensors"));
  EXPECT_NE(facts.at("sha256").at("codec.safetensors"), facts.at("sha256").at("model.safetensors"));
  EXPECT_EQ(facts.at("training_seed"), 0);
}

TEST(Models, AloneRememberInBytesAndObserve) {
  const Scenario s = PolicyScenario(kSmallMaze, 2, 5, 12);
  const auto model = Small(), copy = Judged("dummy:copy");
  const auto dream = model->Begin(s, 0), world = copy->Begin(s, 0);
  EXPECT_GT(model->StateBytes(*dream).value(), 0);
  EXPECT_FALSE(copy->StateBytes(*world).has_value());
  const at::Tensor frame = MakeTruth(s).film.frames[5];
  const std::span<const uint8_t> bytes(frame.const_data_ptr<uint8_t>(), static_cast<size_t>(frame.numel()));
  EXPECT_TRUE(model->Observe(*dream, bytes, s.actions[4]));
  EXPECT_TRUE(at::equal(Shot(*dream), frame));
  const at::Tensor before = Shot(*world);
  EXPECT_FALSE(copy->Observe(*world, bytes, s.actions[4]));
  EXPECT_TRUE(at::equal(Shot(*world), before));
}

TEST(Specs, NameSubjects) {
  const auto all = MakeSubjects("dummy:all");
  EXPECT_EQ(all.size(), Dummies().Names().size());
  for (const auto& subject : all) EXPECT_EQ(subject->Kind(), SubjectKind::kDummy) << subject->Name();
  EXPECT_EQ(Judged("truth")->Name(), "truth");
  EXPECT_EQ(Judged("dummy:noise")->Name(), "dummy:noise");
  EXPECT_EQ(Judged("dummy:noise(sigma=0.1)")->Name(), "dummy:noise(sigma=0.1)");
  const std::string unknown = ErrorOf([] { Judged("dummy:frosen"); });
  EXPECT_NE(unknown.find("did you mean 'frozen'"), std::string::npos) << unknown;
  EXPECT_NE(unknown.find("passthru, anykey, mixup, leak, lag2, ignore"), std::string::npos) << unknown;
  EXPECT_NE(ErrorOf([] { Judged("no/such/folder"); }).find("no/such/folder"), std::string::npos);
  EXPECT_THROW(Judged("dummy:noise(sigmma=1)"), Error);
}

}  // namespace
}  // namespace orrery
