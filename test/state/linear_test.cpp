// linear(): the order of what was seen, the recurrence against attention over all frames, and how far fp32 sums drift.
#include "state/explicit/coupled/linear.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "history.h"
#include "nn/rope.h"

namespace orrery {
namespace {

double Relative(const at::Tensor& a, const at::Tensor& b) { return ((a - b).abs().max() / b.abs().max()).item<double>(); }

TEST(Linear, OrderOfFramesMattersOnlyByRotation) {
  for (const bool rope : {false, true}) {
    const History history(fmt::format("linear(heads=2, dim=8, rope={}, every=1)", rope), at::kDouble);
    Parts forward = history.Fresh(), backward = history.Fresh();
    for (int64_t t = 0; t < 6; ++t) {
      history.Commit(forward, t, history.Frame(t));
      history.Commit(backward, t, history.Frame(5 - t));
    }
    EXPECT_LT(Relative(backward.Get("keys/1"), forward.Get("keys/1")), 1e-12);
    const double sums = Relative(backward.Get("sum/1"), forward.Get("sum/1"));
    if (rope) {
      EXPECT_GT(sums, 1e-2);
    } else {
      EXPECT_LT(sums, 1e-12);
    }
  }
}

// A token's keys and values from the weights, [frames N, H, d] each.
struct Pairs {
  at::Tensor key, value;
};
Pairs PairsOf(const History& history, int64_t frames) {
  std::vector<at::Tensor> x;
  for (int64_t t = 0; t < frames; ++t) x.push_back(history.Frame(t)[0]);
  const at::Tensor all = at::cat(x, 0), y = at::layer_norm(all, {all.size(1)}, {}, {}, 1e-6);
  const auto kv = at::matmul(y, history.Weight("key_value1.weight").t()).view({-1, 4, 8}).split(2, 1);
  return {kv[0].relu(), kv[1]};
}

// Attention of all tokens seen with weights rope(phi(q)) rope(phi(k)) over sum phi(q) phi(k), written out (arXiv 2509.24695).
TEST(Linear, ReadsWhatAttentionOverAllFramesWould) {
  const int64_t frames = 7;
  const History history("linear(heads=2, dim=8, every=1)", at::kDouble);
  const Parts state = history.After(frames);
  const Pairs pairs = PairsOf(history, frames);
  const at::Tensor rotated =
      ApplyRope(pairs.key.transpose(0, 1).unsqueeze(0), MakeRope(GridCoordinates(frames, 2, 2), {.head_dim = 8}))[0];  // [H, S, d]
  const at::Tensor sum = at::matmul(rotated.transpose(1, 2), pairs.value.transpose(0, 1));
  EXPECT_LT(Relative(state.Get("sum/1")[0], sum), 1e-12);
  EXPECT_LT(Relative(state.Get("keys/1")[0], pairs.key.sum(0).unsqueeze(2)), 1e-12);
  EXPECT_GE(state.Get("keys/1").min().item<double>(), 0) << "a denominator may become zero";
}

TEST(Linear, SumsOfManyFramesDriftLittle) {
  const History single("linear(heads=2, dim=8, every=1)"), exact("linear(heads=2, dim=8, every=1)", at::kDouble);
  const Parts a = single.After(2000), b = exact.After(2000);
  for (const Part& part : a.All()) {
    const at::Tensor& true_value = b.Get(part.name);
    EXPECT_LT(((part.tensor - true_value).norm() / true_value.norm()).item<double>(), 1e-4) << part.name;
  }
}

}  // namespace
}  // namespace orrery
