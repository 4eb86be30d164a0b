// Masks of clips: counts by hand, attention under each against the masked product that defines it, and who depends on whom.
#include "dynamics/mask.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "awake.h"
#include "core/tensor_rng.h"
#include "dynamics/attend.h"
#include "state/registry.h"
#include "streaming.h"

namespace orrery {
namespace {

std::vector<int64_t> Counts(const ClipMask& mask, int64_t frames, int64_t reach = -1) {
  const at::Tensor sums = FrameMask(mask, frames, reach).sum(1);
  return {sums.const_data_ptr<int64_t>(), sums.const_data_ptr<int64_t>() + sums.numel()};
}

using Row = std::vector<int64_t>;
using Kind = ClipMask::Kind;

TEST(Masks, CountsByHand) {
  EXPECT_EQ(Counts({}, 4), (Row{1, 2, 3, 4}));
  EXPECT_EQ(Counts({.kind = Kind::kFull}, 3), (Row{3, 3, 3}));
  EXPECT_EQ(Counts({.block = 2}, 6), (Row{2, 2, 4, 4, 6, 6}));
  EXPECT_EQ(Counts({.block = 2}, 5), (Row{2, 2, 4, 4, 5}));  // a short last block
  EXPECT_EQ(Counts({.kind = Kind::kTeacherForced}, 4), (Row{1, 2, 3, 4, 1, 2, 3, 4}));
  EXPECT_EQ(Counts({.kind = Kind::kTeacherForced, .block = 3}, 6), (Row{3, 3, 3, 6, 6, 6, 3, 3, 3, 6, 6, 6}));
  EXPECT_EQ(Counts({.window = 2}, 6), (Row{1, 2, 3, 3, 3, 3}));
  EXPECT_EQ(Counts({.window = 2, .sink = 1}, 6), (Row{1, 2, 3, 4, 4, 4}));
  EXPECT_EQ(Counts({.window = 4, .sink = 1}, 6, 2), (Row{1, 2, 3, 4, 4, 4})) << "the memory reaches less far";
}

TEST(Masks, NoisyTwinsSeeThemselvesAndTheCleanPast) {
  const at::Tensor mask = FrameMask({.kind = Kind::kTeacherForced, .block = 2, .window = 2}, 6);
  for (int64_t q = 0; q < 6; ++q)
    for (int64_t k = 0; k < 6; ++k) {
      EXPECT_EQ(mask[6 + q][k].item<bool>(), k < q / 2 * 2 && q - k <= 2) << q << " " << k;
      EXPECT_EQ(mask[6 + q][6 + k].item<bool>(), q / 2 == k / 2) << q << " " << k;
      EXPECT_FALSE(mask[q][6 + k].item<bool>());
    }
}

// Queries, keys and values of 6 frames of 4 tokens, with what Attend needs to know of them.
struct Tokens {
  at::Tensor coord = GridCoordinates(6, 2, 2);
  RopeTable rope = MakeRope(coord, {.head_dim = 8});
  ClipTokens Make(uint64_t seed) const {
    Rng rng(seed);
    const auto draw = [&] { return NormalTensor({2, 2, 24, 8}, rng); };
    const at::Tensor plain = draw();
    return {draw(), ApplyRope(plain, rope), draw(), plain, 6, 4, rope, coord};
  }
};

void ExpectNear(const at::Tensor& a, const at::Tensor& b) { EXPECT_LT((a - b).abs().max().item<double>(), 1e-5); }

TEST(Masks, AttentionIsTheMaskedProduct) {
  const Tokens tokens;
  const ClipTokens own = tokens.Make(1);
  for (const ClipMask& mask : {ClipMask{}, ClipMask{.kind = Kind::kFull}, ClipMask{.block = 2}, ClipMask{.window = 2, .sink = 1}})
    for (const int64_t reach : {-1, 3}) {
      const at::Tensor seen = TokenMask(FrameMask(mask, 6, reach), 4);
      ExpectNear(Attend(own, {reach, {}, 0, {}}, {}, mask), at::scaled_dot_product_attention(own.q, own.k, own.v, seen));
    }
}

TEST(Masks, TwinsAttendByTheMaskedProduct) {
  const Tokens tokens;
  const ClipTokens clean = tokens.Make(1), noisy = tokens.Make(2);
  for (const int64_t block : {1, 2, 3})
    for (const int64_t reach : {-1, 3}) {
      const ClipMask mask{.kind = Kind::kTeacherForced, .block = block};
      const at::Tensor seen = TokenMask(FrameMask(mask, 6, reach), 4);
      const auto both = [](const at::Tensor& a, const at::Tensor& b) { return at::cat({a, b}, 2); };
      const at::Tensor all = at::scaled_dot_product_attention(both(clean.q, noisy.q), both(clean.k, noisy.k), both(clean.v, noisy.v), seen);
      ExpectNear(AttendTwins(noisy, clean, {reach, {}, 0, {}}, {}, mask), all.narrow(2, 24, 24));
    }
}

class MaskedNetwork : public testing::TestWithParam<const char*> {
 protected:
  MaskedNetwork() {
    at::manual_seed(2);
    network_ = std::make_shared<Transition>(TransitionOptions{.layout = GetParam(), .dim = 32, .depth = 2, .heads = 2, .patch = 1},
                                            LatentShape{3, 2, 2}, ActionSpace{3, 0, {}, {}, {}});
    Awaken(*network_, 0.2);
    network_->eval();
    Rng rng(3);
    x_ = NormalTensor({1, 6, 3, 2, 2}, rng);
  }
  at::Tensor Forward(const std::string& state, const at::Tensor& x, const ClipMask& mask) const {
    const at::NoGradGuard guard;
    const auto memory = MakeMemory(state, network_->Geometry());
    const int64_t T = mask.Twins() ? x.size(1) / 2 : x.size(1);
    const auto reader = memory->OpenClip({1, T, x.narrow(1, 0, T), {}, {}, {}});
    return network_->Forward(x, at::full({1, x.size(1)}, 0.4), {}, *reader, nullptr, mask);
  }
  std::shared_ptr<Transition> network_;
  at::Tensor x_;
};

// Frames whose answers change with frame `moved`.
TEST_P(MaskedNetwork, DependenceIsWhatTheMaskAllows) {
  const ClipMask full{.kind = Kind::kFull}, blocks{.block = 2}, twins{.kind = Kind::kTeacherForced}, causal;
  for (const auto& [mask, x] : {std::pair{causal, x_}, {full, x_}, {blocks, x_}, {twins, at::cat({x_, x_ * 0.7}, 1)}}) {
    const at::Tensor before = Forward("dense()", x, mask);
    at::Tensor allowed = FrameMask(mask, 6).to(at::kFloat);
    allowed = at::matmul(allowed, allowed) > 0;  // two layers
    for (int64_t moved = 0; moved < x.size(1); ++moved) {
      at::Tensor other = x.clone();
      other.select(1, moved).add_(1);
      const at::Tensor after = Forward("dense()", other, mask);
      for (int64_t t = 0; t < x.size(1); ++t)
        EXPECT_EQ(!at::equal(before.select(1, t), after.select(1, t)), allowed[t][moved].item<bool>()) << t << " after " << moved;
    }
  }
}

TEST_P(MaskedNetwork, AWindowOfTheMaskIsAWindowOfTheState) {
  ExpectNear(Forward("dense()", x_, {.window = 2}), Forward("window(2)", x_, {}));
  EXPECT_GT((Forward("dense()", x_, {.window = 2, .sink = 1}) - Forward("window(2)", x_, {})).abs().max().item<double>(), 1e-3);
}

INSTANTIATE_TEST_SUITE_P(All, MaskedNetwork, testing::Values("frame_causal", "axial"));

}  // namespace
}  // namespace orrery
