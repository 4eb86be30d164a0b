// What every state mechanism must prove; run over every registered name.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/tensor_rng.h"
#include "nn/attention.h"
#include "small_specs.h"
#include "state/registry.h"

namespace orrery {
namespace {

constexpr int64_t kBatch = 2;
const MemoryGeometry kGeometry{.layers = 2, .heads = 2, .head_dim = 8, .rows = 2, .columns = 2, .channels = 3, .patch = 1};

// What a frame may see, of every port, as one list.
struct Seen {
  AttentionContext context;
  InputContext input;
  at::Tensor branch;
};

class StateConformance : public testing::TestWithParam<std::string> {
 protected:
  StateConformance() {
    at::manual_seed(3);
    memory_ = MakeMemory(GetParam(), kGeometry);
    memory_->AdoptEmbedding(
        {at::randn({kGeometry.Dim(), 3}), at::zeros({kGeometry.Dim()}), at::randn({kGeometry.Tokens(), kGeometry.Dim()})});
    const at::NoGradGuard guard;
    for (at::Tensor& p : memory_->parameters())
      if (p.abs().max().item<double>() == 0) p.normal_(0, 0.2);  // gates that begin shut
    memory_->eval();
  }

  Parts Fresh(int64_t batch = kBatch) const { return memory_->Reset(batch, at::kCPU, at::kFloat, 7); }

  static FrameQuery Query(int64_t t, int64_t batch) {
    const double angle = M_PI / 2 * static_cast<double>(t % 4);
    const at::Tensor pose = at::tensor({3.5 + 0.5 * static_cast<double>(t % 2), 3.5, angle}, at::kFloat).expand({batch, 3}).contiguous();
    return {t, at::full({batch, 1}, static_cast<double>(t % 3)), pose};
  }
  static CleanFrame Frame(int64_t t, int64_t batch, uint64_t seed = 0) {
    Rng rng(DeriveSeed(seed, static_cast<uint64_t>(t)));
    CleanFrame frame{Query(t, batch), NormalTensor({batch, kGeometry.channels, 2, 2}, rng), {}};
    const std::vector<int64_t> heads{batch, kGeometry.heads, kGeometry.Tokens(), kGeometry.head_dim};
    for (int64_t l = 0; l < kGeometry.layers; ++l) {
      const at::Tensor key = NormalTensor(heads, rng), value = NormalTensor(heads, rng);
      frame.layers.push_back({key, value, NormalTensor({batch, kGeometry.Tokens(), kGeometry.Dim()}, rng)});
    }
    return frame;
  }
  void Commit(Parts& state, const CleanFrame& frame) const {
    const at::NoGradGuard guard;
    memory_->Commit(state, memory_->BeginFrame(state, frame.query), frame);
  }
  void CommitRange(Parts& state, int64_t begin, int64_t end, uint64_t seed = 0) const {
    for (int64_t t = begin; t < end; ++t) Commit(state, Frame(t, kBatch, seed));
  }
  Seen Read(const Parts& state, int64_t frame, int64_t layer = 1, int64_t batch = kBatch) const {
    const at::NoGradGuard guard;
    Rng rng(11);
    const ReadPlan plan = memory_->BeginFrame(state, Query(frame, batch));
    const at::Tensor row = NormalTensor({1, kGeometry.heads, kGeometry.Tokens(), kGeometry.head_dim}, rng).expand({batch, -1, -1, -1});
    const at::Tensor x = NormalTensor({1, kGeometry.Tokens(), kGeometry.Dim()}, rng).expand({batch, -1, -1}).contiguous();
    return {memory_->Context(state, plan, layer, row), memory_->Input(state, plan), memory_->Branch(state, plan, layer, x)};
  }

  std::shared_ptr<Memory> memory_;
};

TEST_P(StateConformance, ReadingChangesNothing) {
  Parts state = Fresh();
  CommitRange(state, 0, 6);
  const Parts before = state.Clone();
  for (int repeat = 0; repeat < 3; ++repeat) Read(state, 6);
  EXPECT_EQ(state.Difference(before), "");
}

TEST_P(StateConformance, WhatIsSeenIsWellFormedAndInThePast) {
  Parts state = Fresh();
  for (int64_t t = 0; t < 9; ++t) {
    const Seen seen = Read(state, t);
    const int64_t c = seen.context.Size();
    if (c) {
      EXPECT_EQ(seen.context.key.sizes(), (at::IntArrayRef{kBatch, kGeometry.heads, c, kGeometry.head_dim}));
      EXPECT_EQ(seen.context.value.sizes(), seen.context.key.sizes());
      EXPECT_EQ(seen.context.coord.size(-2), c);
      EXPECT_LT(seen.context.coord.select(-1, 0).max().item<float>(), 0) << "a context token that is not in the past of frame " << t;
      EXPECT_EQ(seen.context.frame.size(-1), c);
      EXPECT_LT(seen.context.frame.max().item<int64_t>(), t);
    }
    if (seen.input.tokens.defined()) {
      EXPECT_EQ(seen.input.tokens.sizes(), (at::IntArrayRef{kBatch, seen.input.tokens.size(1), kGeometry.Dim()}));
      EXPECT_LT(seen.input.coord.select(-1, 0).max().item<float>(), 0);
    }
    for (const at::Tensor& tokens : {seen.input.features, seen.branch})
      if (tokens.defined()) {
        EXPECT_EQ(tokens.sizes(), (at::IntArrayRef{kBatch, kGeometry.Tokens(), kGeometry.Dim()}));
      }
    Commit(state, Frame(t, kBatch));
  }
}

TEST_P(StateConformance, ItDeclaresThePortsThatItUses) {
  Parts state = Fresh();
  CommitRange(state, 0, 8);
  const Seen seen = Read(state, 8);
  const std::string ports = memory_->Declared().ports;
  EXPECT_EQ(seen.context.Size() > 0, ports.find('K') != std::string::npos);
  EXPECT_EQ(seen.input.tokens.defined() || seen.input.features.defined(), ports.find('I') != std::string::npos);
  EXPECT_EQ(seen.branch.defined(), ports.find('R') != std::string::npos);
}

TEST_P(StateConformance, RestoredStateContinuesToTheBit) {
  Parts state = Fresh();
  CommitRange(state, 0, 5);
  const Parts snapshot = state.Fork();
  CommitRange(state, 5, 11);
  Parts again = snapshot.Fork();
  CommitRange(again, 5, 11);
  EXPECT_EQ(state.Difference(again), "");
}

TEST_P(StateConformance, ForksNeverSeeEachOther) {
  Parts parent = Fresh();
  CommitRange(parent, 0, 5);
  const Parts before = parent.Clone();
  Parts left = parent.Fork(), right = parent.Fork();
  CommitRange(left, 5, 8, /*seed=*/1);
  EXPECT_EQ(parent.Difference(before), "");
  EXPECT_EQ(right.Difference(before), "");
  CommitRange(right, 5, 8, /*seed=*/2);
  // A state that goes on changing (an anchor does not) changes with what is seen.
  if (!left.Difference(before).empty()) {
    EXPECT_NE(left.Difference(right), "");
  }
}

// What is taken over from another state is all but a window, and the other keeps what it has.
TEST_P(StateConformance, TakesOverWhatAnotherRemembers) {
  Parts own = Fresh(), other = Fresh();
  CommitRange(own, 0, 9, /*seed=*/1);
  CommitRange(other, 0, 9, /*seed=*/2);
  const Parts before = own.Clone(), foreign = other.Clone();
  memory_->TakeOlder(own, other);
  EXPECT_EQ(other.Difference(foreign), "");
  const std::string spec = GetParam();
  const bool sum = spec.find(" + ") != std::string::npos;
  for (const Part& part : own.All()) {
    const bool window = sum ? part.name.starts_with("0/") : spec.starts_with("window");
    EXPECT_TRUE(at::equal(part.tensor, (window ? before : foreign).Get(part.name))) << part.name;
  }
  EXPECT_EQ(own.Bytes(), before.Bytes());
  CommitRange(own, 9, 11);
  EXPECT_EQ(other.Difference(foreign), "");
}

TEST_P(StateConformance, DeclaredSizeIsMeasuredSize) {
  Parts state = Fresh(1);
  size_t last = 0;
  for (int64_t t = 0; t <= 1000; ++t) {
    if (t == 0 || t == 1 || t == 10 || t == 100 || t == 1000) {
      EXPECT_EQ(state.Bytes(), memory_->StateBytes(t, at::kFloat)) << "after " << t << " frames";
      if (memory_->Declared().bounded && last) {
        EXPECT_EQ(state.Bytes(), last);
      }
      if (t >= 100) last = state.Bytes();
    }
    Commit(state, Frame(t, 1));
  }
}

TEST_P(StateConformance, SavedAndLoadedStateContinuesToTheBit) {
  Parts state = Fresh();
  CommitRange(state, 0, 6);
  const std::string path = testing::TempDir() + "/state-" + TestName(GetParam()) + ".safetensors";
  state.Save(path);
  Parts loaded = Parts::Load(path);
  EXPECT_EQ(loaded.Difference(state), "");
  CommitRange(state, 6, 9);
  CommitRange(loaded, 6, 9);
  EXPECT_EQ(loaded.Difference(state), "");
}

TEST_P(StateConformance, ResetStateIsAFreshOne) {
  EXPECT_EQ(Fresh().Difference(Fresh()), "");
  Parts state = Fresh();
  CommitRange(state, 0, 5);
  Parts again = Fresh();
  CommitRange(again, 0, 5);
  EXPECT_EQ(again.Difference(state), "");
}

TEST_P(StateConformance, ARowDoesNotDependOnTheOthers) {
  Parts both = Fresh(2), alone = Fresh(1);
  for (int64_t t = 0; t < 6; ++t) {
    const CleanFrame frame = Frame(t, 2);
    CleanFrame second{Query(t, 1), frame.latent.narrow(0, 1, 1), {}};
    for (const LayerActivation& l : frame.layers)
      second.layers.push_back({l.key.narrow(0, 1, 1), l.value.narrow(0, 1, 1), l.features.narrow(0, 1, 1)});
    Commit(both, frame);
    Commit(alone, second);
  }
  const Seen a = Read(both, 6), b = Read(alone, 6, 1, 1);
  const auto same = [](const at::Tensor& two, const at::Tensor& one) {
    return !two.defined() || (two.narrow(0, 1, 1) - one).abs().max().item<double>() < 1e-5;
  };
  // Which tokens are offered may depend on the other rows, masked for those that do not read them; what a query reads may not.
  const auto read = [](const AttentionContext& c) {
    if (c.Size() == 0) return at::Tensor();
    const int64_t B = c.key.size(0);
    const at::Tensor query = at::ones({B, kGeometry.heads, kGeometry.Tokens(), kGeometry.head_dim});
    return DenseAttention(query, c.key, c.value, c.bias.defined() ? c.bias : at::zeros({B, 1, 1, c.Size()}));
  };
  EXPECT_TRUE(same(read(a.context), read(b.context)));
  EXPECT_TRUE(same(a.input.tokens, b.input.tokens));
  EXPECT_TRUE(same(a.input.features, b.input.features));
  EXPECT_TRUE(same(a.branch, b.branch));
}

TEST_P(StateConformance, SpecRebuildsTheMechanism) { EXPECT_EQ(MakeMemory(memory_->Spec(), kGeometry)->Spec(), memory_->Spec()); }

INSTANTIATE_TEST_SUITE_P(Registered, StateConformance, testing::ValuesIn(AllSmallSpecs()),
                         [](const auto& info) { return TestName(info.param); });

TEST(Window, HoldsTheLastFramesOldestFirst) {
  const auto memory = MakeMemory("window(3)", kGeometry);
  Parts state = memory->Reset(1, at::kCPU, at::kFloat, 0);
  for (int64_t t = 0; t < 8; ++t) {
    const ReadPlan plan = memory->BeginFrame(state, {t, {}, {}});
    const AttentionContext context = memory->Context(state, plan, 0, {});
    const int64_t held = std::min<int64_t>(t, 3);
    ASSERT_EQ(context.Size(), held * 4);
    for (int64_t i = 0; i < held; ++i) {
      const int64_t frame = t - held + i;
      EXPECT_TRUE(context.key.narrow(2, i * 4, 4).eq(static_cast<double>(frame)).all().item<bool>())
          << "frame " << frame << " at time " << t;
      EXPECT_EQ(context.coord[i * 4][0].item<float>(), static_cast<float>(frame - t));
      EXPECT_EQ(context.frame[i * 4].item<int64_t>(), frame);
    }
    CleanFrame clean{plan.query, {}, {}};
    for (int64_t l = 0; l < 2; ++l) clean.layers.push_back({at::full({1, 2, 4, 8}, static_cast<double>(t)), at::zeros({1, 2, 4, 8}), {}});
    memory->Commit(state, plan, clean);
  }
}

TEST(States, UnknownNamesListTheValidOnes) {
  try {
    MakeMemory("windov(4)", kGeometry);
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_TRUE(std::string_view(e.what()).starts_with("unknown state 'windov'; did you mean 'window'? (valid: window, dense,"))
        << e.what();
  }
}

}  // namespace
}  // namespace orrery
