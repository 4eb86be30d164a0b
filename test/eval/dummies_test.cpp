// Every dummy is a world, and each does what its name says.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "../core/error_of.h"
#include "core/rng.h"
#include "eval/dummies/registry.h"
#include "scenes.h"
#include "worlds/billiards.h"

namespace orrery {
namespace {

struct Case {
  std::string dummy, world;
};

class Conformance : public testing::TestWithParam<Case> {
 protected:
  const Scenario scenario_ = PolicyScenario(GetParam().world, 4, 6, 46);
  const std::unique_ptr<Subject> subject_ = Judged("dummy:" + GetParam().dummy);
};

TEST_P(Conformance, IsAWorldThatHasSeenTheContextOrSaysWhyNot) {
  const Scenario& s = scenario_;
  if (const std::string reason = subject_->Unfit(s); !reason.empty()) {
    EXPECT_EQ(ErrorOf([&] { subject_->Begin(s, 0); }), reason);
    EXPECT_NE(reason.find("means nothing in " + s.world.substr(0, 4)), std::string::npos) << reason;
    return;
  }
  const auto world = subject_->Begin(s, 1), twin = subject_->Begin(s, 1);
  const at::Tensor shown = Shot(*world);
  if (GetParam().dummy != "take2") {
    EXPECT_TRUE(at::equal(shown, MakeTruth(s).film.frames[s.context - 1]));
  }
  EXPECT_TRUE(at::equal(Shot(*world), shown)) << "looking changes nothing";
  const Film whole = RecordFilm(*world, s, 5, 46), null = RecordFilm(*twin, s, 5, 46);
  EXPECT_TRUE(at::equal(whole.frames, null.frames)) << "null twins";
  EXPECT_EQ(whole.objects, null.objects);
  EXPECT_EQ(whole.events, null.events);
  world->Reset(SampleSeed(s, 1));
  EXPECT_TRUE(at::equal(RecordFilm(*world, s, 5, 46).frames, whole.frames)) << "after Reset";
}

TEST_P(Conformance, SnapshotsRepeatTheFutureInAnyWorldOfTheScenario) {
  const Scenario& s = scenario_;
  if (!subject_->Unfit(s).empty()) return;
  const auto world = subject_->Begin(s, 1), stranger = subject_->Begin(s, 9);
  RecordFilm(*world, s, 5, 25);
  const std::string middle = world->Snapshot();
  const Film rest = RecordFilm(*world, s, 25, 46);
  RecordFilm(*stranger, s, 5, 11);
  for (World* other : {world.get(), stranger.get()}) {
    other->Restore(middle);
    EXPECT_EQ(other->Snapshot(), middle);
    EXPECT_TRUE(other->Events().empty());
    const Film again = RecordFilm(*other, s, 25, 46);
    EXPECT_TRUE(at::equal(again.frames, rest.frames));
    EXPECT_EQ(again.objects, rest.objects);
  }
}

TEST_P(Conformance, WhatDoesNotFitIsRefusedAndChangesNothing) {
  const Scenario& s = scenario_;
  if (!subject_->Unfit(s).empty()) return;
  const auto world = subject_->Begin(s, 1);
  RecordFilm(*world, s, 5, 20);
  const std::string before = world->Snapshot();
  EXPECT_THROW(world->Step(std::vector<float>{1000}), Error);
  EXPECT_THROW(world->Step(std::vector<float>{}), Error);
  EXPECT_THROW(world->Intervene("no-such-thing"), Error);
  std::string damaged = before;
  damaged[damaged.size() / 2] ^= 4;
  EXPECT_THROW(world->Restore(damaged), Error);
  EXPECT_THROW(world->Restore(MakeWorld(s.world)->Snapshot()), Error);
  Scenario other = s;
  other.actions.pop_back();
  EXPECT_NE(ErrorOf([&] { world->Restore(subject_->Begin(other, 1)->Snapshot()); }).find("another scenario"), std::string::npos);
  EXPECT_EQ(world->Snapshot(), before);
  EXPECT_NE(DummyFails(GetParam().dummy), "");
}

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (const std::string& dummy : Dummies().Names())
    for (const char* world : {"maze(height=32, width=32)", "maze(step=continuous, height=32, width=32)", "billiards(height=32, width=32)",
                              "occluder(post=true)", "keys(view=5)", "pair(view=5)", "dominoes(height=32, width=32)"})
      cases.push_back({dummy, world});
  return cases;
}

std::string CaseName(const testing::TestParamInfo<Case>& info) {
  std::string name;
  for (const char c : info.param.dummy + info.param.world)
    if (std::isalnum(static_cast<unsigned char>(c))) name += c;
  return name;
}

INSTANTIATE_TEST_SUITE_P(Dummies, Conformance, testing::ValuesIn(Cases()), CaseName);

std::set<std::vector<uint8_t>> FrameSet(const at::Tensor& frames) {
  std::set<std::vector<uint8_t>> set;
  for (int64_t i = 0; i < frames.size(0); ++i) {
    const at::Tensor frame = frames[i].contiguous();
    set.insert({frame.const_data_ptr<uint8_t>(), frame.const_data_ptr<uint8_t>() + frame.numel()});
  }
  return set;
}

Film Of(const char* dummy, const Scenario& s, uint64_t sample = 0) { return Imagine(*Judged(std::string("dummy:") + dummy), s, sample); }

Scenario Table(uint64_t seed = 3) {
  Scenario s = PolicyScenario("billiards", seed, 6, 46);
  s.intervention = "velocity(2, vx=6, vy=2)";
  s.at = 12;
  return s;
}

TEST(Dummies, CopyIsTheTruthToTheByteAndTheInterventionIsTaken) {
  const Scenario s = Table();
  const Truth truth = MakeTruth(s);
  const Film copy = Of("copy", s);
  EXPECT_TRUE(at::equal(copy.frames, truth.film.frames.slice(0, 6)));
  EXPECT_TRUE(std::equal(copy.objects.begin(), copy.objects.end(), truth.film.objects.begin() + 6));
  EXPECT_TRUE(std::equal(copy.events.begin(), copy.events.end(), truth.film.events.begin() + 6));
}

TEST(Dummies, Take2DiffersButLittle) {
  const Scenario s = PolicyScenario("pendulum", 3, 6, 46);
  const at::Tensor film = Of("take2", s).frames, truth = Future(s), other = Of("random", s).frames;
  EXPECT_FALSE(at::equal(film, truth));
  const double near = ImageMse(film, truth).mean().item<double>(), far = ImageMse(other, truth).mean().item<double>();
  EXPECT_LT(near, 0.1 * far);
  Scenario second = s;
  second.take = 1;
  EXPECT_TRUE(at::equal(film, Future(second)));
  EXPECT_NE(Judged("dummy:take2")->Unfit(PolicyScenario("keys", 1, 2, 4)).find("nothing to nudge"), std::string::npos);
}

TEST(Dummies, FrozenShowsTheLastFrameOfTheContext) {
  const Scenario s = Table();
  const at::Tensor film = Of("frozen", s).frames;
  EXPECT_TRUE(at::equal(film, MakeTruth(s).film.frames[5].unsqueeze(0).expand_as(film)));
}

TEST(Dummies, NoiseIsTwentySixDecibels) {
  const Scenario s = PolicyScenario("occluder", 3, 6, 46, "sticky");
  Scenario lit = s;  // black and white clip half of the noise; this world has neither while the light is on
  for (auto& action : lit.actions) action[0] = action[0] == 5 ? 0 : action[0];
  const at::Tensor film = Of("noise", lit).frames;
  EXPECT_NEAR(Psnr(ImageMse(film, Future(lit)).mean().item<double>()), 26.02, 0.3);
  EXPECT_FALSE(at::equal(Of("noise", lit, 1).frames, film)) << "samples differ";
  EXPECT_FALSE(at::equal(film[0].to(at::kInt) - Future(lit)[0].to(at::kInt), film[1].to(at::kInt) - Future(lit)[1].to(at::kInt)));
}

TEST(Dummies, BlurIsAGaussian) {
  const Scenario s = PolicyScenario("billiards(height=32, width=32)", 3, 6, 8);
  const at::Tensor film = Of("blur", s).frames, truth = Future(s);
  // By definition: a sum over the square of +-6 pixels, the image mirrored at its edge.
  const auto mirror = [](int64_t i) { return i < 0 ? -1 - i : i > 31 ? 63 - i : i; };
  double total = 0;
  for (int64_t v = -6; v <= 6; ++v)
    for (int64_t u = -6; u <= 6; ++u) total += std::exp(-static_cast<double>(u * u + v * v) / 4.5);
  const auto pixel = truth.accessor<uint8_t, 4>(), blurred = film.accessor<uint8_t, 4>();
  for (int64_t y = 0; y < 32; y += 3)
    for (int64_t x = 0; x < 32; ++x) {
      double sum = 0;
      for (int64_t v = -6; v <= 6; ++v)
        for (int64_t u = -6; u <= 6; ++u)
          sum += std::exp(-static_cast<double>(u * u + v * v) / 4.5) / total * pixel[1][mirror(y + v)][mirror(x + u)][1];
      ASSERT_NEAR(blurred[1][y][x][1], sum, 0.5001) << x << ", " << y;
    }
}

TEST(Dummies, ShuffleHasTheTrueFramesInAnotherOrder) {
  const Scenario s = Table();
  const at::Tensor film = Of("shuffle", s).frames, truth = Future(s);
  EXPECT_FALSE(at::equal(film, truth));
  EXPECT_EQ(FrameSet(film), FrameSet(truth));
  EXPECT_FALSE(at::equal(Of("shuffle", s, 1).frames, film));
  const auto world = Judged("dummy:shuffle")->Begin(s, 0);
  RecordFilm(*world, s, 5, 46);
  EXPECT_NE(ErrorOf([&] { world->Step(std::vector<float>{0}); }).find("the film ends with frame 46"), std::string::npos);
}

TEST(Dummies, ReverseIsTheTruthBackwards) {
  const Scenario s = Table();
  EXPECT_TRUE(at::equal(Of("reverse", s).frames, Future(s).flip({0})));
}

TEST(Dummies, WrongActIsTheTruthOfOtherActionsWithTheSameHabits) {
  const Scenario s = PolicyScenario("maze(height=32, width=32)", 3, 6, 66);
  const at::Tensor film = Of("wrongact", s).frames;
  EXPECT_FALSE(at::equal(film, Future(s)));
  std::set<std::vector<uint8_t>> found;
  for (size_t start = 1; start < 61; ++start) {  // one of the 60 other beginnings, and the frames are those of the simulator
    Scenario other = s;
    std::rotate(other.actions.begin() + 5, other.actions.begin() + 5 + static_cast<std::ptrdiff_t>(start), other.actions.end());
    if (at::equal(Future(other), film)) {
      int wrong = 0;
      for (size_t t = 5; t < 66; ++t) wrong += other.actions[t] != s.actions[t];
      EXPECT_GT(wrong, 20);
      return;
    }
  }
  ADD_FAILURE() << "no rotation of the actions gives this film";
}

TEST(Dummies, WrongActHasNoRightActionsWhereAllAreAlike) {
  const Scenario s{"maze(height=32, width=32)", 3, 2, Runs({{1, 30}}), "", 0, 0};
  EXPECT_FALSE(at::equal(Of("wrongact", s).frames, Future(s)));
}

TEST(Dummies, RandomIsAnotherScenarioAndAnotherOneForTheTwin) {
  Scenario s = Table();
  const at::Tensor film = Of("random", s).frames;
  const double far = ImageMse(film, Future(s)).mean().item<double>();
  EXPECT_GT(far, 3 * ImageMse(Of("blur", s).frames, Future(s)).mean().item<double>());
  s.intervention.clear();
  EXPECT_FALSE(at::equal(Of("random", s).frames.slice(0, 0, 6), film.slice(0, 0, 6))) << "it leaks before frame 12";
}

TEST(Dummies, LagIsTheTruthTwoFramesLate) {
  const Scenario s = Table();
  const Truth truth = MakeTruth(s);
  const Film film = Of("lag2", s);
  EXPECT_TRUE(at::equal(film.frames, truth.film.frames.slice(0, 4, 45)));
  EXPECT_TRUE(std::equal(film.objects.begin(), film.objects.end(), truth.film.objects.begin() + 4));
  EXPECT_TRUE(std::equal(film.events.begin(), film.events.end(), truth.film.events.begin() + 4));
}

TEST(Dummies, IgnoreObeysNothingAfterTheContext) {
  const Scenario s = Table();
  Scenario idle = s, other = PolicyScenario("billiards", 3, 6, 46, "random");
  std::copy_n(s.actions.begin(), 5, other.actions.begin());
  idle.intervention.clear();
  std::fill(idle.actions.begin() + 5, idle.actions.end(), std::vector<float>{0});
  const at::Tensor film = Of("ignore", s).frames;
  EXPECT_TRUE(at::equal(film, Future(idle)));
  EXPECT_TRUE(at::equal(film, Of("ignore", other).frames));
  EXPECT_FALSE(at::equal(film, Future(s)));
}

TEST(Dummies, PassthruMovesEveryBallAlone) {
  const Scenario s = PolicyScenario("billiards(balls=6, friction=0)", 4, 6, 96);
  const Film film = Of("passthru", s);
  const Truth truth = MakeTruth(s);
  int64_t met = 0;
  for (const auto& events : truth.film.events)
    met += std::any_of(events.begin(), events.end(), [](auto& e) { return e.kind == "collision"; });
  ASSERT_GT(met, 3);
  int64_t cushions = 0;
  for (const auto& events : film.events)
    for (const WorldEvent& event : events) {
      EXPECT_EQ(event.kind, "cushion");
      ++cushions;
    }
  EXPECT_GT(cushions, 3);
  // Without friction and pushes, a ball's speed is kept up to the cushions' restitution of 0.95.
  Billiards table(BilliardsOptions{.balls = 6, .friction = 0});
  table.Restore(truth.context_end);
  std::vector<Ball> balls = table.Balls();
  for (size_t i = 1; i < balls.size(); ++i) {
    Billiards alone(BilliardsOptions{.balls = 1, .friction = 0});
    Ball ball = balls[i];
    ball.id = 0;
    alone.SetBalls({ball});
    for (size_t t = 0; t < film.objects.size(); ++t) {
      alone.Step(std::vector<float>{0});
      const WorldObject expected = alone.Objects()[0], &found = ObjectOf(film.objects[t], 1 + balls[i].id);
      ASSERT_EQ(expected.x, found.x) << i << " at " << t;
      ASSERT_EQ(expected.y, found.y);
    }
  }
}

TEST(Dummies, PassthruShowsTheTruthUntilBallsMeetAndTakesHands) {
  const Scenario s = PolicyScenario("billiards(balls=1)", 4, 6, 46);
  EXPECT_TRUE(at::equal(Of("passthru", s).frames, Future(s))) << "a single ball has nothing to pass through";
  const auto world = Judged("dummy:passthru")->Begin(PolicyScenario("billiards", 4, 6, 46), 0);
  world->Intervene("move(ball=2, x=5, y=5)");
  world->Intervene("move(ball=3, x=5.2, y=5)");
  world->Intervene("remove(1)");
  world->Intervene("add(x=2, y=2, color=3)");
  world->Intervene("tint(2)");
  EXPECT_EQ(world->Objects().size(), 4u);
  const std::string before = world->Snapshot();
  EXPECT_THROW(world->Intervene("remove(1)"), Error);
  EXPECT_THROW(world->Intervene("move(ball=2, x=50, y=5)"), Error);
  EXPECT_EQ(world->Snapshot(), before);
}

TEST(Dummies, PassthruOfThePostLetsDiscsThrough) {
  Scenario s{"occluder(post=true, discs=5)", 3, 4, Runs({{0, 120}}), "", 0, 0};
  const double post = 0.75 * 64;
  const auto sides = [&](const Film& film) {  // crossings of the post, counted by disc; the camera stands still
    int crossed = 0;
    for (size_t t = 1; t < film.objects.size(); ++t)
      for (size_t i = 0; i < film.objects[t].size(); ++i)
        crossed += (film.objects[t][i].x < post - 16) != (film.objects[t - 1][i].x < post - 16);
    return crossed;
  };
  EXPECT_EQ(sides(Of("copy", s)), 0);
  EXPECT_GT(sides(Of("passthru", s)), 3);
  s.world = "occluder";
  EXPECT_NE(Judged("dummy:passthru")->Unfit(s), "");
}

}  // namespace
}  // namespace orrery
