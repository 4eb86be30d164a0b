// The scans of the recurrent states against their definition, token by token.
#include "state/explicit/coupled/scan.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace orrery {
namespace {

constexpr int64_t kGroups = 2, kFrames = 11, kTokens = 4, kKey = 6, kValue = 5;

at::Tensor Normal(at::IntArrayRef shape) { return at::randn(shape, at::kDouble); }
double Furthest(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

TEST(DecayedSum, IsTheRecurrenceInChunksOfAnySize) {
  at::manual_seed(1);
  const at::Tensor write = Normal({kGroups, kFrames, kKey, kValue}), decay = -at::rand({kGroups, kFrames}, at::kDouble) * 3;
  const at::Tensor start = Normal({kGroups, kKey, kValue});
  for (const bool decays : {false, true}) {
    std::vector<at::Tensor> before;
    at::Tensor state = start;
    for (int64_t t = 0; t < kFrames; ++t) {
      before.push_back(state);
      if (decays) state = state * decay.select(1, t).exp().view({kGroups, 1, 1});
      state = state + write.select(1, t);
    }
    for (const int64_t chunk : {1, 3, 4, 11, 32}) {
      const FrameStates sum = DecayedSum(write, decays ? decay : at::Tensor(), start, chunk);
      EXPECT_LT(Furthest(sum.before, at::stack(before, 1)), 1e-12) << "chunk " << chunk;
      EXPECT_LT(Furthest(sum.after, state), 1e-12) << "chunk " << chunk;
    }
  }
}

// Decays of zero are no decay: retention becomes linear attention.
TEST(DecayedSum, WithoutForgettingItIsASum) {
  at::manual_seed(2);
  const at::Tensor write = Normal({kGroups, kFrames, kKey, kValue}), start = Normal({kGroups, kKey, kValue});
  const FrameStates kept = DecayedSum(write, at::zeros({kGroups, kFrames}, at::kDouble), start), sum = DecayedSum(write, {}, start);
  EXPECT_LT(Furthest(kept.before, sum.before), 1e-12);
  EXPECT_LT(Furthest(sum.after, start + write.sum(1)), 1e-12);
}

TEST(DecayedSum, StrongForgettingOverManyFramesStaysANumber) {
  const at::Tensor write = at::ones({1, 200, 1, 1}), decay = at::full({1, 200}, -40.0);
  const FrameStates sum = DecayedSum(write, decay, at::ones({1, 1, 1}));
  EXPECT_TRUE(sum.before.isfinite().all().item<bool>());
  EXPECT_NEAR(sum.after.item<double>(), 1, 1e-6);
}

TEST(DeltaRule, IsTheRecurrenceTokenByToken) {
  at::manual_seed(3);
  const at::Tensor key = Normal({kGroups, kFrames, kTokens, kKey}) / 2, value = Normal({kGroups, kFrames, kTokens, kValue});
  const at::Tensor beta = at::rand({kGroups, kFrames, kTokens}, at::kDouble), decay = -at::rand({kGroups, kFrames}, at::kDouble);
  const at::Tensor start = Normal({kGroups, kKey, kValue});
  for (const bool in_order : {true, false}) {
    const FrameStates rule = DeltaRule(key, value, beta, decay, start, in_order);
    at::Tensor state = start;
    for (int64_t t = 0; t < kFrames; ++t) {
      EXPECT_LT(Furthest(rule.before.select(1, t), state), 1e-10) << "frame " << t;
      state = state * decay.select(1, t).exp().view({kGroups, 1, 1});
      const at::Tensor found = state;
      for (int64_t n = 0; n < kTokens; ++n) {
        const at::Tensor k = key.select(1, t).narrow(1, n, 1), v = value.select(1, t).narrow(1, n, 1);
        const at::Tensor b = beta.select(1, t).narrow(1, n, 1).unsqueeze(2) / static_cast<double>(in_order ? 1 : kTokens);
        state = state + at::matmul(k.transpose(1, 2), b * (v - at::matmul(k, in_order ? state : found)));
      }
    }
    EXPECT_LT(Furthest(rule.after, state), 1e-10);
  }
}

// Strength 1, nothing forgotten: as many orthonormal keys as there are recall their values exactly, one more does not fit.
TEST(DeltaRule, RecallsAsManyPairsAsKeysAreWide) {
  at::manual_seed(4);
  const at::Tensor basis = std::get<0>(at::linalg_qr(Normal({kKey, kKey}))).view({1, kKey, 1, kKey});  // a key a frame
  const at::Tensor value = Normal({1, kKey, 1, kValue}), none = at::zeros({1, kKey}, at::kDouble);
  const auto ones = [](int64_t frames) { return at::ones({1, frames, 1}, at::kDouble); };
  const at::Tensor state = DeltaRule(basis, value, ones(kKey), none, at::zeros({1, kKey, kValue}, at::kDouble), true).after;
  EXPECT_LT(Furthest(at::matmul(basis.view({kKey, kKey}), state[0]), value.view({kKey, kValue})), 1e-12);
  const at::Tensor more = at::ones({1, 1, 1, kKey}, at::kDouble) / std::sqrt(static_cast<double>(kKey));
  const at::Tensor full = DeltaRule(more, Normal({1, 1, 1, kValue}), ones(1), none.narrow(1, 0, 1), state, true).after;
  EXPECT_GT(Furthest(at::matmul(basis.view({kKey, kKey}), full[0]), value.view({kKey, kValue})), 0.05);
}

// The same key again: the delta rule returns the newest value, a sum returns both.
TEST(DeltaRule, AKeyWrittenAgainReturnsTheNewestValue) {
  at::manual_seed(5);
  const at::Tensor one = Normal({kKey}), key = (one / one.norm()).expand({1, 2, 1, kKey}), value = Normal({1, 2, 1, kValue});
  const at::Tensor empty = at::zeros({1, kKey, kValue}, at::kDouble), none = at::zeros({1, 2}, at::kDouble);
  const at::Tensor delta = DeltaRule(key, value, at::ones({1, 2, 1}, at::kDouble), none, empty, true).after;
  EXPECT_LT(Furthest(at::matmul(key[0][0], delta[0]), value[0][1]), 1e-12);
  const at::Tensor sum = DecayedSum(at::matmul(key.transpose(2, 3), value), {}, empty).after;
  EXPECT_LT(Furthest(at::matmul(key[0][0], sum[0]), value[0][0] + value[0][1]), 1e-12);
}

}  // namespace
}  // namespace orrery
