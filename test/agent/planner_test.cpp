// Planners find plans that are known to be best, spend what they may, and leave their model as it was.
#include "agent/planner.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>

#include "../core/error_of.h"
#include "agent/action_distribution.h"
#include "agent/episode.h"
#include "worlds/registry.h"

namespace orrery {
namespace {

// A lock of `digits` wheels: frame t rewards the one right action of step t; or, with numbers, closeness to them.
class Lock : public World {
 public:
  Lock(int64_t digits, bool numbers) : digits_(digits), numbers_(numbers) {
    facts_.spec = "lock";
    facts_.height = facts_.width = 1;
    if (numbers)
      facts_.actions = {0, 2, {"a", "b"}, {-1, -2}, {1, 2}};
    else
      facts_.actions.count = 9;
  }
  const WorldFacts& Facts() const override { return facts_; }
  void Reset(uint64_t) override { state_ = {}; }
  void Step(std::span<const float> action) override {
    facts_.actions.Check(action);
    const auto t = static_cast<double>(state_.t++ % digits_);
    if (numbers_)
      state_.reward = -std::pow(action[0] - 0.8 * std::sin(t), 2) - std::pow(action[1] - 1.5 * std::cos(t), 2);
    else
      state_.reward = action[0] == static_cast<float>(Digit(state_.t - 1));
  }
  void Render(std::span<uint8_t> rgb) const override { std::fill(rgb.begin(), rgb.end(), uint8_t{0}); }
  std::vector<StateVariable> TrueState() const override { return {{"reward", {1}, {state_.reward}}}; }
  std::string Snapshot() const override { return {reinterpret_cast<const char*>(&state_), sizeof(state_)}; }
  void Restore(std::string_view snapshot) override { std::memcpy(&state_, snapshot.data(), sizeof(state_)); }
  static int64_t Digit(int64_t t) { return (3 + 5 * t) % 9; }

 private:
  struct State {
    int64_t t = 0;
    double reward = 0;
  };
  int64_t digits_;
  bool numbers_;
  WorldFacts facts_;
  State state_;
};

Task LockTask() {
  return {[](const World& world) { return world.TrueState()[0].values[0]; }, {}, 1};
}

double ValueOf(const std::string& planner, bool numbers, uint64_t seed) {
  Lock lock(12, numbers);
  Rng rng(seed);
  return MakePlanner(planner)->Search(lock, LockTask(), {}, rng).value;
}

// The cue shall be at a place of the table: the sum over the horizon of how near it is, in metres.
Task CueTask() {
  return {[](const World& world) {
            const std::vector<double> position = world.TrueState()[0].values;
            return -std::hypot(position[0] - 8, position[1] - 2);
          },
          {},
          1};
}

TEST(Planners, OfDiscreteActionsCemAndMppiBeatRandomShootingAtEqualSamples) {
  double shooting = 0, cem = 0, mppi = 0;
  for (uint64_t seed = 0; seed < 8; ++seed) {
    const double random = ValueOf("random_shooting(samples=400)", false, seed);
    const double best = ValueOf("cem(samples=400, iterations=8)", false, seed);
    EXPECT_GT(best, random) << seed;
    shooting += random / 8;
    cem += best / 8;
    mppi += ValueOf("mppi(samples=400, iterations=8)", false, seed) / 8;
  }
  EXPECT_GT(cem, 10) << "of 12 digits";
  EXPECT_GT(mppi, shooting + 1);
  EXPECT_LT(shooting, 6);
}

TEST(Planners, OfNumbersTheSame) {
  for (uint64_t seed = 0; seed < 4; ++seed) {  // the best plan has the value 0
    const double random = ValueOf("random_shooting(samples=400)", true, seed);
    EXPECT_GT(ValueOf("cem(samples=400, iterations=8)", true, seed), 0.15 * random) << seed;
    EXPECT_GT(ValueOf("mppi(samples=400, iterations=8)", true, seed), 0.5 * random) << seed;
  }
}

TEST(Planners, OnBilliardsCemBeatsRandomShooting) {
  std::map<std::string, double> mean;
  for (uint64_t seed = 0; seed < 6; ++seed)
    for (const char* planner : {"random_shooting(samples=300, horizon=20)", "cem(samples=300, horizon=20, iterations=6)"}) {
      const auto world = MakeWorld("billiards(balls=2)");
      world->Reset(seed);
      Rng rng(seed);
      mean[planner] += MakePlanner(planner)->Search(*world, CueTask(), {}, rng).value;
    }
  EXPECT_GT(mean["cem(samples=300, horizon=20, iterations=6)"], mean["random_shooting(samples=300, horizon=20)"]);
}

TEST(Planners, OneStepAheadTheBestActionIsFound) {
  const auto world = MakeWorld("billiards(balls=1)");
  world->Reset(3);
  double best = -1e9;
  const std::string start = world->Snapshot();
  for (float action = 0; action < 9; ++action) {
    world->Restore(start);
    const std::vector<std::vector<float>> one = {{action}};
    best = std::max(best, Rollout(*world, CueTask(), one));
  }
  world->Restore(start);
  Rng rng(1);
  const Plan plan = MakePlanner("random_shooting(horizon=1, samples=200)")->Search(*world, CueTask(), {}, rng);
  EXPECT_EQ(plan.value, best);
}

TEST(Planners, LeaveTheModelAsItWasAndPromiseWhatTheirPlanGives) {
  for (const char* spec : {"maze", "maze(step=continuous)", "billiards", "keys"})
    for (const std::string& name : Planners().Names()) {
      const auto world = MakeWorld(spec);
      world->Reset(2);
      const std::string before = world->Snapshot();
      const Task task = {[](const World& w) {
                           const WorldObject first = w.Objects()[0];
                           return first.x - 0.5 * first.y;
                         },
                         {},
                         0.9};
      Rng rng(7), same(7), other(8);
      const auto planner = MakePlanner(name);
      const Plan plan = planner->Search(*world, task, {}, rng);
      EXPECT_EQ(world->Snapshot(), before) << spec << " " << name;
      EXPECT_EQ(plan.rollouts, 64) << name;
      EXPECT_EQ(planner->Search(*world, task, {}, same).actions, plan.actions) << spec << " " << name;
      EXPECT_NE(planner->Search(*world, task, {}, other).actions, plan.actions) << spec << " " << name;
      EXPECT_EQ(Rollout(*world, task, plan.actions), plan.value) << spec << " " << name;
      world->Restore(before);
      const Task broken = {[](const World&) { return NAN; }, {}, 1};
      EXPECT_THROW(planner->Search(*world, broken, {}, rng), Error);
      EXPECT_EQ(world->Snapshot(), before) << "after an error";
    }
}

TEST(Planners, AGuessIsTried) {
  Sequence key;
  for (int64_t t = 0; t < 12; ++t) key.push_back({static_cast<float>(Lock::Digit(t))});
  for (const std::string& name : Planners().Names()) {
    Lock lock(12, false);
    Rng rng(1);
    EXPECT_GE(MakePlanner(name)->Search(lock, LockTask(), key, rng).value, 12) << name;
  }
}

TEST(Planners, ErrorsSayWhatIsValid) {
  EXPECT_NE(ErrorOf([] { MakePlanner("cen"); }).find("did you mean 'cem'"), std::string::npos);
  EXPECT_NE(ErrorOf([] { MakePlanner("cem(samples=4, iterations=4)"); }).find("fewer iterations"), std::string::npos);
  EXPECT_THROW(MakePlanner("mppi(temperature=0)"), Error);
  EXPECT_THROW(MakePlanner("random_shooting(horizon=0)"), Error);
  const auto stack = MakeWorld("maze");
  EXPECT_THROW(MakePlanner("cem(elites=2)"), Error);
}

TEST(ActionDistributions, AreFittedByWeightedLikelihood) {
  ActionSpace space;
  space.count = 3;
  ActionDistribution chances(space, 1, 1);
  const std::vector<Sequence> samples = {{{0}}, {{2}}, {{2}}};
  chances.Fit(samples, std::vector<double>{1, 1, 2}, 0, false);  // chances 1/4, 0, 3/4
  Rng rng(5);
  std::array<int, 3> count{};
  for (int i = 0; i < 4000; ++i) ++count[static_cast<size_t>(chances.Sample(rng)[0][0])];
  EXPECT_NEAR(count[0] / 4000.0, 0.25, 0.03);
  EXPECT_EQ(count[1], 0);
  EXPECT_EQ(chances.Mode(), Sequence{{2}});
  const ActionSpace line = {0, 1, {"x"}, {-1}, {1}};
  ActionDistribution numbers(line, 1, 1);
  numbers.Fit(std::vector<Sequence>{{{0.25f}}, {{0.75f}}}, std::vector<double>{1, 1}, 0, false);  // mean 0.5, deviation 0.25
  double sum = 0, squares = 0;
  for (int i = 0; i < 4000; ++i) {
    const double x = numbers.Sample(rng)[0][0];
    EXPECT_LE(std::abs(x), 1);
    sum += x / 4000;
    squares += x * x / 4000;
  }
  EXPECT_NEAR(sum, 0.5, 0.02);
  EXPECT_NEAR(std::sqrt(squares - sum * sum), 0.245, 0.015);
  EXPECT_EQ(numbers.Mode(), (Sequence{{0.5f}}));
}

TEST(Episodes, FollowThePlanAndStopWhenDone) {
  Lock truth(12, false), model(12, false);
  const auto planner = MakePlanner("cem(samples=600, iterations=6, horizon=4)");
  int64_t right = 0;
  Task task = LockTask();
  task.finished = [&](const World& world) { return reinterpret_cast<const int64_t*>(world.Snapshot().data())[0] == 10; };
  const EpisodeResult result = RunEpisode(truth, model, *planner, task, ObserveNothing(), {24, 1, 3});
  for (size_t t = 0; t < result.actions.size(); ++t)
    right += result.actions[t][0] == static_cast<float>(Lock::Digit(static_cast<int64_t>(t)));
  EXPECT_EQ(result.actions.size(), 10u);
  EXPECT_TRUE(result.finished);
  EXPECT_GE(right, 9);
  EXPECT_EQ(result.reward, static_cast<double>(right));
  EXPECT_EQ(result.rollouts, 6000);
  EXPECT_EQ(model.Snapshot(), truth.Snapshot()) << "a true model that imagines every step keeps up";
}

TEST(Episodes, RepeatAndBeatAPolicyOfChance) {
  const auto play = [](uint64_t seed) {
    const auto truth = MakeWorld("billiards(balls=2)"), model = MakeWorld("billiards(balls=2)");
    truth->Reset(seed);
    model->Restore(truth->Snapshot());
    return RunEpisode(*truth, *model, *MakePlanner("cem(samples=40, horizon=12)"), CueTask(), ObserveTruth(), {30, 3, seed});
  };
  double planned = 0, chance = 0;
  for (uint64_t seed = 0; seed < 3; ++seed) {
    const EpisodeResult one = play(seed);
    EXPECT_EQ(play(seed).actions, one.actions);
    planned += one.reward;
    const auto truth = MakeWorld("billiards(balls=2)");
    truth->Reset(seed);
    chance += RunPolicy(*truth, *MakePolicy("random"), CueTask(), {30, 1, seed}).reward;
  }
  EXPECT_GT(planned, chance);
  const auto maze = MakeWorld("maze"), keys = MakeWorld("keys");
  EXPECT_THROW(ObserveTruth()(*maze, *keys, std::vector<float>{0}), Error);
}

}  // namespace
}  // namespace orrery
