// Token merging: its rule against a plain loop, what merging keeps, and what a merged read equals.
#include "state/implicit/compression/tome.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "core/rng.h"
#include "core/tensor_rng.h"
#include "nn/attention.h"
#include "state/registry.h"

namespace orrery {
namespace {

const MemoryGeometry kGeometry{.layers = 2, .heads = 2, .head_dim = 8, .rows = 2, .columns = 2, .channels = 3, .patch = 1};

at::Tensor Normal(std::vector<int64_t> shape, uint64_t seed) {
  Rng rng(seed);
  return NormalTensor(shape, rng).to(at::kDouble);
}

double Cosine(const at::Tensor& a, const at::Tensor& b, int64_t heads) {
  const at::Tensor x = a.view({heads, -1}).mean(0), y = b.view({heads, -1}).mean(0);
  return (x.dot(y) / (x.norm() * y.norm())).item<double>();
}

// The rule as it is told, token by token, for one row.
std::vector<int64_t> TargetsByHand(const MergeRule& rule, const at::Tensor& slots, const at::Tensor& tokens, int64_t frame) {
  const int64_t M = rule.slots, N = rule.tokens, fixed = rule.first ? N : 0;
  struct Edge {
    double likeness;
    int64_t from, to;
  };
  std::vector<Edge> edges;
  const auto leaves = [&](int64_t s) { return (DeriveSeed(static_cast<uint64_t>(frame), static_cast<uint64_t>(s - fixed)) & 1) == 1; };
  const auto seek = [&](int64_t from, const at::Tensor& key, bool slot) {
    Edge best{-2, from, -1};
    for (int64_t s = fixed; s < M; ++s)
      if (!slot || !leaves(s))
        if (const double c = Cosine(key, slots[s], rule.heads); c > best.likeness) best = {c, from, s};
    if (best.to >= 0) edges.push_back(best);
  };
  for (int64_t s = fixed; s < M; ++s)
    if (leaves(s)) seek(s, slots[s], true);
  for (int64_t n = 0; n < N; ++n) seek(M + n, tokens[n], false);
  std::stable_sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) { return a.likeness > b.likeness; });
  edges.resize(static_cast<size_t>(N));
  std::vector<int64_t> to(static_cast<size_t>(M + N), -1);
  std::iota(to.begin(), to.begin() + M, 0);
  std::vector<int64_t> free;
  for (const Edge& e : edges)
    if (e.from < M) to[static_cast<size_t>(e.from)] = e.to, free.push_back(e.from);
  std::sort(free.begin(), free.end());
  for (const Edge& e : edges)
    if (e.from >= M) to[static_cast<size_t>(e.from)] = to[static_cast<size_t>(e.to)];
  size_t next = 0;
  for (int64_t n = 0; n < N; ++n)
    if (int64_t& t = to[static_cast<size_t>(M + n)]; t < 0) t = free[next++];
  return to;
}

class Targets : public testing::TestWithParam<bool> {};

TEST_P(Targets, AreThoseOfThePlainRule) {
  const MergeRule rule{.slots = 24, .tokens = 4, .heads = 2, .first = GetParam()};
  int64_t slots_left = 0, tokens_founded = 0;
  for (int64_t frame = 6; frame < 30; ++frame) {
    const at::Tensor slots = Normal({2, 24, 16}, static_cast<uint64_t>(frame)),
                     tokens = Normal({2, 4, 16}, 100 + static_cast<uint64_t>(frame));
    const at::Tensor to = MergeTargets(rule, slots, tokens, frame);
    for (int64_t b = 0; b < 2; ++b) {
      const std::vector<int64_t> hand = TargetsByHand(rule, slots[b], tokens[b], frame);
      for (int64_t i = 0; i < 28; ++i)
        EXPECT_EQ(to[b][i].item<int64_t>(), hand[static_cast<size_t>(i)]) << "frame " << frame << " row " << b << " token " << i;
      for (int64_t s = 0; s < 24; ++s) slots_left += hand[static_cast<size_t>(s)] != s;
    }
    tokens_founded += 8;
  }
  // Both kinds of merges happen.
  EXPECT_GT(slots_left, 0);
  EXPECT_LT(slots_left, tokens_founded);
}
INSTANTIATE_TEST_SUITE_P(FirstFrameKeptOrNot, Targets, testing::Bool());

TEST(Targets, ATableThatIsNotFullTakesFramesAsTheyCome) {
  const MergeRule rule{.slots = 12, .tokens = 4, .heads = 2, .first = false};
  const at::Tensor to = MergeTargets(rule, at::zeros({1, 12, 16}), at::ones({1, 4, 16}), 1);
  EXPECT_TRUE(at::equal(to[0], at::tensor({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 4, 5, 6, 7}, at::kLong)));
}

// Softmax attention over twins of one key equals attention over their mean value with log 2 added to the score.
TEST(Merging, OfTwinsLeavesTheReadAsItWas) {
  const MergeRule rule{.slots = 4, .tokens = 4, .heads = 2, .first = false};
  const at::Tensor key = Normal({1, 4, 16}, 1), value = Normal({1, 4, 16}, 2), other = Normal({1, 4, 16}, 3);
  const at::Tensor shuffled = at::tensor({2, 0, 3, 1}, at::kLong), twin = key.index_select(1, shuffled);
  const at::Tensor to = MergeTargets(rule, key, twin, 1);
  const at::Tensor count = MergeRows(at::ones({1, 4, 1}, at::kDouble), at::ones({1, 4, 1}, at::kDouble), to);
  const at::Tensor keys = MergeRows(key, twin, to) / count, values = MergeRows(value, other, to) / count;
  EXPECT_TRUE(count.eq(2).all().item<bool>());
  const auto heads = [](const at::Tensor& x) { return x.view({1, -1, 2, 8}).transpose(1, 2); };
  const at::Tensor query = Normal({1, 2, 5, 8}, 4);
  const at::Tensor all = DenseAttention(query, heads(at::cat({key, twin}, 1)), heads(at::cat({value, other}, 1)));
  const at::Tensor few = DenseAttention(query, heads(keys), heads(values), count.log().view({1, 1, 1, 4}));
  EXPECT_LT((all - few).abs().max().item<double>(), 1e-12);
  // Of three equal keys, two of them in one slot, the mean weighs by tokens: without the bias the read is another.
  const at::Tensor skewed = at::tensor({3., 1., 1., 1.}, at::kDouble).log().view({1, 1, 1, 4});
  EXPECT_GT((all - DenseAttention(query, heads(keys), heads(values), skewed)).abs().max().item<double>(), 1e-3);
}

CleanFrame Frame(int64_t t, uint64_t seed) {
  Rng rng(DeriveSeed(seed, static_cast<uint64_t>(t)));
  CleanFrame frame{{t, {}, {}}, {}, {}};
  for (int64_t l = 0; l < kGeometry.layers; ++l) {
    const at::Tensor key = NormalTensor({1, 2, 4, 8}, rng), value = NormalTensor({1, 2, 4, 8}, rng);
    frame.layers.push_back({key, value, {}});
  }
  return frame;
}

void Commit(const Memory& memory, Parts& state, const CleanFrame& frame) {
  memory.Commit(state, memory.BeginFrame(state, frame.query), frame);
}

TEST(Tome, EveryTokenIsCountedAndNoneIsAddedTwice) {
  MemoryGeometry geometry = kGeometry;
  geometry.recent = 3;
  const TomeMemory memory({.frames = 4, .every = 1}, geometry);
  Parts state = memory.Reset(1, at::kCPU, at::kFloat, 0);
  std::vector<CleanFrame> frames;
  for (int64_t t = 0; t < 40; ++t) {
    frames.push_back(Frame(t, 5));
    Commit(memory, state, frames.back());
    const int64_t old = std::max<int64_t>(0, t + 1 - 3);
    const AttentionContext seen = memory.Context(state, {{t + 1, {}, {}}, {}}, 1, {});
    EXPECT_EQ(seen.Size(), std::min<int64_t>(16, 4 * old));
    ASSERT_EQ(state.Get("place").select(3, 3).sum().item<double>(), static_cast<double>(2 * 4 * old));
    at::Tensor total = at::zeros({2, 32}, at::kDouble), times = at::zeros({}, at::kDouble);
    for (int64_t f = 0; f < old; ++f) {
      times += 4 * f;
      for (int64_t l = 0; l < 2; ++l) {
        const LayerActivation& a = frames[static_cast<size_t>(f)].layers[static_cast<size_t>(l)];
        total[l] +=
            at::cat({a.key[0].transpose(0, 1).reshape({4, 16}), a.value[0].transpose(0, 1).reshape({4, 16})}, 1).sum(0).to(at::kDouble);
      }
    }
    EXPECT_LT((state.Get("sum").to(at::kDouble).sum(2).squeeze(1) - total).abs().max().item<double>(), 1e-4);
    EXPECT_EQ(state.Get("place")[0][0].select(1, 0).sum().item<double>(), times.item<double>());
  }
}

TEST(Tome, TheFirstFrameStaysAsItWasUnlessToldOtherwise) {
  for (const bool first : {true, false}) {
    const TomeMemory memory({.frames = 3, .first = first, .every = 1}, kGeometry);
    Parts state = memory.Reset(1, at::kCPU, at::kFloat, 0);
    for (int64_t t = 0; t < 30; ++t) Commit(memory, state, Frame(t, 6));
    const at::Tensor count = state.Get("place")[0][0].select(1, 3).narrow(0, 0, 4);
    EXPECT_EQ(count.eq(1).all().item<bool>(), first);
    const AttentionContext seen = memory.Context(state, {{30, {}, {}}, {}}, 0, {});
    EXPECT_EQ(at::equal(seen.key.narrow(2, 0, 4), Frame(0, 6).layers[0].key), first);
  }
}

// A thing seen often is held in few slots, and what is new gets slots of its own.
TEST(Tome, WhatIsNewIsHeldApartFromWhatIsOld) {
  const TomeMemory memory({.frames = 8, .every = 1}, kGeometry);
  Parts state = memory.Reset(1, at::kCPU, at::kFloat, 0);
  for (int64_t t = 0; t < 40; ++t) {
    CleanFrame frame = Frame(0, 7);
    frame.query.frame = t;
    Commit(memory, state, frame);
  }
  CleanFrame news = Frame(0, 8);
  news.query.frame = 40;
  Commit(memory, state, news);
  const AttentionContext seen = memory.Context(state, {{41, {}, {}}, {}}, 0, {});
  for (int64_t n = 0; n < 4; ++n) {
    const at::Tensor apart = (seen.key - news.layers[0].key.narrow(2, n, 1)).abs().amax({0, 1, 3});
    EXPECT_EQ(apart.min().item<double>(), 0) << "token " << n << " of the new frame has no slot of its own";
    EXPECT_EQ(seen.frame[0][apart.argmin().item<int64_t>()].item<int64_t>(), 40);
  }
}

// With room for every token nothing merges: the read is that of dense attention.
TEST(Tome, WithRoomForAllItIsDense) {
  TomeMemory tome({.frames = 12, .first = false, .times = "exact", .every = 1}, kGeometry);
  const auto dense = MakeMemory("dense()", kGeometry);
  {
    const at::NoGradGuard guard;
    for (at::Tensor& p : tome.parameters()) p.zero_();  // its gate
  }
  Parts a = tome.Reset(1, at::kCPU, at::kFloat, 0), b = dense->Reset(1, at::kCPU, at::kFloat, 0);
  for (int64_t t = 0; t < 12; ++t) {
    Commit(tome, a, Frame(t, 9));
    Commit(*dense, b, Frame(t, 9));
    const at::NoGradGuard guard;
    const at::Tensor query = Normal({1, 2, 4, 8}, 10).to(at::kFloat);
    const auto read = [&](const AttentionContext& c) {
      return DenseAttention(query, RotateKeys(c.key, c.coord), c.value, c.bias.defined() ? c.bias : at::zeros({1, 1, 1, c.Size()}));
    };
    const ReadPlan plan{{t + 1, {}, {}}, {}};
    EXPECT_LT((read(tome.Context(a, plan, 1, query)) - read(dense->Context(b, plan, 1, query))).abs().max().item<double>(), 1e-6) << t;
  }
}

// The scan's own gradient against autograd through the same merges.
TEST(MergeClip, HasTheGradientOfItsSums) {
  const int64_t B = 2, H = 2, N = 4, T = 14, d = 8, recent = 2, D = H * d;
  const MergeRule rule{.slots = 12, .tokens = N, .heads = H, .first = true};
  const at::Tensor place = at::tensor({0., 0., 0., 1., 1., 0., 1., 1.}, at::kFloat).view({4, 2});
  const at::Tensor key = Normal({B, H, T * N, d}, 1).requires_grad_(), value = Normal({B, H, T * N, d}, 2).requires_grad_();
  const MergedClip clip = MergeClip(rule, key, value, place, recent);
  const at::Tensor wk = Normal(clip.key.sizes().vec(), 3), wv = Normal(clip.key.sizes().vec(), 4);
  (clip.key.square() * wk + clip.value.square() * wv).sum().backward();

  const at::Tensor k = key.detach().clone().requires_grad_(), v = value.detach().clone().requires_grad_();
  at::Tensor sum = at::zeros({B, 12, 2 * D}, at::kDouble), count = at::zeros({B, 12, 1}, at::kDouble), loss = at::zeros({}, at::kDouble);
  for (int64_t f = 0; f < T - recent - 1; ++f) {
    const auto rows = [&](const at::Tensor& x) { return x.narrow(2, f * N, N).transpose(1, 2).reshape({B, N, D}); };
    const at::Tensor to = MergeTargets(rule, sum.detach().narrow(2, 0, D), rows(k).detach(), f);
    sum = MergeRows(sum, at::cat({rows(k), rows(v)}, 2), to);
    count = MergeRows(count, at::ones({B, N, 1}, at::kDouble), to);
    const at::Tensor mean = (sum / count.clamp_min(1)).view({B, 12, 2, H, d}).permute({2, 0, 3, 1, 4});
    const int64_t t = f + recent + 1;
    EXPECT_LT((clip.key.select(1, t) - mean[0]).abs().max().item<double>(), 1e-12);
    EXPECT_TRUE(at::equal(clip.place.select(1, t).select(2, 3).to(at::kDouble), count.squeeze(2)));
    loss = loss + (mean[0].square() * wk.select(1, t) + mean[1].square() * wv.select(1, t)).sum();
  }
  loss.backward();
  EXPECT_LT((key.grad() - k.grad()).abs().max().item<double>(), 1e-10);
  EXPECT_LT((value.grad() - v.grad()).abs().max().item<double>(), 1e-10);
  EXPECT_GT(key.grad().narrow(2, 0, N).abs().max().item<double>(), 0.1);
  EXPECT_EQ(key.grad().narrow(2, (T - recent - 1) * N, (recent + 1) * N).abs().max().item<double>(), 0);
}

TEST(Tome, BadOptionsAreRefused) {
  EXPECT_THROW(MakeMemory("tome(frames=1)", kGeometry), Error);
  EXPECT_THROW(MakeMemory("tome(times=dense)", kGeometry), Error);
  EXPECT_NO_THROW(MakeMemory("tome(frames=1, first=false)", kGeometry));
}

}  // namespace
}  // namespace orrery
