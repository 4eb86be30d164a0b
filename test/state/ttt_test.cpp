// ttt(): its inner step by hand against autograd, against the dual form and against the delta rule; what an inner rate of zero leaves.
#include "state/explicit/parametric/ttt.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "fast_step.h"
#include "history.h"
#include "state/explicit/coupled/scan.h"

namespace orrery {
namespace {

constexpr int64_t kGroups = 3, kTokens = 5, kWidth = 8;

// A frame, a model with biases, a norm: fp64, of which gradients are asked.
struct Case {
  explicit Case(bool mlp, at::ScalarType type = at::kDouble) {
    at::manual_seed(5);
    const auto leaf = [type](at::IntArrayRef shape, double size) {
      return (at::randn(shape, at::kDouble) * size).to(type).requires_grad_(true);
    };
    const int64_t m = mlp ? 4 * kWidth : kWidth;
    weights = {leaf({kGroups, kWidth, m}, 0.3), leaf({kGroups, 1, m}, 0.3), {}, {}};
    if (mlp) weights.w2 = leaf({kGroups, m, kWidth}, 0.3), weights.b2 = leaf({kGroups, 1, kWidth}, 0.3);
    norm = {leaf({kGroups, 1, kWidth}, 1), leaf({kGroups, 1, kWidth}, 1)};
    key = leaf({kGroups, kTokens, kWidth}, 0.4), target = leaf({kGroups, kTokens, kWidth}, 1);
    rate = (at::rand({kGroups, kTokens}, at::kDouble) * 0.5).to(type).requires_grad_(true);
  }
  std::vector<at::Tensor> Leaves() const {
    std::vector<at::Tensor> all = Defined(weights);
    all.insert(all.end(), {norm.scale, norm.shift, key, target, rate});
    return all;
  }

  FastWeights weights;
  FastNorm norm;
  at::Tensor key, target, rate;
};

// LN(g(x)) by the library's own norm.
at::Tensor Answer(const FastWeights& w, const FastNorm& norm, const at::Tensor& x) {
  return at::layer_norm(Answer(w, x), {kWidth}, {}, {}, 1e-6) * norm.scale + norm.shift;
}

at::Tensor InnerLoss(const FastWeights& w, const Case& c) {
  return (c.rate * 0.5 * (Answer(w, c.norm, c.key) - c.target).square().sum(-1)).sum();
}

FastWeights StepByAutograd(const Case& c) { return Less(c.weights, Gradient(InnerLoss(c.weights, c), c.weights)); }

class TttModel : public testing::TestWithParam<bool> {};

TEST_P(TttModel, StepIsThatOfAutograd) {
  for (const auto& [type, most] : {std::pair(at::kDouble, 1e-10), std::pair(at::kFloat, 1e-5)}) {
    const Case c(GetParam(), type);
    const FastWeights by_hand = TttStep(c.weights, c.norm, c.key, c.target, c.rate);
    EXPECT_LT(Furthest(Defined(by_hand), Defined(StepByAutograd(c))), most);
    EXPECT_GT(Furthest(Defined(by_hand), Defined(c.weights)), 0.05) << "the step does not move";
  }
}

// What training sees: second derivatives of the inner loss.
TEST_P(TttModel, GradientsGoThroughTheStep) {
  const Case c(GetParam());
  const at::Tensor x = at::randn({kGroups, 4, kWidth}, at::kDouble), wanted = at::randn({kGroups, 4, kWidth}, at::kDouble);
  const auto outer = [&](const FastWeights& w) { return (RunFastNorm(c.norm, RunFast(w, x).out) * wanted).sum(); };
  const auto by_hand = torch::autograd::grad({outer(TttStep(c.weights, c.norm, c.key, c.target, c.rate))}, c.Leaves());
  const auto expected = torch::autograd::grad({outer(StepByAutograd(c))}, c.Leaves());
  EXPECT_LT(Furthest(by_hand, expected), 1e-9);
}

INSTANTIATE_TEST_SUITE_P(Models, TttModel, testing::Bool(), [](const auto& info) { return info.param ? "Mlp" : "Linear"; });

// Z' = q W - (eta * q k^T) G + b - sum eta G, G the gradient with respect to Z: no updated weights (arXiv 2407.04620, appendix A).
TEST(Ttt, DualFormReadsTheSame) {
  const Case c(/*mlp=*/false);
  const at::Tensor q = at::randn({kGroups, kTokens, kWidth}, at::kDouble);
  const at::Tensor z = Answer(c.weights, c.key).detach().requires_grad_(true);
  const at::Tensor normal = at::layer_norm(z, {kWidth}, {}, {}, 1e-6) * c.norm.scale + c.norm.shift;
  const at::Tensor G = torch::autograd::grad({(0.5 * (normal - c.target).square()).sum()}, {z})[0];
  const at::Tensor weighted = c.rate.unsqueeze(-2) * at::matmul(q, c.key.transpose(-1, -2));
  const at::Tensor dual =
      at::matmul(q, c.weights.w1) - at::matmul(weighted, G) + c.weights.b1 - (c.rate.unsqueeze(-1) * G).sum(-2, /*keepdim=*/true);
  EXPECT_LT(Furthest({RunFast(TttStep(c.weights, c.norm, c.key, c.target, c.rate), q).out}, {dual}), 1e-10);
}

// Without LN a step is the delta rule with the bias as one more row, of a key that is always 1.
TEST(Ttt, WithoutNormItIsTheDeltaRule) {
  at::manual_seed(2);
  for (const int64_t tokens : {1, 4}) {
    const int64_t frames = 6;
    const at::Tensor k = at::randn({kGroups, frames, tokens, kWidth}, at::kDouble) / 3;
    const at::Tensor v = at::randn({kGroups, frames, tokens, kWidth}, at::kDouble);
    const at::Tensor beta = at::rand({kGroups, frames, tokens}, at::kDouble);
    FastWeights w{at::randn({kGroups, kWidth, kWidth}, at::kDouble), at::randn({kGroups, 1, kWidth}, at::kDouble), {}, {}};
    const at::Tensor key = at::cat({k, at::ones({kGroups, frames, tokens, 1}, at::kDouble)}, -1);
    const FrameStates delta =
        DeltaRule(key, v - k, beta, at::zeros({kGroups, frames}, at::kDouble), at::cat({w.w1, w.b1}, -2), /*in_order=*/false);
    for (int64_t t = 0; t < frames; ++t) {
      EXPECT_LT(Furthest({at::cat({w.w1, w.b1}, -2)}, {delta.before.select(1, t)}), 1e-12);
      const at::Tensor key_t = k.select(1, t), rate = beta.select(1, t) / static_cast<double>(tokens);
      w = TttStep(w, {}, key_t, v.select(1, t) - key_t, rate);
    }
    EXPECT_LT(Furthest({at::cat({w.w1, w.b1}, -2)}, {delta.after}), 1e-12);
  }
}

// From what a head begins with, at the rates it begins with, up to the default.
TEST(Ttt, InnerLossFallsOnTheSameFrame) {
  const int64_t d = 64, n = 16, heads = 8;
  at::manual_seed(3);
  for (const bool mlp : {false, true})
    for (const double eta : {0.1, 0.3, 1.0}) {
      const int64_t m = mlp ? 4 * d : d;
      FastWeights w{at::randn({heads, d, m}) * 0.02, at::zeros({heads, 1, m}), {}, {}};
      if (mlp) w.w2 = at::randn({heads, m, d}) * 0.02, w.b2 = at::zeros({heads, 1, d});
      const FastNorm norm{at::ones({heads, 1, d}), at::zeros({heads, 1, d})};
      const at::Tensor key = UnitLength(at::randn({heads, n, d}));
      const at::Tensor target = RunFastNorm(norm, at::randn({heads, n, d}));
      const auto loss = [&](const FastWeights& now) { return (RunFastNorm(norm, RunFast(now, key).out) - target).square().mean({-2, -1}); };
      const at::Tensor rate = at::full({heads, n}, eta * 0.5 / static_cast<double>(d * n));
      const at::Tensor before = loss(w), after = loss(TttStep(w, norm, key, target, rate));
      EXPECT_TRUE((after < 0.95 * before).all().item<bool>()) << (mlp ? "mlp" : "linear") << ", eta " << eta << "\n" << after / before;
    }
}

TEST(Ttt, WithoutARateHistoryIsNotHeard) {
  for (const char* model : {"linear", "mlp"}) {
    const History still(fmt::format("ttt(model={}, heads=2, dim=8, eta=0, every=1)", model));
    EXPECT_EQ(still.After(6).Difference(still.After(0)), "");
    EXPECT_EQ((still.Read(still.After(6)) - still.Read(still.After(0))).abs().max().item<double>(), 0) << model;
    const History moves(fmt::format("ttt(model={}, heads=2, dim=8, every=1)", model));
    EXPECT_GT((moves.Read(moves.After(6)) - moves.Read(moves.After(0))).abs().max().item<double>(), 1e-2) << model;
  }
}

TEST(Ttt, BadOptionsAreRefused) {
  for (const char* spec : {"ttt(model=tree)", "ttt(eta=-1)", "ttt(dim=12)", "ttt(heads=0)"})
    EXPECT_THROW(MakeMemory(spec, MemoryGeometry{}), Error) << spec;
}

}  // namespace
}  // namespace orrery
