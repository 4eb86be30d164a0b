// Order of time and controllability: closed forms, and films whose direction is known.
#include "eval/causality/order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "../core/error_of.h"
#include "core/rng.h"
#include "eval/causality/control.h"
#include "worlds/registry.h"
#include "worlds/twins.h"

namespace orrery {
namespace {

TEST(Progress, ByHand) {
  const std::vector<double> truth = {0, 0.25, 0.5, 1}, made = {0, 0.4, 0.3, 0.5};
  const ProgressScores scores = ScoreProgress(truth, made);
  EXPECT_DOUBLE_EQ(*scores.progress.value, 0.5);
  EXPECT_NEAR(*scores.monotonicity.value, 1 - 0.1 / 0.7, 1e-12);
  EXPECT_NEAR(*scores.order.value, 4.0 / 6, 1e-12);
  const ProgressScores still = ScoreProgress(truth, std::vector<double>(4, 0.3));
  EXPECT_EQ(still.progress.value, 0);
  EXPECT_FALSE(still.monotonicity.value);
  EXPECT_EQ(still.order.value, 0);
  EXPECT_EQ(ScoreProgress(std::vector<double>{1, 1}, truth).progress.cause, "the truth makes no progress");
  EXPECT_NE(ErrorOf([&] { ScoreProgress(truth, std::vector<double>{0, std::nan("")}); }).find("frame 1"), std::string::npos);
}

TEST(Progress, OfAGrowingPlant) {
  const auto world = MakeWorld("growth(frames=100)");
  world->Reset(2);
  std::vector<double> truth;
  for (int t = 0; t < 80; ++t) {
    for (const StateVariable& variable : world->TrueState())
      if (variable.name == "progress") truth.push_back(variable.values[0]);
    world->Step(std::vector<float>{0});
  }
  ASSERT_EQ(truth.size(), 80u);
  const ProgressScores copy = ScoreProgress(truth, truth);
  EXPECT_EQ(copy.progress.value, 1);
  EXPECT_EQ(copy.monotonicity.value, 1);
  EXPECT_DOUBLE_EQ(*copy.order.value, 1);
  std::vector<double> reversed(truth.rbegin(), truth.rend()), shuffled = truth;
  const ProgressScores reverse = ScoreProgress(truth, reversed);
  EXPECT_EQ(reverse.progress.value, -1);
  EXPECT_EQ(reverse.monotonicity.value, 0);
  EXPECT_DOUBLE_EQ(*reverse.order.value, -1);
  Rng rng(3);
  for (size_t i = shuffled.size() - 1; i > 0; --i)
    std::swap(shuffled[i], shuffled[static_cast<size_t>(rng.Below(static_cast<int64_t>(i) + 1))]);
  const ProgressScores shuffle = ScoreProgress(truth, shuffled);
  EXPECT_NEAR(*shuffle.monotonicity.value, 0.5, 0.05);
  EXPECT_NEAR(*shuffle.order.value, 0, 0.2);
  // A truth that shrinks has its own forward.
  EXPECT_EQ(ScoreProgress(reversed, reversed).monotonicity.value, 1);
  EXPECT_DOUBLE_EQ(*ScoreProgress(reversed, reversed).order.value, 1);
}

using Events = std::vector<std::vector<WorldEvent>>;

TEST(EventOrders, ByHand) {
  const WorldEvent a{"topple", 1, -1}, b{"topple", 2, -1}, c{"topple", 3, -1}, d{"topple", 4, -1};
  const Events truth = {{}, {a}, {b}, {c, d}};  // five pairs: c and d are one
  EXPECT_EQ(CompareEvents(truth, truth).Accuracy(), 1);
  EXPECT_EQ(CompareEvents(truth, truth).pairs, 5);
  EXPECT_EQ(CompareEvents(truth, Events{{d}, {c}, {b}, {a}}).Accuracy(), 0);
  // a before b and d; b and d in one frame; c missing, and with it two pairs; one event that was not.
  const EventOrder some = CompareEvents(truth, Events{{a}, {}, {b, d}, {{"topple", 9, -1}}});
  EXPECT_DOUBLE_EQ(*some.Accuracy(), 2.5 / 5);
  EXPECT_EQ(some.missing, 1);
  EXPECT_EQ(some.extra, 1);
  // The second time of an event is another event.
  EXPECT_EQ(CompareEvents(Events{{a}, {b}, {a}}, Events{{a}, {b}}).missing, 1);
  EXPECT_EQ(CompareEvents(Events{{a}}, Events{{a}}).Accuracy(), std::nullopt);
}

TEST(EventOrders, OfFallingDominoes) {
  const auto world = MakeWorld("dominoes");
  world->Reset(3);
  const std::string start = world->Snapshot();
  const auto run = [&](int push) {
    world->Restore(start);
    std::vector<std::vector<float>> actions(120, {0});
    actions[0] = {static_cast<float>(push)};
    return RunTwin(*world, {actions, "", 0}, false).events;
  };
  const Events right = run(1), left = run(2);
  const EventOrder same = CompareEvents(right, right), opposite = CompareEvents(right, left);
  EXPECT_GT(same.events, 7);
  EXPECT_EQ(same.Accuracy(), 1);
  EXPECT_LT(*opposite.Accuracy(), 0.1) << "pushed from the other end, the chain falls the other way";
}

TEST(EntropySign, CountsFreeSteps) {
  std::vector<double> energy = {10, 8, 9, 7, 7};
  EXPECT_DOUBLE_EQ(*EntropySign(energy, {false, false, false, false}).value, 0.75);
  EXPECT_DOUBLE_EQ(*EntropySign(energy, {false, true, false, false}).value, 1) << "a push may add energy";
  EXPECT_DOUBLE_EQ(*EntropySign(energy, {false, false, false, false}, 1).value, 1);
  EXPECT_FALSE(EntropySign(energy, {true, true, true, true}).value);
  EXPECT_THROW(EntropySign(energy, {false}), Error);
}

TEST(DeltaPsnrs, ByHand) {
  const auto film = [](std::initializer_list<int> levels) {
    std::vector<uint8_t> bytes;
    for (const int level : levels) bytes.insert(bytes.end(), 12, static_cast<uint8_t>(level));
    return bytes;
  };
  const std::vector<uint8_t> truth = film({100, 100, 100}), right = film({100, 151, 151}), random = film({100, 202, 151});
  const auto delta = [&](const std::vector<uint8_t>& made, const std::vector<uint8_t>& other) {
    return DeltaPsnr({truth, 2, 2}, {made, 2, 2}, {other, 2, 2});
  };
  const std::vector<double> curve = delta(right, random);
  EXPECT_EQ(curve[0], 0);
  EXPECT_NEAR(curve[1], 20 * std::log10(2), 1e-9) << "half the error";
  EXPECT_EQ(curve[2], 0);
  EXPECT_LT(delta(random, right)[1], 0);
  EXPECT_EQ(delta(random, random), std::vector<double>(3, 0.0)) << "who ignores actions gains nothing by them";
  const Estimate at = DeltaPsnrAt(std::vector<std::vector<double>>{{0, 1}, {0, 3}, {0}}, 1);
  EXPECT_EQ(at.value, 2);
  EXPECT_EQ(at.failed, 1);
  EXPECT_FALSE(DeltaPsnrAt(std::vector<std::vector<double>>{{0, 1}}).value);
}

TEST(Control, HasItsClosedForms) {
  const Distances wrong = {{0.2, 0.4}, {0.3, 0.5}}, model = {{0.1, 0.2}, {0.0, 0.1}}, none = {{0, 0}, {0, 0}};
  const ControlScores scores = ScoreControl(model, wrong, wrong);
  EXPECT_NEAR(*scores.distance.value, 0.1, 1e-12);
  EXPECT_NEAR(*scores.control.value, std::exp(-0.1), 1e-12);
  EXPECT_NEAR(*scores.lambda, std::log(10) / 0.35, 1e-12);
  EXPECT_NEAR(*scores.calibrated.value, std::pow(10, -0.1 / 0.35), 1e-12);
  EXPECT_NEAR(*scores.normalised.value, 1 - 0.1 / 0.35, 1e-12);
  EXPECT_NEAR(*scores.isolated.value, 0.25, 1e-12);
  EXPECT_NEAR(scores.curve[1], std::pow(10, -0.15 / 0.35), 1e-12);
  const ControlScores copy = ScoreControl(none, wrong), wrongact = ScoreControl(wrong, wrong);
  EXPECT_EQ(copy.control.value, 1);
  EXPECT_EQ(copy.calibrated.value, 1);
  EXPECT_EQ(copy.normalised.value, 1);
  EXPECT_FALSE(copy.isolated.value);
  EXPECT_NEAR(*wrongact.calibrated.value, 0.1, 1e-12);
  EXPECT_NEAR(*wrongact.normalised.value, 0, 1e-12);
  const ControlScores unscaled = ScoreControl(model, none);
  EXPECT_FALSE(unscaled.lambda);
  EXPECT_FALSE(unscaled.normalised.value);
  EXPECT_EQ(unscaled.calibrated.cause, "wrong actions change nothing: their distance from the truth is 0");
  EXPECT_NEAR(unscaled.curve[0], std::exp(-0.05), 1e-12);
  EXPECT_THROW(ScoreControl(model, {{0.1, 0.2}}), Error);
  EXPECT_THROW(ScoreControl({{-1.0}}, {{1.0}}), Error);
}

TEST(Control, IntervalsHoldTheirValues) {
  Rng rng(9);
  Distances model, wrong;
  for (int i = 0; i < 40; ++i) {
    const double hard = rng.Uniform(0.5, 1.5);
    model.push_back({0.2 * hard + 0.02 * rng.Uniform()});
    wrong.push_back({hard});
  }
  const ControlScores scores = ScoreControl(model, wrong);
  for (const Estimate* e : {&scores.distance, &scores.control, &scores.calibrated, &scores.normalised}) {
    ASSERT_TRUE(e->value && e->interval);
    EXPECT_LT(e->interval->low, *e->value);
    EXPECT_GT(e->interval->high, *e->value);
  }
  EXPECT_LT(scores.normalised.interval->high - scores.normalised.interval->low, 0.01) << "scenarios are paired";
}

TEST(Estimates, SayWhyTheyAreNone) {
  EXPECT_EQ(MeanEstimate({}, "x").cause, "no scenarios");
  EXPECT_EQ(MeanEstimate(std::vector<std::optional<double>>{std::nullopt}, "nothing was seen").cause, "nothing was seen");
  const Estimate ratio = RatioEstimate(std::vector<double>{1, 0, 3}, std::vector<double>{2, 0, 4}, "x");
  EXPECT_NEAR(*ratio.value, 4.0 / 6, 1e-12);
  EXPECT_EQ(ratio.failed, 1);
  const Estimate lone = EstimateOf(
      3, [](std::span<const int64_t> rows) { return std::ranges::count(rows, 0) ? 1.0 : std::nan(""); }, "x");
  EXPECT_EQ(lone.value, 1);
  EXPECT_FALSE(lone.interval) << "undefined for a third of the resamples";
  EXPECT_NE(lone.cause.find("undefined"), std::string::npos);
}

}  // namespace
}  // namespace orrery
