// Readers against the truth: frames as they are, blurred, noisy, and frames that nobody could read.
#include <gtest/gtest.h>

#include "eval/readers/reader.h"
#include "eval/readers/tiles.h"
#include "eval/suite/probe.h"
#include "scenes.h"
#include "worlds/billiards.h"
#include "worlds/dominoes.h"

namespace orrery {
namespace {

constexpr int64_t kContext = 4;

// Of several scenarios together, seen through a dummy's lens.
ReaderFloor Floor(const std::string& world, const std::string& lens, int64_t scenarios, int64_t frames, const char* policy = "explore") {
  ReaderFloor whole;
  const auto subject = Judged(lens);
  double seen = 0;
  for (int64_t i = 0; i < scenarios; ++i) {
    const Scenario scenario = PolicyScenario(world, 40 + static_cast<uint64_t>(i), kContext, kContext + frames - 1, policy);
    const auto floor = MeasureFloor(scenario, Imagine(*subject, scenario, 0).frames);
    if (!floor) Fail("no reader of {}", world);
    const auto n = static_cast<double>(floor->count), read = n * (1 - floor->missed - floor->abstained);
    whole.error += read * floor->error;
    whole.more_error += read * floor->more_error;
    whole.worst = std::max(whole.worst, floor->worst);
    whole.abstained += n * floor->abstained;
    whole.missed += n * floor->missed;
    whole.spurious = std::max(whole.spurious, floor->spurious);
    whole.count += floor->count;
    seen += read;
  }
  whole.error /= std::max(1.0, seen);
  whole.more_error /= std::max(1.0, seen);
  whole.abstained /= static_cast<double>(whole.count);
  whole.missed /= static_cast<double>(whole.count);
  return whole;
}

struct Wanted {
  const char *world, *policy;
  int64_t frames;
  double error, more;  // on true frames, px
  double lost;         // share of objects abstained on or missed
  double blur_error, blur_lost, noise_error, noise_lost;
};

class ReaderFloors : public testing::TestWithParam<Wanted> {};

TEST_P(ReaderFloors, OnTrueFrames) {
  const Wanted& wanted = GetParam();
  const ReaderFloor floor = Floor(wanted.world, "dummy:copy", 4, wanted.frames, wanted.policy);
  EXPECT_GE(floor.count, 100);
  EXPECT_LE(floor.error, wanted.error);
  EXPECT_LE(floor.more_error, wanted.more);
  EXPECT_LE(floor.abstained + floor.missed, wanted.lost);
  EXPECT_LE(floor.spurious, 0.02);
}

TEST_P(ReaderFloors, ThroughABlurredLens) {
  const Wanted& wanted = GetParam();
  const ReaderFloor floor = Floor(wanted.world, "dummy:blur", 2, wanted.frames, wanted.policy);
  EXPECT_LE(floor.error, wanted.blur_error);
  EXPECT_LE(floor.abstained + floor.missed, wanted.blur_lost);
}

TEST_P(ReaderFloors, ThroughNoise) {
  const Wanted& wanted = GetParam();
  const ReaderFloor floor = Floor(wanted.world, "dummy:noise", 2, wanted.frames, wanted.policy);
  EXPECT_LE(floor.error, wanted.noise_error);
  EXPECT_LE(floor.abstained + floor.missed, wanted.noise_lost);
}

// A blur of 1.5 px mixes tiles of 8 px with their neighbours: the grid's reader abstains, but reads nothing wrong. A disc of occluder that
// never shows more than a sliver at the edge of a screen may be missed.
INSTANTIATE_TEST_SUITE_P(Worlds, ReaderFloors,
                         testing::Values(Wanted{"billiards", "explore", 60, 0.05, 0, 0, 0.1, 0, 0.1, 0},
                                         Wanted{"occluder", "explore", 60, 0.05, 0, 0.03, 0.2, 0.05, 0.1, 0.02},
                                         Wanted{"dominoes", "random", 50, 0.05, 0.05, 0, 0.1, 0.01, 0.1, 0.01},
                                         Wanted{"stack", "random", 60, 0.05, 0.05, 0, 0.1, 0.1, 0.1, 0.02},
                                         Wanted{"pendulum", "explore", 60, 0.05, 0, 0, 0.3, 0, 0.1, 0},
                                         Wanted{"pendulum(kind=double)", "explore", 60, 0.05, 0, 0, 0.2, 0, 0.1, 0},
                                         Wanted{"growth(frames=60)", "random", 50, 0, 0.05, 0, 0, 0, 0, 0},
                                         Wanted{"keys", "explore", 60, 0, 0, 0, 0, 0.8, 0, 0},
                                         Wanted{"pair", "random", 60, 0, 0, 0, 0, 0.8, 0, 0}),
                         [](const auto& i) {
                           std::string name = i.param.world;
                           std::erase_if(name, [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); });
                           return name;
                         });

std::vector<uint8_t> Bytes(const World& world) {
  std::vector<uint8_t> rgb(static_cast<size_t>(3 * world.Facts().height * world.Facts().width));
  world.Render(rgb);
  return rgb;
}

TEST(Readers, SeeABallVanishAndComeBackElsewhere) {
  Billiards world({});
  world.Reset(3);
  std::vector<Ball> balls = {{0, 0, 2, 2, 0, 0, 0.9}, {1, 1, 8, 8, 0, 0, 0.9}, {2, 2, 2, 8, 0, 0, 0.9}};
  world.SetBalls(balls);
  const auto reader = MakeReader(world);
  const auto sighting = [&](size_t i) { return reader->Read(Bytes(world))[i].sighting; };
  EXPECT_EQ(sighting(1), Sighting::kSeen);
  world.SetBalls({balls[0], balls[2]});
  const auto read = reader->Read(Bytes(world));
  EXPECT_EQ(read[0].sighting, Sighting::kSeen);
  EXPECT_EQ(read[1].sighting, Sighting::kAbsent);
  EXPECT_EQ(read[2].sighting, Sighting::kSeen);
  balls[1].x = 8, balls[1].y = 2;  // far from where it was last
  world.SetBalls(balls);
  const auto again = reader->Read(Bytes(world));
  ASSERT_EQ(again[1].sighting, Sighting::kSeen);
  EXPECT_NEAR(again[1].object.x, world.Objects()[1].x, 0.1);
  EXPECT_NEAR(again[1].object.y, world.Objects()[1].y, 0.1);
}

TEST(Readers, AbstainOnTwoOfOneColour) {
  Billiards world({});
  world.SetBalls({{0, 0, 2, 2, 0, 0, 0.9}, {1, 1, 8, 8, 0, 0, 0.9}});
  const auto reader = MakeReader(world);
  EXPECT_EQ(reader->Read(Bytes(world))[1].sighting, Sighting::kSeen);
  world.SetBalls({{0, 0, 2, 2, 0, 0, 0.9}, {1, 1, 8, 8, 0, 0, 0.9}, {5, 1, 2, 8, 0, 0, 0.9}});
  const auto read = reader->Read(Bytes(world));
  EXPECT_EQ(read[0].sighting, Sighting::kSeen);
  EXPECT_EQ(read[1].sighting, Sighting::kAbstained);
}

TEST(Readers, AbstainOnABallOfAnotherSize) {
  Billiards world({});
  world.SetBalls({{0, 0, 2, 2, 0, 0, 0.9}, {1, 1, 8, 8, 0, 0, 0.9}});
  const auto reader = MakeReader(world);
  world.SetBalls({{0, 0, 2, 2, 0, 0, 0.9}, {1, 1, 8, 8, 0, 0, 0.5}});  // less than a third of the area
  EXPECT_EQ(reader->Read(Bytes(world))[1].sighting, Sighting::kAbstained);
}

TEST(Readers, SeeNothingInNoise) {
  for (const char* name : {"billiards", "dominoes", "keys", "growth"}) {
    const Scenario scenario = PolicyScenario(name, 1, 1, 8, "random");
    Rng rng(7, "static");
    at::Tensor frames = at::empty({8, 64, 64, 3}, at::kByte);
    for (int64_t i = 0; i < frames.numel(); ++i) frames.mutable_data_ptr<uint8_t>()[i] = static_cast<uint8_t>(rng.Below(256));
    const auto read = ReadFilm(scenario, frames);
    ASSERT_TRUE(read);
    size_t seen = 0, all = 0;
    for (size_t t = 0; t < read->all.size(); ++t) {
      seen += read->objects[t].size();
      all += read->all[t].size();
    }
    EXPECT_LE(10 * seen, all) << name;
  }
}

// The removed domino is missing in what is read, the others are where they are: the effect of a twin pair can be measured.
TEST(Readers, GiveTheEffectOfRemovingADomino) {
  Scenario scenario{"dominoes", 5, 4, Runs({{0, 4}, {1, 1}, {0, 75}}), "", 2, 0};
  Scenario changed = scenario;
  changed.intervention = "remove(domino=5)";
  const Film truth = MakeTruth(scenario).film, truth_changed = MakeTruth(changed).film;
  const auto future = [&](const at::Tensor& frames) { return frames.slice(0, scenario.context); };
  const auto tail = [&](const ObjectFilm& film) { return ObjectFilm(film.begin() + scenario.context, film.end()); };
  const auto read = ReadFilm(scenario, future(truth.frames)), read_changed = ReadFilm(changed, future(truth_changed.frames));
  ASSERT_TRUE(read && read_changed);
  const ObjectEffects effects =
      CompareObjectEffects(tail(truth.objects), tail(truth_changed.objects), read->objects, read_changed->objects);
  EXPECT_LE(*effects.Cne(), 0.02);
  EXPECT_GE(*effects.Recall(), 0.99);
}

// A subject whose frames are all that it shows, as those of a learned model.
class PictureWorld : public World {
 public:
  explicit PictureWorld(std::unique_ptr<World> inner) : inner_(std::move(inner)) {}
  const WorldFacts& Facts() const override { return inner_->Facts(); }
  void Reset(uint64_t seed) override { inner_->Reset(seed); }
  void Step(std::span<const float> action) override { inner_->Step(action); }
  void Render(std::span<uint8_t> rgb) const override { inner_->Render(rgb); }
  std::vector<StateVariable> TrueState() const override { return {}; }
  std::string Snapshot() const override { return inner_->Snapshot(); }
  void Restore(std::string_view snapshot) override { inner_->Restore(snapshot); }

 protected:
  void DoIntervene(const std::string& name, const Json& params) override { inner_->Intervene(FormatSpec(name, params)); }

 private:
  std::unique_ptr<World> inner_;
};

class Pictures : public Subject {
 public:
  explicit Pictures(std::unique_ptr<Subject> inner) : inner_(std::move(inner)) {}
  std::string Name() const override { return "pictures of " + inner_->Name(); }
  SubjectKind Kind() const override { return SubjectKind::kDummy; }
  std::string Unfit(const Scenario& scenario) const override { return inner_->Unfit(scenario); }
  std::unique_ptr<World> Begin(const Scenario& scenario, uint64_t sample) const override {
    return std::make_unique<PictureWorld>(inner_->Begin(scenario, sample));
  }

 private:
  std::unique_ptr<Subject> inner_;
};

// The probe of twins reads the frames of such a subject, says so, and finds what it would find in objects.
TEST(Readers, ServeTheTwinsOfSubjectsWithoutObjects) {
  ProbePlan plan;
  plan.probe = "twins";
  plan.world = "dominoes";
  plan.scenarios = 3;
  plan.frames = 50;
  plan.trajectory = "script(actions=\"none*4, push-first, none*115\")";
  plan.interventions = {"remove(3)"};
  const auto cne = [&](const Subject& subject) {
    for (Metric& m : ProbeTwins(subject, plan).metrics)
      if (m.id == "causality.twin.remove.cne") return m;
    Fail("no cne");
  };
  const Metric told = cne(*Judged("dummy:ignore")), read = cne(Pictures(Judged("dummy:ignore"))),
               copy = cne(Pictures(Judged("dummy:copy")));
  EXPECT_NEAR(*read.value, *told.value, 0.05);
  EXPECT_LE(*copy.value, 0.02);
  ASSERT_EQ(read.notes.size(), told.notes.size() + 1);
  EXPECT_NE(read.notes.back().find("`bodies`"), std::string::npos);
}

TEST(Readers, DecodeTheWholeGrid) {
  const Scenario scenario = PolicyScenario("keys", 11, 1, 200, "explore");
  const auto world = StartWorld(scenario);
  auto& keys = dynamic_cast<Keys&>(*world);
  TileDecoder decoder(keys);
  for (const auto& action : scenario.actions) {
    keys.Step(action);
    decoder.Read(Bytes(keys));
    EXPECT_TRUE(decoder.Certain());
    ASSERT_EQ(decoder.State(), keys.State());
  }
}

TEST(Readers, RefuseWhatTheyDoNotKnow) {
  std::string cause;
  EXPECT_EQ(MakeReader(*MakeWorld("maze"), &cause), nullptr);
  EXPECT_NE(cause.find("no reader"), std::string::npos);
  EXPECT_EQ(MakeReader(*MakeWorld("keys(view=7)")), nullptr);
  const Scenario scenario = PolicyScenario("billiards", 1, 1, 2);
  EXPECT_THROW(ReadFilm(scenario, at::zeros({2, 32, 64, 3}, at::kByte)), Error);
}

}  // namespace
}  // namespace orrery
