// Recordings as worlds: they play back what was recorded, and say so when they are asked for more.
#include "../core/error_of.h"
#include "eval/recordings/revisits.h"
#include "eval/recordings/windows.h"
#include "recorded.h"

#include <numbers>
#include <set>

namespace orrery {
namespace {

TEST_F(Recorded, PlaysBackFramesActionsAndPoses) {
  RecordSet(Set("a"), 3, 20);
  const auto world = MakeRecording(Spec("a"));
  const Dataset data(Set("a"));
  EXPECT_EQ(world->Facts().actions.names, MakeWorld(kRecorded)->Facts().actions.names);
  EXPECT_EQ(MakeEvalWorld(world->Facts().spec)->Facts().spec, world->Facts().spec);
  for (int64_t e = 0; e < 3; ++e) {
    const Episode whole = data.Read(e, 0, 21);
    world->Reset(world->Seed(e, 4));
    const ActionList actions = world->Actions(e, 4, 16);
    for (int64_t t = 4; t < 20; ++t) {
      EXPECT_TRUE(at::equal(Shot(*world), whole.frames[t]));
      EXPECT_EQ(static_cast<float>(world->TruePose()->angle), whole.pose[t][2].item<float>());
      EXPECT_EQ(actions[static_cast<size_t>(t - 4)][0], whole.actions[t + 1][0].item<float>());
      world->Step(actions[static_cast<size_t>(t - 4)]);
    }
  }
  world->Reset(21 * 3 + 22);  // round and round
  EXPECT_TRUE(at::equal(Shot(*world), data.Read(1, 1, 1).frames[0]));
}

TEST_F(Recorded, DoesNotKnowWhatWasNotRecorded) {
  RecordSet(Set("a"), 2, 20);
  const auto world = MakeRecording(Spec("a"));
  world->Reset(world->Seed(1, 7));
  const at::Tensor before = Shot(*world);
  const std::string at = world->Snapshot();
  std::vector<float> other = world->Actions(1, 7, 1)[0];
  other[0] = other[0] == 0 ? 1 : 0;
  EXPECT_THROW(world->Step(other), UnknownTruth);
  EXPECT_NE(ErrorOf([&] { world->Step(other); }).find("nobody took this action at frame 7 of episode 1"), std::string::npos);
  EXPECT_TRUE(at::equal(Shot(*world), before));
  EXPECT_EQ(world->Snapshot(), at);
  world->Step(world->Actions(1, 7, 1)[0]);
  world->Restore(at);
  EXPECT_TRUE(at::equal(Shot(*world), before));
  world->Reset(world->Seed(1, 20));
  EXPECT_NE(ErrorOf([&] { world->Step(other); }).find("ends with frame 20"), std::string::npos);
  EXPECT_THROW(world->Actions(1, 7, 14), NoRoom);
  EXPECT_NE(ErrorOf([&] { world->Intervene("remove(1)"); }).find("takes no interventions"), std::string::npos);
}

TEST_F(Recorded, WrongSpecsSayWhatIsExpected) {
  RecordSet(Set("a"), 2, 20);
  EXPECT_NE(ErrorOf([&] { MakeRecording(fmt::format("recording(path=\"{}\", split=test)", Set("a"))); }).find("(valid: validation"),
            std::string::npos);
  EXPECT_NE(ErrorOf([] { MakeRecording("recording()"); }).find("the folder of a data set expected"), std::string::npos);
  EXPECT_NE(ErrorOf([] { MakeRecording("recording(path=\"/nowhere\")"); }).find("no data set"), std::string::npos);
  EXPECT_NE(ErrorOf([] { MakeRecording("maze"); }).find("a recording expected"), std::string::npos);
  EXPECT_NE(ErrorOf([&] { MakeRecording(fmt::format("recording(path=\"{}\", share=0)", Set("a"))); }).find("has no episode"),
            std::string::npos);
}

TEST_F(Recorded, SplitsShareNoEpisodeAndAnotherRecordingIsNoticed) {
  RecordSet(Set("a"), 20, 12);
  RecordSet(Set("b"), 20, 12, 0, 0, "maze(size=7, height=16, width=16)");
  const auto held_out = MakeRecording(Spec("a", "validation"))->Episodes(), train = MakeRecording(Spec("a", "train"))->Episodes();
  std::set<int64_t> all(held_out.begin(), held_out.end());
  all.insert(train.begin(), train.end());
  EXPECT_FALSE(held_out.empty());
  EXPECT_EQ(all.size(), held_out.size() + train.size());
  EXPECT_EQ(all.size(), 20u);
  EXPECT_EQ(MakeRecording(Spec("a"))->Fingerprint(), MakeRecording(Spec("a"))->Fingerprint());
  EXPECT_NE(MakeRecording(Spec("a"))->Fingerprint(), MakeRecording(Spec("b"))->Fingerprint());
  EXPECT_NE(MakeRecording(Spec("a"))->Fingerprint(), MakeRecording(Spec("a", "train"))->Fingerprint());
}

TEST_F(Recorded, ScenariosAreWindowsOfDifferentEpisodes) {
  RecordSet(Set("a"), 8, 40);
  const auto scenarios = RecordedScenarios(Spec("a"), 6, 4, 16, 1);
  ASSERT_EQ(scenarios.size(), 6u);
  const auto world = MakeRecording(Spec("a"));
  std::set<std::string> starts;
  for (const Scenario& s : scenarios) {
    EXPECT_EQ(s.Last(), 19);
    world->Reset(s.seed);
    starts.insert(world->Snapshot());
    EXPECT_EQ(MakeTruth(s).film.Count(), 20);
  }
  EXPECT_EQ(starts.size(), 6u);
  EXPECT_EQ(RecordedScenarios(Spec("a"), 6, 4, 16, 1)[3].Id(), scenarios[3].Id());
  EXPECT_NE(RecordedScenarios(Spec("a"), 6, 4, 16, 2)[3].Id(), scenarios[3].Id());
  EXPECT_EQ(RecordedScenarios(Spec("a"), 100, 4, 16, 1).size(), 8u) << "one an episode";
  EXPECT_EQ(LongestWindow(*world, 8), 41);
  EXPECT_EQ(LongestWindow(*world, 9), 0);
  const std::string fault = ErrorOf([&] { RecordedScenarios(Spec("a"), 6, 4, 64, 1); });
  EXPECT_NE(fault.find("at least 5 episodes of 68 frames or more expected"), std::string::npos) << fault;
  EXPECT_NE(ErrorOf([&] { RecordedScenarios(Spec("a", "validation"), 6, 4, 16, 1); }).find("record more"), std::string::npos);
}

TEST_F(Recorded, TwinsArePlayedAsTheWorldWouldHaveDone) {
  RecordSet(Set("a"), 6, 40, 14, 12);
  const auto world = MakeRecording(Spec("a"));
  EXPECT_EQ(world->Episodes(), (std::vector<int64_t>{0, 2, 4, 6, 8, 10}));
  EXPECT_EQ(world->Twins().size(), 6u);
  const auto pairs = RecordedTwinScenarios(Spec("a"), 6, 8, 4, 16, 1);
  ASSERT_EQ(pairs.size(), 6u);
  int differ = 0;
  for (const TwinScenarios& p : pairs) {
    const int64_t fork = p.factual.context - 1 + 4;
    EXPECT_EQ(SampleSeed(p.factual, 3), SampleSeed(p.changed, 3)) << "twins share their noise";
    EXPECT_TRUE(std::equal(p.factual.actions.begin(), p.factual.actions.begin() + fork, p.changed.actions.begin()));
    EXPECT_NE(p.factual.actions[static_cast<size_t>(fork)], p.changed.actions[static_cast<size_t>(fork)]);
    // The same in the world that was recorded.
    world->Reset(p.factual.seed);
    const auto [episode, frame] = world->Place();
    Scenario live = PolicyScenario(kRecorded, static_cast<uint64_t>(episode / 2), 1, 40);
    live.actions.resize(static_cast<size_t>(frame));
    live.actions.insert(live.actions.end(), p.changed.actions.begin(), p.changed.actions.end());
    const at::Tensor truth = MakeTruth(p.changed).film.frames;
    EXPECT_TRUE(at::equal(truth, MakeTruth(live).film.frames.slice(0, frame)));
    differ += !at::equal(truth, MakeTruth(p.factual).film.frames);
  }
  EXPECT_GE(differ, 4);
  EXPECT_NE(ErrorOf([&] { RecordedTwinScenarios(Spec("a"), 6, 8, 4, 30, 1); }).find("orrery-record --twins"), std::string::npos);
}

at::Tensor Poses(const std::vector<std::array<double, 3>>& rows) {
  at::Tensor poses = at::empty({static_cast<int64_t>(rows.size()), 3});
  for (size_t t = 0; t < rows.size(); ++t)
    for (size_t i = 0; i < 3; ++i) poses[static_cast<int64_t>(t)][static_cast<int64_t>(i)] = rows[t][i];
  return poses;
}

TEST(Revisits, AreReturnsToAPlaceAndAViewThatWereLeft) {
  // Out along x by four strides and back, facing the same way.
  EXPECT_EQ(
      FindRevisits(Poses({{0, 0, 0}, {10, 0, 0}, {20, 0, 0}, {30, 0, 0}, {40, 0, 0}, {30, 0, 0}, {20, 0, 0}, {10, 0, 0}, {0, 0, 0}}), 10),
      (std::vector<Visit>{{0, 8}}))
      << "10 was never farther away than 3 strides";
  // Three strides are not away, and standing is no return.
  EXPECT_TRUE(FindRevisits(Poses({{0, 0, 0}, {10, 0, 0}, {30, 0, 0}, {10, 0, 0}, {0, 0, 0}, {0, 0, 0}}), 10).empty());
  // Turning away by more than 90 degrees is leaving; angles go round at pi.
  const double pi = std::numbers::pi;
  EXPECT_EQ(FindRevisits(Poses({{0, 0, pi - 0.01}, {0, 0, pi - 0.8}, {0, 0, pi - 1.7}, {0, 0, pi - 0.8}, {0, 0, 0.01 - pi}}), 10),
            (std::vector<Visit>{{0, 4}}));
  // From another side it is another picture; a step beside it (2 of 10) is the same place, 4 of 10 is not; the last time counts.
  EXPECT_TRUE(FindRevisits(Poses({{0, 0, 0}, {50, 0, 0}, {0, 0, 0.2}}), 10).empty());
  EXPECT_EQ(FindRevisits(Poses({{0, 0, 0}, {2, 0, 0}, {50, 0, 0}, {0, 2, 0}}), 10), (std::vector<Visit>{{1, 3}}));
  EXPECT_TRUE(FindRevisits(Poses({{0, 0, 0}, {50, 0, 0}, {0, 4, 0}}), 10).empty());
  EXPECT_TRUE(FindRevisits(Poses({{0, 0, 0}, {0, 0, 0}}), 0).empty());
}

TEST_F(Recorded, StridesAreTheMedianOfStepsThatMove) {
  DatasetWriter writer(Set("steps"), {"steps", "made(up)", 8, 8, 15, {.count = 2}, true});
  Episode e;
  e.frames = at::zeros({7, 8, 8, 3}, at::kByte);
  e.actions = at::zeros({7, 1});
  e.pose = Poses({{0, 0, 0}, {0, 0, 1}, {0, 2, 0}, {2, 2, 0}, {2.01, 2, 0}, {2.01, 5, 0}, {6.01, 5, 0}});  // 0, 2, 2, 0.01, 3, 4
  writer.Add(e);
  writer.Finish();
  EXPECT_NEAR(Stride(*MakeRecording(Spec("steps"))), 3, 1e-6);
}

TEST_F(Recorded, RevisitsShowWhatWasThereBefore) {
  RecordSet(Set("a"), 12, 400);
  RecordSet(Set("blind"), 6, 60, 0, 0, kRecorded, false);
  const double stride = Stride(*MakeRecording(Spec("a")));
  const auto revisits = RecordedRevisits(Spec("a"), 8, 8, 32, 1);
  ASSERT_GE(revisits.size(), 4u);
  std::set<uint64_t> seeds;
  for (const RevisitScenario& r : revisits) {
    const Film film = MakeTruth(r.scenario).film;
    const int64_t first = r.first;
    EXPECT_EQ(first, 3) << "four of eight frames of context come after it";
    seeds.insert(r.scenario.seed / 401);
    EXPECT_EQ(r.scenario.Last(), r.back);
    EXPECT_GE(r.back - first, 32);
    EXPECT_LT(r.back - first, 64);
    const auto way = [&](int64_t t) {
      return std::hypot(film.poses[t].x - film.poses[r.back].x, film.poses[t].y - film.poses[r.back].y) / stride;
    };
    const auto turn = [&](int64_t t) {
      return std::abs(std::remainder(film.poses[t].angle - film.poses[r.back].angle, 2 * std::numbers::pi));
    };
    EXPECT_LE(way(first), 0.3);
    EXPECT_LE(turn(first), 0.053);
    bool away = false;
    for (int64_t t = first + 1; t < r.back; ++t) {
      EXPECT_TRUE(way(t) > 0.3 || turn(t) > 0.052) << "not there in between";
      away = away || way(t) > 3.5 || turn(t) > 1.57;
    }
    EXPECT_TRUE(away);
  }
  EXPECT_EQ(seeds.size(), revisits.size()) << "one an episode";
  EXPECT_NE(ErrorOf([&] { RecordedRevisits(Spec("a"), 8, 4, 16, 1); }).find("a context of 5 frames"), std::string::npos);
  EXPECT_NE(ErrorOf([&] { RecordedRevisits(Spec("blind"), 8, 8, 16, 1); }).find("a recording with poses expected"), std::string::npos);
}

TEST_F(Recorded, FilmDummiesWorkAndSimulatorsSayThatTheyDoNotFit) {
  RecordSet(Set("a"), 6, 40);
  const Scenario s = RecordedScenarios(Spec("a"), 6, 8, 16, 1)[2];
  const at::Tensor truth = Future(s);
  EXPECT_TRUE(at::equal(Imagine(*Judged("dummy:copy"), s, 0).frames, truth));
  EXPECT_TRUE(at::equal(Imagine(*Judged("dummy:copy"), s, 0, 1).frames, truth));
  const at::Tensor frozen = Imagine(*Judged("dummy:frozen"), s, 0).frames;
  EXPECT_TRUE(at::equal(frozen[15], MakeTruth(s).film.frames[7]));
  const at::Tensor late = Imagine(*Judged("dummy:lag2"), s, 0).frames;
  EXPECT_TRUE(at::equal(late.slice(0, 2), truth.slice(0, 0, 14)));
  const at::Tensor reversed = Imagine(*Judged("dummy:reverse"), s, 0).frames;
  EXPECT_TRUE(at::equal(reversed, truth.flip(0)));
  for (const char* name : {"blur", "noise", "shuffle", "random"}) {
    const at::Tensor made = Imagine(*Judged(fmt::format("dummy:{}", name)), s, 0).frames;
    EXPECT_EQ(made.sizes(), truth.sizes());
    EXPECT_FALSE(at::equal(made, truth)) << name;
  }
  RecordSet(Set("elsewhere"), 6, 40);
  Scenario moved = s;
  moved.world = Spec("elsewhere");
  const at::Tensor stranger = Imagine(*Judged("dummy:random"), s, 0).frames;
  EXPECT_TRUE(at::equal(Imagine(*Judged("dummy:random"), moved, 0).frames, stranger)) << "numbers do not depend on where a set lies";
  const auto world = MakeRecording(s.world);
  for (uint64_t seed = 0; seed < 50; ++seed) {
    world->Reset(RandomWindow(*world, 20, seed, 3).first);
    EXPECT_NE(world->Place().first, 3) << "random is another episode";
    EXPECT_LE(world->Place().second, 20);
  }
  EXPECT_THROW(RandomWindow(*world, 41, 0, 3), NoRoom);
  for (const char* name : {"take2", "wrongact", "forget", "stale", "passthru", "ignore"})
    EXPECT_NE(Judged(fmt::format("dummy:{}", name))->Unfit(s).find("it needs a simulator"), std::string::npos) << name;
}

}  // namespace
}  // namespace orrery
