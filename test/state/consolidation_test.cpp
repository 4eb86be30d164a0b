// Anchor and FAR: what they keep, what they forget, and what they equal when they say nothing.
#include <gtest/gtest.h>

#include <set>

#include "cache_reads.h"
#include "history.h"

namespace orrery {
namespace {

const MemoryGeometry kGeometry{.layers = 2, .heads = 2, .head_dim = 8, .rows = 4, .columns = 4, .channels = 3, .patch = 1};

TEST(Anchor, IsTheFirstFrameAndNoOther) {
  const History history("anchor(heads=2, dim=8, pool=1, every=1)");
  const auto after = [&](int64_t changed) {
    Parts state = history.Fresh();
    for (int64_t t = 0; t < 100; ++t) history.Commit(state, t, history.Frame(t, t == changed ? 9 : 0));
    return state;
  };
  const Parts whole = after(-1);
  EXPECT_EQ(after(5).Difference(whole), "");
  EXPECT_EQ(after(99).Difference(whole), "");
  EXPECT_NE(after(0).Difference(whole), "");
  EXPECT_GT((history.Read(after(0)) - history.Read(whole)).abs().max().item<double>(), 1e-3);
  EXPECT_EQ(whole.Bytes(), history.Fresh().Bytes());
}

// Nothing is read before a first frame, and nothing is added before training.
TEST(Anchor, BeginsSilent) {
  const History history("anchor(heads=2, dim=8, pool=1, every=1)");
  EXPECT_EQ(history.Read(history.Fresh()).abs().max().item<double>(), 0);
  const auto memory = MakeMemory("anchor(heads=2, dim=8)", kGeometry);
  Parts state = memory->Reset(1, at::kCPU, at::kFloat, 0);
  const at::Tensor x = at::randn({1, 16, 16});
  const at::NoGradGuard guard;
  memory->Commit(state, {{0, {}, {}}, {}}, {{0, {}, {}}, {}, std::vector<LayerActivation>(2, {{}, {}, x})});
  EXPECT_EQ(memory->Branch(state, {{1, {}, {}}, {}}, 1, x).abs().max().item<double>(), 0);
}

TEST(Far, HoldsAFrameInExactlyOnePlace) {
  CacheReads reads("window(3) + far(pool=2)", kGeometry);
  for (int64_t T = 1; T <= 20; ++T) {
    reads.Commit(1);
    const AttentionContext c = reads.Context();
    const int64_t whole = std::min<int64_t>(T, 3), old = T - whole;
    ASSERT_EQ(c.Size(), whole * 16 + old * 4) << T;
    std::map<int64_t, int64_t> tokens;
    for (int64_t i = 0; i < c.Size(); ++i) ++tokens[c.frame[i].item<int64_t>()];
    for (int64_t f = 0; f < T; ++f) EXPECT_EQ(tokens[f], f < old ? 4 : 16) << "frame " << f << " of " << T;
  }
}

// G9: while the window holds everything there is nothing beside it.
TEST(Far, WithinAWindowIsTheWindow) {
  CacheReads far("window(6) + far(pool=2)", kGeometry), window("window(6)", kGeometry);
  Rng rng(2);
  const at::Tensor query = NormalTensor({1, 2, 16, 8}, rng);
  for (int64_t T = 1; T <= 8; ++T) {
    far.Commit(1), window.Commit(1);
    const double differs =
        (CacheReads::Attend(query, far.Context()) - CacheReads::Attend(query, window.Context())).abs().max().item<double>();
    EXPECT_EQ(differs == 0, T <= 6) << T;
  }
}

// What old frames say goes through the coarse projections alone.
TEST(Far, WithoutItsProjectionsOldFramesSayNothing) {
  for (const bool silent : {true, false}) {
    CacheReads a("window(2) + far(pool=2)", kGeometry), b("window(2) + far(pool=2)", kGeometry);
    if (silent)
      for (CacheReads* reads : {&a, &b})
        for (auto& item : reads->Get().named_parameters())
          if (item.key().find("project") != std::string::npos) item.value().detach().zero_();
    for (int64_t t = 0; t < 9; ++t) {
      LayerActivation frame = a.Frame(t);
      a.Commit(frame);
      if (t < 5) frame.features = frame.features + at::linspace(-1, 1, 16);
      b.Commit(frame);
    }
    Rng rng(2);
    const at::Tensor query = NormalTensor({1, 2, 16, 8}, rng);
    const double differs = (CacheReads::Attend(query, a.Context()) - CacheReads::Attend(query, b.Context())).abs().max().item<double>();
    EXPECT_EQ(differs == 0, silent) << differs;
  }
}

}  // namespace
}  // namespace orrery
