// MoBA: recall of what was planted, budgets, ties, and dense attention when everything is read.
#include <gtest/gtest.h>

#include "cache_reads.h"

namespace orrery {
namespace {

const MemoryGeometry kGeometry{.layers = 1, .heads = 2, .head_dim = 8, .rows = 2, .columns = 2, .channels = 3, .patch = 1};

at::Tensor Query(uint64_t seed) {
  Rng rng(seed);
  return NormalTensor({1, 2, 4, 8}, rng);
}

// Frames that head `h` reads, from the keys that it was given.
std::vector<int64_t> Read(const CacheReads& reads, const AttentionContext& c, int64_t h) {
  std::vector<int64_t> frames;
  for (int64_t i = 0; i < c.Size(); i += 4)
    for (int64_t t = 0; t < reads.Frames(); ++t)
      if (at::equal(c.key[0][h].narrow(0, i, 4), reads.Frame(t).key[0][h])) frames.push_back(t);
  return frames;
}

// The rule as it is told: scores of one head, sorted.
std::vector<int64_t> Best(const CacheReads& reads, const at::Tensor& query, int64_t h, int64_t first, int64_t k) {
  std::vector<std::pair<double, int64_t>> scores;
  const at::Tensor ask = query[0][h].mean(0);
  for (int64_t t = first; t < reads.Frames(); ++t) scores.emplace_back(-ask.dot(reads.Frame(t).key[0][h].mean(0)).item<double>(), t);
  std::sort(scores.begin(), scores.end());
  std::vector<int64_t> best;
  for (int64_t i = 0; i < k; ++i) best.push_back(scores[static_cast<size_t>(i)].second);
  std::sort(best.begin(), best.end());
  return best;
}

TEST(Moba, EveryHeadReadsItsBestFramesAndNoOthers) {
  for (const bool anchor : {false, true}) {
    CacheReads reads(anchor ? "moba(k=3, anchor=true)" : "moba(k=3, anchor=false)", kGeometry);
    reads.Commit(100);  // more than a chunk of the cache
    int differ = 0;
    for (uint64_t seed = 0; seed < 10; ++seed) {
      const at::Tensor query = Query(seed);
      const AttentionContext c = reads.Context(query);
      EXPECT_EQ(c.Size(), (anchor ? 4 : 3) * 4);
      for (int64_t h = 0; h < 2; ++h) {
        std::vector<int64_t> best = Best(reads, query, h, anchor ? 1 : 0, 3);
        if (anchor) best.insert(best.begin(), 0);  // beside the three
        EXPECT_EQ(Read(reads, c, h), best);
      }
      differ += Read(reads, c, 0) != Read(reads, c, 1);
    }
    EXPECT_GT(differ, 5) << "heads choose for themselves";
  }
}

TEST(Moba, FindsWhatWasPlanted) {
  CacheReads reads("moba(k=1, anchor=false)", kGeometry);
  const at::Tensor query = Query(1);
  for (int64_t t = 0; t < 60; ++t) {
    LayerActivation frame = reads.Frame(t);
    if (t == 17) frame.key = query / query.norm(2, -1, true) * 8;
    reads.Commit(frame);
  }
  EXPECT_TRUE(at::equal(reads.Context(query).value, reads.Frame(17).value));
}

TEST(Moba, OfEqualFramesTheOlderIsRead) {
  CacheReads reads("moba(k=2, anchor=false)", kGeometry);
  for (int64_t t = 0; t < 20; ++t) {
    LayerActivation frame = reads.Frame(0);
    frame.value = at::full_like(frame.value, static_cast<double>(t));
    reads.Commit(frame);
  }
  const AttentionContext c = reads.Context(Query(1));
  EXPECT_EQ(std::get<0>(at::unique_dim(c.value, 2)).size(2), 2);
  EXPECT_EQ(c.value.max().item<double>(), 1);
  EXPECT_TRUE(at::equal(c.frame[0], at::tensor({0, 0, 0, 0, 1, 1, 1, 1}, at::kLong)));
}

// G9: with k for all frames it is dense attention, whose old frames are all at one distance.
TEST(Moba, OfAllFramesIsDense) {
  CacheReads moba("moba(k=40, anchor=false)", kGeometry), dense("dense()", kGeometry);
  for (int64_t t = 0; t < 30; ++t) {
    moba.Commit(1), dense.Commit(1);
    const at::Tensor query = Query(static_cast<uint64_t>(t));
    AttentionContext all = dense.Context();
    all.coord.select(1, 0).fill_(-1);
    EXPECT_LT((CacheReads::Attend(query, moba.Context(query)) - CacheReads::Attend(query, all)).abs().max().item<double>(), 1e-5);
  }
}

TEST(Moba, FramesOfAWindowCostNoneOfItsBudget) {
  MemoryGeometry geometry = kGeometry;
  geometry.recent = 5;
  CacheReads reads("moba(k=3, anchor=false)", geometry);
  reads.Commit(30);
  const at::Tensor query = Query(3);
  const std::vector<int64_t> read = Read(reads, reads.Context(query), 0);
  ASSERT_EQ(read.size(), 3u);
  EXPECT_LT(read.back(), 25);
}

}  // namespace
}  // namespace orrery
