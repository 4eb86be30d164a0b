#include "model/optimizer.h"

#include <gtest/gtest.h>
#include <torch/nn/modules/linear.h>

#include "core/error.h"
#include "core/tensor_rng.h"

namespace orrery {
namespace {

torch::OrderedDict<std::string, at::Tensor> Parameters(std::vector<std::pair<std::string, at::Tensor>> list) {
  torch::OrderedDict<std::string, at::Tensor> dict;
  for (auto& [name, tensor] : list) dict.insert(name, tensor.requires_grad_());
  return dict;
}

TEST(Orthogonalize, IsNearThePolarFactor) {
  Rng rng(1);
  for (const auto& [rows, columns] : {std::pair<int64_t, int64_t>{24, 60}, {60, 24}, {32, 32}}) {
    const at::Tensor g = NormalTensor({3, rows, columns}, rng);
    const at::Tensor x = Orthogonalize(g);
    ASSERT_EQ(x.sizes(), g.sizes());
    const at::Tensor singular = at::linalg_svdvals(x);
    EXPECT_LT(singular.max().item<float>(), 1.3);
    EXPECT_GT(singular.min().item<float>(), rows == columns ? 0.2 : 0.6);
    const auto [u, s, vh] = at::linalg_svd(g, false);
    const at::Tensor polar = at::matmul(u, vh);
    const at::Tensor cosine = (x * polar).sum({1, 2}) / (x.norm(2, {1, 2}) * polar.norm(2, {1, 2}));
    EXPECT_GT(cosine.min().item<float>(), 0.95);
  }
}

TEST(Orthogonalize, IgnoresScale) {
  Rng rng(2);
  const at::Tensor g = NormalTensor({1, 16, 48}, rng);
  EXPECT_TRUE(at::allclose(Orthogonalize(g), Orthogonalize(g * 1e-3), 0.03, 0.03));
}

// AdamW as in its paper, written out.
TEST(Optimizer, AdamWFollowsItsDefinition) {
  Rng rng(3);
  const OptimizerOptions options{.lr = 0.1, .beta1 = 0.8, .beta2 = 0.9, .weight_decay = 0.05};
  const at::Tensor matrix = NormalTensor({4, 3}, rng), vector = NormalTensor({5}, rng);
  Optimizer optimizer(Parameters({{"matrix", matrix}, {"vector", vector}}), options, {});
  std::vector<at::Tensor> expected = {matrix.detach().clone(), vector.detach().clone()};
  std::vector<at::Tensor> m = {at::zeros({4, 3}), at::zeros({5})}, v = {at::zeros({4, 3}), at::zeros({5})};
  for (int step = 1; step <= 4; ++step) {
    const double scale = 1.0 / step;
    std::vector<at::Tensor> gradients = {NormalTensor({4, 3}, rng), NormalTensor({5}, rng)};
    at::Tensor(matrix).mutable_grad() = gradients[0];
    at::Tensor(vector).mutable_grad() = gradients[1];
    optimizer.Step(scale);
    for (size_t i = 0; i < 2; ++i) {
      m[i] = 0.8 * m[i] + 0.2 * gradients[i];
      v[i] = 0.9 * v[i] + 0.1 * gradients[i].square();
      if (i == 0) expected[i] = expected[i] * (1 - 0.1 * scale * 0.05);
      const at::Tensor step_size = (m[i] / (1 - std::pow(0.8, step))) / ((v[i] / (1 - std::pow(0.9, step))).sqrt() + 1e-8);
      expected[i] = expected[i] - 0.1 * scale * step_size;
    }
  }
  EXPECT_TRUE(at::allclose(matrix, expected[0], 1e-5, 1e-6));
  EXPECT_TRUE(at::allclose(vector, expected[1], 1e-5, 1e-6));
}

TEST(Optimizer, MuonStepsAreOrthogonalAndNesterov) {
  Rng rng(4);
  const OptimizerOptions options{.name = "muon", .muon_lr = 0.5, .muon_momentum = 0.9, .weight_decay = 0};
  const at::Tensor kernel = at::zeros({32, 2, 3, 3}), edge = at::zeros({8, 8});
  Optimizer optimizer(Parameters({{"body.kernel", kernel}, {"head.weight", edge}}), options, {"head"});
  const at::Tensor g1 = NormalTensor({32, 2, 3, 3}, rng), g2 = NormalTensor({32, 2, 3, 3}, rng);
  at::Tensor(kernel).mutable_grad() = g1;
  at::Tensor(edge).mutable_grad() = at::ones({8, 8});
  optimizer.Step(1);
  const at::Tensor after = kernel.detach().clone();
  at::Tensor(kernel).mutable_grad() = g2;
  optimizer.Step(1);
  const double stretch = std::sqrt(32.0 / 18.0);
  const auto step = [&](const at::Tensor& g) { return Orthogonalize(g.reshape({1, 32, 18}))[0].reshape(g.sizes()) * (-0.5 * stretch); };
  EXPECT_TRUE(at::allclose(after, step(g1 * 1.9), 1e-2, 1e-2));
  EXPECT_TRUE(at::allclose(kernel - after, step(g2 + 0.9 * (g2 + 0.9 * g1)), 1e-2, 1e-2));
  // AdamW moves every weight of the edge by the full rate.
  EXPECT_TRUE(at::allclose(edge, at::full({8, 8}, -2e-3), 1e-3, 0));
}

TEST(Optimizer, RefusesForeignState) {
  const auto fresh = [] { return Parameters({{"a", at::zeros({4, 4})}}); };
  Optimizer adam(fresh(), {}, {}), muon(fresh(), {.name = "muon"}, {});
  EXPECT_THROW(muon.SetState(adam.State()), Error);
  EXPECT_THROW(adam.SetState(muon.State()), Error);
  EXPECT_THROW(Optimizer(fresh(), {.name = "adam"}, {}), Error);
}

TEST(ClipGradients, LimitsTheCommonNorm) {
  at::Tensor a = at::zeros({2}).requires_grad_(), b = at::zeros({1}).requires_grad_();
  a.mutable_grad() = at::tensor({2.f, 3.f});
  b.mutable_grad() = at::tensor({6.f});
  EXPECT_FLOAT_EQ(ClipGradients({a, b}, 14).item<float>(), 7);
  EXPECT_TRUE(at::allclose(a.grad(), at::tensor({2.f, 3.f})));
  EXPECT_FLOAT_EQ(ClipGradients({a, b}, 0.7).item<float>(), 7);
  EXPECT_TRUE(at::allclose(a.grad(), at::tensor({0.2f, 0.3f})));
  EXPECT_TRUE(at::allclose(b.grad(), at::tensor({0.6f})));
}

}  // namespace
}  // namespace orrery
