// Radial attention: how many tokens a query sees, that the mask keeps to the past, and dense attention near by.
#include "state/implicit/retrieval/radial.h"

#include <gtest/gtest.h>

#include <cmath>

#include "cache_reads.h"

namespace orrery {
namespace {

MemoryGeometry Square(int64_t side) {
  return {.layers = 1, .heads = 2, .head_dim = 8, .rows = side, .columns = side, .channels = 3, .patch = 1};
}

// Tokens that query `n` of frame T sees, its own frame included, counted pair by pair from the rule.
int64_t Visible(int64_t T, int64_t n, int64_t N, bool sink) {
  int64_t seen = N;
  for (int64_t distance = 1; distance <= T; ++distance) {
    if ((sink && distance == T) || distance == 1) {
      seen += N;
      continue;
    }
    int64_t g = 1;
    while (2 * g <= distance) g *= 2;
    for (int64_t m = 0; m < N; ++m)
      if (g <= N ? std::abs(n - m) + 1 <= N / g : distance % ((g + N - 1) / N) == 0 && n == m) ++seen;
  }
  return seen;
}

TEST(Radial, SeesAsManyTokensAsTheRuleSays) {
  const int64_t N = 64, middle = 32;
  const RadialMemory memory(false, Square(8)), sunk(true, Square(8));
  for (const int64_t T : {1, 2, 3, 64, 256, 300}) {
    int64_t seen = N;
    for (int64_t f = 0; f < T; ++f) seen += memory.Seen(T - f, f == 0)[middle].sum().item<int64_t>();
    EXPECT_EQ(seen, Visible(T, middle, N, false));
    EXPECT_LE(seen, N + 2 * N * static_cast<int64_t>(std::ceil(std::log2(static_cast<double>(T + 1)))));
    int64_t with = N;
    for (int64_t f = 0; f < T; ++f) with += sunk.Seen(T - f, f == 0)[middle].sum().item<int64_t>();
    EXPECT_EQ(with, Visible(T, middle, N, true));
  }
  // The counts of the specification for the middle token.
  EXPECT_EQ(Visible(64, middle, N, false), 707);
  EXPECT_EQ(Visible(256, middle, N, false), 835);
  EXPECT_EQ(Visible(2048, middle, N, false), 1027);
}

// What is offered to the session is that mask: tokens that are not hidden.
TEST(Radial, OffersWhatItsMaskShows) {
  CacheReads reads("radial(sink=false)", Square(4));
  const RadialMemory memory(false, Square(4));
  for (int64_t T = 1; T <= 70; ++T) {
    reads.Commit(1);
    if (T % 7 != 0) continue;
    const AttentionContext c = reads.Context();
    const at::Tensor seen = c.bias.gt(kAbsent / 2).expand({1, 1, 16, c.Size()});
    for (const int64_t n : {0, 5, 15}) EXPECT_EQ(16 + seen[0][0][n].sum().item<int64_t>(), Visible(T, n, 16, false)) << T << " " << n;
    EXPECT_LT(c.coord.select(1, 0).max().item<double>(), 0);
    EXPECT_EQ(c.frame.max().item<int64_t>(), T - 1);
  }
}

// G9: of frames at most one back nothing is hidden; and the first frame is whole with a sink.
TEST(Radial, NearByItIsDense) {
  CacheReads radial("radial(sink=true)", Square(4)), dense("dense()", Square(4));
  Rng rng(1);
  const at::Tensor query = NormalTensor({1, 2, 16, 8}, rng);
  const auto differs = [&] {
    return (CacheReads::Attend(query, radial.Context()) - CacheReads::Attend(query, dense.Context())).abs().max().item<double>();
  };
  for (int64_t t = 0; t < 2; ++t) {
    radial.Commit(1), dense.Commit(1);
    EXPECT_LT(differs(), 1e-6);
  }
  radial.Commit(6), dense.Commit(6);
  EXPECT_GT(differs(), 1e-3);
}

}  // namespace
}  // namespace orrery
