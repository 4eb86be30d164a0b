// titans(): its step against autograd, its limits (no rate, no momentum, all forgotten), and what surprises it.
#include "state/explicit/parametric/titans.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "fast_step.h"
#include "history.h"

namespace orrery {
namespace {

constexpr int64_t kHeads = 3, kTokens = 5, kWidth = 8, kHidden = 16;

at::Tensor Rate(double value, at::ScalarType type = at::kDouble) { return at::full({kHeads, 1, 1}, value, type); }

at::Tensor Normal(at::IntArrayRef shape, double size = 1) { return at::randn(shape, at::kDouble) * size; }

FastWeights Weights(double size = 0.3) {
  return {
      Normal({kHeads, kWidth, kHidden}, size).requires_grad_(true), {}, Normal({kHeads, kHidden, kWidth}, size).requires_grad_(true), {}};
}

at::Tensor Keys() { return UnitLength(Normal({kHeads, kTokens, kWidth})); }
at::Tensor Values() { return Normal({kHeads, kTokens, kWidth}); }

FastWeights ByAutograd(const FastWeights& w, const at::Tensor& key, const at::Tensor& value) {
  return Gradient((key + Answer(w, key) - value).square().sum(-1).mean(-1).sum(), w);
}

FastWeights Sum(double a, const FastWeights& x, double b, const FastWeights& y) {
  return {a * x.w1 + b * y.w1, {}, a * x.w2 + b * y.w2, {}};
}

FastWeights Zeros() {
  return {at::zeros({kHeads, kWidth, kHidden}, at::kDouble), {}, at::zeros({kHeads, kHidden, kWidth}, at::kDouble), {}};
}

constexpr double kNoClip = 1e9;

TEST(Titans, WithoutMomentumAndForgettingItIsGradientDescent) {
  at::manual_seed(1);
  TitansState state{Weights(), {}};
  FastWeights expected = state.memory;
  for (int t = 0; t < 4; ++t) {
    const at::Tensor key = Keys(), value = Values();
    state = TitansStep(state, key, value, {Rate(0.3), {}, {}}, kNoClip);
    expected = Sum(1, expected, -0.3, ByAutograd(expected, key, value));
    EXPECT_LT(Furthest(Defined(state.memory), Defined(expected)), 1e-10);
  }
}

TEST(Titans, StepIsThePapersWithGradientsOfAutograd) {
  at::manual_seed(2);
  TitansState state{Weights(), Zeros()};
  FastWeights memory = state.memory, surprise = state.surprise;
  for (int t = 0; t < 4; ++t) {
    const at::Tensor key = Keys(), value = Values();
    state = TitansStep(state, key, value, {Rate(0.2), Rate(0.7), Rate(0.1)}, kNoClip);
    surprise = Sum(0.7, surprise, -0.2, ByAutograd(memory, key, value));
    memory = Sum(0.9, memory, 1, surprise);
    EXPECT_LT(Furthest(Defined(state.memory), Defined(memory)), 1e-10);
    EXPECT_LT(Furthest(Defined(state.surprise), Defined(surprise)), 1e-10);
  }
}

TEST(Titans, GradientsGoThroughTheSteps) {
  at::manual_seed(3);
  const FastWeights start = Weights();
  const at::Tensor theta = Rate(0.3).requires_grad_(true), eta = Rate(0.6).requires_grad_(true), alpha = Rate(0.1).requires_grad_(true);
  std::vector<at::Tensor> leaves{start.w1, start.w2, theta, eta, alpha};
  for (int t = 0; t < 6; ++t) leaves.push_back((t % 2 ? Values() : Keys()).requires_grad_(true));
  const double clip = 2;  // some heads are clipped, some are not
  TitansState state{start, Zeros()};
  FastWeights memory = start, surprise = Zeros();
  bool clipped = false, whole = false;
  for (size_t t = 0; t < 3; ++t) {
    const at::Tensor &key = leaves[5 + 2 * t], &value = leaves[6 + 2 * t];
    state = TitansStep(state, key, value, {theta, eta, alpha}, clip);
    const FastWeights grad = ByAutograd(memory, key, value);
    const at::Tensor norm = at::cat({grad.w1.flatten(1), grad.w2.flatten(1)}, 1).norm(2, 1).view({kHeads, 1, 1});
    const at::Tensor scale = at::where(norm > clip, clip / norm, at::ones_like(norm));
    clipped = clipped || (norm > clip).any().item<bool>(), whole = whole || (norm < clip).any().item<bool>();
    const auto step = [&](at::Tensor FastWeights::*w) {
      surprise.*w = eta * surprise.*w - theta * scale * grad.*w;
      memory.*w = (1 - alpha) * memory.*w + surprise.*w;
    };
    step(&FastWeights::w1), step(&FastWeights::w2);
  }
  EXPECT_TRUE(clipped && whole) << "choose another clip";
  const at::Tensor x = Keys(), wanted = Values();
  const auto by_hand = torch::autograd::grad({(TitansRead(state.memory, x) * wanted).sum()}, leaves);
  const auto expected = torch::autograd::grad({((x + Answer(memory, x)) * wanted).sum()}, leaves);
  EXPECT_LT(Furthest(by_hand, expected), 1e-9);
}

TEST(Titans, AHeadsStepIsNoLongerThanClipAllows) {
  at::manual_seed(4);
  const FastWeights start = Weights();
  const at::Tensor key = Keys(), value = 50 * Values();
  EXPECT_GT(TitansNorm(TitansGradient(start, key, value)).min().item<double>(), 3);
  const FastWeights after = TitansStep({start, {}}, key, value, {Rate(0.5), {}, {}}, 3).memory;
  EXPECT_LT((TitansNorm(Less(after, start)) - 1.5).abs().max().item<double>(), 1e-9);
}

TEST(Titans, ForgettingAllLeavesTheSurprise) {
  at::manual_seed(5);
  TitansState state{Weights(), Zeros()};
  for (int t = 0; t < 3; ++t) {
    state = TitansStep(state, Keys(), Values(), {Rate(0.3), Rate(0.5), Rate(1)}, kNoClip);
    EXPECT_EQ(Furthest(Defined(state.memory), Defined(state.surprise)), 0);
  }
  EXPECT_GT(TitansNorm(state.surprise).min().item<double>(), 1e-3);
}

TEST(Titans, WithNothingWrittenItHalvesInLn2OverMinusLn1MinusAlpha) {
  at::manual_seed(6);
  const double alpha = 1 - std::pow(0.5, 1.0 / 20);  // ln 2 / -ln(1 - alpha) = 20 frames
  TitansState state{Weights(), Zeros()};
  const at::Tensor before = TitansNorm(state.memory);
  for (int t = 0; t < 20; ++t) state = TitansStep(state, Keys(), Values(), {Rate(0), Rate(0.5), Rate(alpha)}, 10);
  EXPECT_LT((TitansNorm(state.memory) / before - 0.5).abs().max().item<double>(), 1e-9);
}

// The loss falls with every repeat; the norm of its gradient need not at first (two layers leave a plateau), but does in the end.
TEST(Titans, RepetitionSurprisesEverLessAndNoveltyMore) {
  at::manual_seed(7);
  TitansState state{Weights(), {}};
  const at::Tensor key = Keys(), value = Values();
  const auto loss = [&] { return (TitansRead(state.memory, key) - value).square().sum({1, 2}).detach(); };
  const auto surprise = [&](const at::Tensor& k, const at::Tensor& v) { return TitansNorm(TitansGradient(state.memory, k, v)).detach(); };
  const at::Tensor first = surprise(key, value);
  at::Tensor last = loss();
  for (int t = 0; t < 50; ++t) {
    state = TitansStep(state, key, value, {Rate(0.1), {}, {}}, 3);
    state.memory = {state.memory.w1.detach(), {}, state.memory.w2.detach(), {}};
    const at::Tensor now = loss();
    EXPECT_TRUE((now < last).all().item<bool>()) << "after " << t + 1 << " repeats";
    last = now;
  }
  const at::Tensor known = surprise(key, value);
  EXPECT_TRUE((known < first / 2).all().item<bool>()) << known / first;
  EXPECT_TRUE((surprise(Keys(), Values()) > 2 * known).all().item<bool>());
}

TEST(Titans, WithoutARateAndForgettingHistoryIsNotHeard) {
  const History still("titans(heads=2, dim=8, rate=0, forgetting=false, every=1)");
  EXPECT_EQ(still.After(6).Difference(still.After(0)), "");
  EXPECT_EQ((still.Read(still.After(6)) - still.Read(still.After(0))).abs().max().item<double>(), 0);
  const History moves("titans(heads=2, dim=8, every=1)");
  EXPECT_GT((moves.Read(moves.After(6)) - moves.Read(moves.After(0))).abs().max().item<double>(), 1e-2);
}

TEST(Titans, ItSaysItsRates) {
  const History history("titans(heads=2, dim=8, rate=0.5, momentum=false, every=1)");
  const Parts state = history.After(2);
  const Json layer = history.Get().Audit(state, {})["layers"][1];
  EXPECT_EQ(layer["layer"], 1);
  EXPECT_NEAR(layer["rates"]["theta"][1].get<double>(), 0.5 / (1 + std::exp(1.0)), 1e-6);
  EXPECT_NEAR(layer["rates"]["alpha"][0].get<double>(), 1 / (1 + std::exp(4.0)), 1e-6);
  EXPECT_FALSE(layer["rates"].contains("eta"));
  EXPECT_NEAR(layer["norm"]["in"].get<double>(), state.Get("in/1").norm().item<double>(), 1e-5);
  EXPECT_FALSE(state.Has("surprise_in/1"));
}

TEST(Titans, BadOptionsAreRefused) {
  for (const char* spec : {"titans(hidden=0)", "titans(rate=2)", "titans(clip=0)", "titans(dim=12)", "titans(heads=0)"})
    EXPECT_THROW(MakeMemory(spec, MemoryGeometry{}), Error) << spec;
}

}  // namespace
}  // namespace orrery
