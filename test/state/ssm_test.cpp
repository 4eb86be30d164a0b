// ssm(): the recurrence written out, and blocks that keep to themselves.
#include "state/explicit/coupled/ssm.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "history.h"

namespace orrery {
namespace {

// One block: h <- exp(-exp(A) mean dt) h + sum_n dt_n B_n x_n^T, token by token, from the weights alone (arXiv 2405.21060).
TEST(Ssm, OneBlockIsThePlainScan) {
  const int64_t state_width = 5, heads = 2, dim = 8, frames = 6;
  const History history("ssm(heads=2, dim=8, state=5, blocks=1, every=1)", at::kDouble);
  const at::Tensor write = history.Weight("write1.weight"), step = history.Weight("step1.weight");
  at::Tensor h = at::zeros({heads, state_width, dim}, at::kDouble);
  for (int64_t t = 0; t < frames; ++t) {
    const at::Tensor x = history.Frame(t)[0], y = at::layer_norm(x, {x.size(1)}, {}, {}, 1e-6);
    const at::Tensor both = at::silu(at::matmul(y, write.t())), dt = at::softplus(at::matmul(y, step.t()) + history.Weight("step1.bias"));
    h = h * (-history.Weight("decay1").exp() * dt.mean(0)).exp().view({heads, 1, 1});
    for (int64_t n = 0; n < x.size(0); ++n)
      for (int64_t head = 0; head < heads; ++head) {
        const at::Tensor B = both[n].narrow(0, 0, state_width), v = both[n].narrow(0, state_width + head * dim, dim);
        h[head] += dt[n][head] * at::outer(B, v);
      }
  }
  EXPECT_LT((history.After(frames).Get("h/1")[0][0] - h).abs().max().item<double>(), 1e-12);
}

// 4 x 4 tokens in 2 x 2 blocks: another token in one block is heard in that block alone.
TEST(Ssm, BlocksDoNotHearEachOther) {
  const History history("ssm(heads=2, dim=8, state=8, blocks=2, every=1)", at::kDouble, /*side=*/4);
  Parts state = history.After(3), other = state;
  const at::Tensor frame = history.Frame(3), changed = frame.clone();
  changed[0][1 * 4 + 2].neg_();  // row 1, column 2: the upper right block
  history.Commit(state, 3, frame);
  history.Commit(other, 3, changed);
  const at::Tensor difference = (history.Read(state) - history.Read(other)).abs().amax({0, 2}).view({4, 4});
  EXPECT_GT(difference.narrow(0, 0, 2).narrow(1, 2, 2).min().item<double>(), 1e-6);
  EXPECT_EQ(difference.narrow(0, 2, 2).max().item<double>(), 0);
  EXPECT_EQ(difference.narrow(1, 0, 2).max().item<double>(), 0);
}

// The router hears the state fully only after its frames.
TEST(Ssm, TheRouterOpensWithTime) {
  const History free("ssm(heads=2, dim=8, state=8, every=1)"), routed("ssm(heads=2, dim=8, state=8, every=1, router=20)");
  const Parts a = free.After(3), b = routed.After(3);
  const at::Tensor x = free.Frame(50);
  const auto share = [&](int64_t t) { return (routed.Read(b, t, x).norm() / free.Read(a, t, x).norm()).item<double>(); };
  EXPECT_NEAR(share(0), 1 / (1 + 20.0), 1e-5);  // sigmoid(log(1 / 20))
  EXPECT_NEAR(share(9), 1 / (1 + 2.0), 1e-5);
  EXPECT_NEAR(share(19), 0.5, 1e-5);
  EXPECT_NEAR(share(200), 0.5, 1e-5);
}

}  // namespace
}  // namespace orrery
