// The fused kernels against the ATen composition that defines them, values and gradients.
#include "nn/fused.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>

#include "core/tensor_rng.h"
#include "nn/attention.h"

namespace orrery {
namespace {

struct Inputs {
  at::Tensor x, shift, scale;
};

at::Tensor Random(at::IntArrayRef sizes, uint64_t seed, at::ScalarType type = at::kFloat) {
  Rng rng(seed);
  return NormalTensor(sizes, rng).to(type).set_requires_grad(true);
}

void ExpectClose(const at::Tensor& a, const at::Tensor& b, double tolerance, const char* what) {
  ASSERT_EQ(a.sizes(), b.sizes()) << what;
  const double difference = (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
  EXPECT_LE(difference, tolerance * (1 + b.to(at::kDouble).abs().max().item<double>())) << what;
}

// Runs `fused` in fp32 and `reference` in fp64 on the same numbers, and compares outputs and all gradients.
template <class Fused, class Reference>
void Compare(std::vector<at::Tensor> inputs, Fused fused, Reference reference, double tolerance) {
  std::vector<at::Tensor> wide;
  for (const at::Tensor& t : inputs) wide.push_back(t.detach().to(at::kDouble).set_requires_grad(true));
  const at::Tensor a = fused(inputs), b = reference(wide);
  ExpectClose(a, b, tolerance, "output");
  const at::Tensor weight = Random(a.sizes(), 99).detach();
  (a.to(at::kFloat) * weight).sum().backward();
  (b * weight.to(at::kDouble)).sum().backward();
  for (size_t i = 0; i < inputs.size(); ++i)
    ExpectClose(inputs[i].grad(), wide[i].grad(), tolerance, ("gradient " + std::to_string(i)).c_str());
}

TEST(Fused, NormModulateMatchesItsDefinition) {
  const auto run = [](const std::vector<at::Tensor>& in) { return NormModulate(in[0], in[1], in[2]); };
  Compare({Random({6, 5, 48}, 1), Random({6, 48}, 2), Random({6, 48}, 3)}, run, run, 1e-5);
}

TEST(Fused, NormModulateGivesBfloat16UnderAutocast) {
  const at::Tensor x = Random({6, 5, 48}, 1), shift = Random({6, 48}, 2), scale = Random({6, 48}, 3);
  const at::Tensor exact = NormModulate(x, shift, scale);
  at::autocast::set_autocast_enabled(at::kCPU, true);
  const at::Tensor rounded = NormModulate(x, shift, scale);
  at::autocast::set_autocast_enabled(at::kCPU, false);
  EXPECT_EQ(rounded.scalar_type(), at::kBFloat16);
  EXPECT_TRUE(at::equal(rounded, exact.to(at::kBFloat16)));
}

TEST(Fused, GatedAddMatchesItsDefinition) {
  const auto run = [](const std::vector<at::Tensor>& in) { return GatedAdd(in[0], in[1], in[2]); };
  Compare({Random({6, 5, 48}, 1), Random({6, 5, 48}, 2), Random({6, 48}, 3)}, run, run, 1e-6);
}

TEST(Fused, GeluMatchesItsDefinition) {
  const auto fused = [](const std::vector<at::Tensor>& in) { return Gelu(in[0]); };
  Compare({Random({5, 300}, 1)}, fused, fused, 2e-6);
  const at::Tensor far = at::tensor({-1e4f, -60.f, -12.f, 0.f, 12.f, 60.f, 1e4f});
  ExpectClose(Gelu(far), at::gelu(far, "tanh"), 1e-6, "far from zero");
}

TEST(Fused, GeluInBfloat16IsItsDefinitionRounded) {
  const at::Tensor x = Random({7, 33}, 1).detach().to(at::kBFloat16);
  ExpectClose(Gelu(x), at::gelu(x.to(at::kFloat), "tanh").to(at::kBFloat16), 4e-3, "bfloat16");
}

TEST(Fused, SplitHeadsMatchesItsDefinition) {
  const RopeTable rope = MakeRope(GridCoordinates(3, 2, 2), {.head_dim = 16});
  for (int part = 0; part < 3; ++part) {
    const auto run = [&](const std::vector<at::Tensor>& in) {
      const QueryKeyValue out = SplitHeads(in[0], 2, in[1], in[2], rope, false);
      return part == 0 ? out.q : part == 1 ? out.k + 0 * out.q : out.v + 0 * (out.q + out.k);
    };
    const auto reference = [&](const std::vector<at::Tensor>& in) {
      const QueryKeyValue out = SplitHeads(in[0], 2, in[1], in[2], {rope.cos.to(at::kDouble), rope.sin.to(at::kDouble)}, true);
      return part == 0 ? out.q + 0 * out.k : part == 1 ? out.k + 0 * out.q : out.v + 0 * (out.q + out.k);
    };
    const auto fused = [&](const std::vector<at::Tensor>& in) { return run(in) + 0 * (in[1].sum() + in[2].sum()); };
    Compare({Random({2, 12, 96}, 1), Random({16}, 2), Random({16}, 3)}, fused, reference, 2e-5);
  }
}

TEST(Fused, RotateMatchesRope) {
  // One table for all rows, and one a row.
  for (const int64_t rows : {1, 3}) {
    const RopeTable table = MakeRope(Random({rows * 5, 3}, 9).detach() * 7, {.head_dim = 16});
    const auto row = [&](const at::Tensor& x) { return x.view({rows, 5, 8}); };
    const auto fused = [&](const std::vector<at::Tensor>& in) { return Rotate(in[0], {row(table.cos), row(table.sin)}); };
    const auto reference = [&](const std::vector<at::Tensor>& in) {
      return ApplyRope(in[0], {row(table.cos).unsqueeze(1), row(table.sin).unsqueeze(1)});
    };
    Compare({Random({3, 2, 5, 16}, 1)}, fused, reference, 1e-5);
  }
}

TEST(Rope, ScoresDependOnCoordinateDifferencesOnly) {
  const at::Tensor q = Random({1, 1, 8, 32}, 1).detach(), k = Random({1, 1, 8, 32}, 2).detach();
  const auto scores = [&](double first) {
    const RopeTable table = MakeRope(GridCoordinates(2, 2, 2, first), {.head_dim = 32});
    return at::matmul(ApplyRope(q, table), ApplyRope(k, table).transpose(2, 3));
  };
  ExpectClose(scores(0), scores(7), 1e-5, "scores shifted by seven frames");
  EXPECT_GT((scores(0) - at::matmul(q, k.transpose(2, 3))).abs().max().item<double>(), 0.1);
}

class FrameCausal : public testing::TestWithParam<int64_t> {};

TEST_P(FrameCausal, MatchesTheMaskedProduct) {
  const int64_t tokens = 4, reach = GetParam();
  const auto fused = [&](const std::vector<at::Tensor>& in) { return FrameCausalAttention(in[0], in[1], in[2], tokens, reach); };
  const auto reference = [&](const std::vector<at::Tensor>& in) {
    return FrameCausalAttentionReference(in[0], in[1], in[2], tokens, reach);
  };
  Compare({Random({2, 3, 24, 16}, 1), Random({2, 3, 24, 16}, 2), Random({2, 3, 24, 16}, 3)}, fused, reference, 1e-5);
}

// Long enough for several blocks of queries.
TEST_P(FrameCausal, MatchesTheMaskedProductAcrossBlocks) {
  const int64_t tokens = 100, reach = GetParam();
  const auto fused = [&](const std::vector<at::Tensor>& in) { return FrameCausalAttention(in[0], in[1], in[2], tokens, reach); };
  const auto reference = [&](const std::vector<at::Tensor>& in) {
    return FrameCausalAttentionReference(in[0], in[1], in[2], tokens, reach);
  };
  const std::vector<int64_t> sizes{1, 2, 1300, 8};
  Compare({Random(sizes, 1), Random(sizes, 2), Random(sizes, 3)}, fused, reference, 1e-5);
}

TEST_P(FrameCausal, NeverSeesLaterFrames) {
  const int64_t tokens = 4, reach = GetParam();
  const at::Tensor q = Random({1, 2, 24, 16}, 1).detach();
  at::Tensor k = Random({1, 2, 24, 16}, 2).detach(), v = Random({1, 2, 24, 16}, 3).detach();
  const at::Tensor before = FrameCausalAttention(q, k, v, tokens, reach);
  k.narrow(2, 12, 4).add_(1);
  v.narrow(2, 12, 4).add_(1);
  const at::Tensor after = FrameCausalAttention(q, k, v, tokens, reach);
  EXPECT_TRUE(at::equal(before.narrow(2, 0, 12), after.narrow(2, 0, 12)));
  EXPECT_FALSE(at::equal(before.narrow(2, 12, 4), after.narrow(2, 12, 4)));
}

INSTANTIATE_TEST_SUITE_P(Reaches, FrameCausal, testing::Values(-1, 0, 2));

}  // namespace
}  // namespace orrery
