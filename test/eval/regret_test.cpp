// Regret and fidelity: closed forms, and planning in dummies whose worth is known.
#include "eval/regret.h"

#include <gtest/gtest.h>

#include <cmath>

#include "../core/error_of.h"
#include "agent/episode.h"
#include "scenes.h"

namespace orrery {
namespace {

TEST(Regrets, AreSharesOfWhatCouldBeWon) {
  const std::vector<double> oracle = {10, 8, 12, 10}, chance = {2, 0, 4, 2}, half = {6, 4, 8, 6};
  EXPECT_NEAR(NormalizedRegret(oracle, chance, half).value, 0.5, 1e-12);
  EXPECT_EQ(NormalizedRegret(oracle, chance, oracle).value, 0);
  EXPECT_EQ(NormalizedRegret(oracle, chance, chance).value, 1);
  EXPECT_NE(ErrorOf([&] { NormalizedRegret(chance, oracle, half); }).find("the task tells nothing"), std::string::npos);
  EXPECT_THROW(NormalizedRegret(oracle, chance, std::vector<double>{1}), Error);
}

TEST(Fidelities, CountRankViolations) {
  const std::vector<double> truth = {1, 2, 3, 4};
  const Fidelity perfect = EvaluationFidelity(std::vector<double>{11, 12, 13, 14}, truth);
  EXPECT_NEAR(perfect.pearson, 1, 1e-12);
  EXPECT_EQ(perfect.spearman, 1);
  EXPECT_EQ(perfect.bias, 10);
  EXPECT_EQ(perfect.violation, 0);
  // The best and the worst change places: they violate by 3, the two between by 2.
  const Fidelity swapped = EvaluationFidelity(std::vector<double>{4, 2, 3, 1}, truth);
  EXPECT_NEAR(swapped.violation, (3 + 2 + 2 + 3) / 4.0, 1e-12);
  EXPECT_NEAR(swapped.pearson, -0.8, 1e-12);
  EXPECT_THROW(EvaluationFidelity(std::vector<double>{1, 2}, std::vector<double>{1, 2}), Error);
}

TEST(Regrets, OfACopyIsNoneOfIgnoreAll) {
  // The cue shall come near a place; only a model that obeys its actions can tell which of them bring it there.
  const Task task = {[](const World& world) {
                       const std::vector<double> position = world.TrueState()[0].values;
                       return -std::hypot(position[0] - 8, position[1] - 2);
                     },
                     {},
                     1};
  const auto planner = MakePlanner("cem(samples=40, horizon=12)");
  std::vector<double> oracle, chance, copy, ignore;
  for (uint64_t seed = 0; seed < 8; ++seed) {
    const Scenario s{"billiards(balls=2)", seed, 4, Runs({{0, 3}}), "", 0, 0};
    const EpisodeOptions options{40, 4, seed};
    const auto play = [&](const char* subject) {
      const auto truth = ContextEnd(s), model = Judged(subject)->Begin(s, 0);
      return RunEpisode(*truth, *model, *planner, task, ObserveNothing(), options).reward;
    };
    oracle.push_back(play("truth"));
    copy.push_back(play("dummy:copy"));
    ignore.push_back(play("dummy:ignore"));
    const auto truth = ContextEnd(s);
    chance.push_back(RunPolicy(*truth, *MakePolicy("random"), task, options).reward);
  }
  EXPECT_EQ(oracle, copy);
  EXPECT_EQ(NormalizedRegret(oracle, chance, copy).value, 0);
  const Regret blind = NormalizedRegret(oracle, chance, ignore);
  EXPECT_GT(blind.value, 0.7);
  EXPECT_GT(blind.interval.high, blind.interval.low);
}

}  // namespace
}  // namespace orrery
