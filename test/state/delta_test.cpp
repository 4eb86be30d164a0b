// delta(): the gated delta rule on keys, values and gates from the weights alone.
#include "state/explicit/coupled/delta.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "history.h"

namespace orrery {
namespace {

// S <- alpha S a frame, then token by token S <- S + beta k (v - S^T k)^T (arXiv 2412.06464), or all tokens at once with beta / N.
TEST(Delta, StateIsTheGatedRuleWrittenOut) {
  const int64_t heads = 2, dim = 8, frames = 6;
  for (const bool in_order : {true, false}) {
    const History history(fmt::format("delta(heads=2, dim=8, order={}, every=1)", in_order ? "tokens" : "mean"), at::kDouble);
    at::Tensor S = at::zeros({heads, dim, dim}, at::kDouble);
    for (int64_t t = 0; t < frames; ++t) {
      const at::Tensor x = history.Frame(t)[0], y = at::layer_norm(x, {x.size(1)}, {}, {}, 1e-6);
      const auto gate = [&](const std::string& name) {
        return at::matmul(y, history.Weight(name + "1.weight").t()) + history.Weight(name + "1.bias");
      };
      const at::Tensor kv = at::matmul(y, history.Weight("key_value1.weight").t()).view({-1, 2 * heads, dim});
      const at::Tensor beta = gate("strength").sigmoid(),
                       alpha = (-history.Weight("decay1").exp() * at::softplus(gate("forget").mean(0))).exp();
      for (int64_t h = 0; h < heads; ++h) {
        at::Tensor s = S[h] * alpha[h];
        const at::Tensor found = s.clone();
        for (int64_t n = 0; n < y.size(0); ++n) {
          const at::Tensor raw = kv[n][h], k = raw / (raw.square().sum() + 1e-6).sqrt(), v = kv[n][heads + h];
          const at::Tensor missing = v - at::matmul(k, in_order ? s : found);
          s = s + beta[n][h] / static_cast<double>(in_order ? 1 : y.size(0)) * at::outer(k, missing);
        }
        S[h] = s;
      }
    }
    EXPECT_LT((history.After(frames).Get("fast/1")[0] - S).abs().max().item<double>(), 1e-10);
  }
}

}  // namespace
}  // namespace orrery
