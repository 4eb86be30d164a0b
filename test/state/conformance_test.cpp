// What every state mechanism must prove; run over every registered name.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/tensor_rng.h"
#include "state/registry.h"

namespace orrery {
namespace {

constexpr int64_t kBatch = 2;
const MemoryGeometry kGeometry{.layers = 2, .heads = 2, .head_dim = 8, .rows = 2, .columns = 2};

// Small enough that eviction is reached in a few frames.
std::string SmallSpec(const std::string& name) { return name == "window" ? "window(4)" : name + "()"; }

class StateConformance : public testing::TestWithParam<std::string> {
 protected:
  std::shared_ptr<Memory> memory_ = MakeMemory(SmallSpec(GetParam()), kGeometry);

  Parts Fresh(int64_t batch = kBatch) const { return memory_->Reset(batch, at::kCPU, at::kFloat, 7); }

  static CleanFrame Frame(int64_t t, int64_t batch, uint64_t seed = 0) {
    CleanFrame frame{{t, {}, {}}, {}, {}};
    Rng rng(DeriveSeed(seed, static_cast<uint64_t>(t)));
    for (int64_t l = 0; l < kGeometry.layers; ++l) {
      const at::Tensor key = NormalTensor({batch, kGeometry.heads, kGeometry.Tokens(), kGeometry.head_dim}, rng);
      frame.layers.push_back({key, NormalTensor({batch, kGeometry.heads, kGeometry.Tokens(), kGeometry.head_dim}, rng)});
    }
    return frame;
  }
  void Commit(Parts& state, const CleanFrame& frame) const { memory_->Commit(state, memory_->BeginFrame(state, frame.query), frame); }
  void CommitRange(Parts& state, int64_t begin, int64_t end, uint64_t seed = 0) const {
    for (int64_t t = begin; t < end; ++t) Commit(state, Frame(t, kBatch, seed));
  }
  AttentionContext Read(const Parts& state, int64_t frame, int64_t layer = 1) const {
    return memory_->Context(state, memory_->BeginFrame(state, {frame, {}, {}}), layer);
  }
};

TEST_P(StateConformance, ReadingChangesNothing) {
  Parts state = Fresh();
  CommitRange(state, 0, 6);
  const Parts before = state.Clone();
  for (int repeat = 0; repeat < 3; ++repeat) Read(state, 6);
  EXPECT_EQ(state.Difference(before), "");
}

TEST_P(StateConformance, EmptyStateGivesEmptyContext) {
  const AttentionContext context = Read(Fresh(), 0);
  EXPECT_EQ(context.key.size(2), 0);
  EXPECT_EQ(context.coord.size(0), 0);
}

TEST_P(StateConformance, ContextIsWellFormedAndInThePast) {
  Parts state = Fresh();
  for (int64_t t = 0; t < 9; ++t) {
    const AttentionContext context = Read(state, t);
    const int64_t c = context.key.size(2);
    EXPECT_EQ(context.key.sizes(), (at::IntArrayRef{kBatch, kGeometry.heads, c, kGeometry.head_dim}));
    EXPECT_EQ(context.value.sizes(), context.key.sizes());
    EXPECT_EQ(context.coord.sizes(), (at::IntArrayRef{c, 3}));
    if (c) {
      EXPECT_LT(context.coord.select(1, 0).max().item<float>(), 0) << "a context token that is not in the past of frame " << t;
      EXPECT_LT(context.frame.max().item<int64_t>(), t);
    }
    Commit(state, Frame(t, kBatch));
  }
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
  EXPECT_NE(left.Difference(right), "");
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
  const std::string path = testing::TempDir() + "/state-" + GetParam() + ".safetensors";
  state.Save(path);
  Parts loaded = Parts::Load(path);
  EXPECT_EQ(loaded.Difference(state), "");
  CommitRange(state, 6, 9);
  CommitRange(loaded, 6, 9);
  EXPECT_EQ(loaded.Difference(state), "");
}

TEST_P(StateConformance, ARowDoesNotDependOnTheOthers) {
  Parts both = Fresh(2), alone = Fresh(1);
  for (int64_t t = 0; t < 6; ++t) {
    const CleanFrame frame = Frame(t, 2);
    CleanFrame second = frame;
    for (LayerActivation& layer : second.layers) layer = {layer.key.narrow(0, 1, 1), layer.value.narrow(0, 1, 1)};
    Commit(both, frame);
    Commit(alone, second);
  }
  EXPECT_TRUE(at::equal(Read(both, 6).key.narrow(0, 1, 1), Read(alone, 6).key));
}

TEST_P(StateConformance, SpecRebuildsTheMechanism) { EXPECT_EQ(MakeMemory(memory_->Spec(), kGeometry)->Spec(), memory_->Spec()); }

INSTANTIATE_TEST_SUITE_P(Registered, StateConformance, testing::ValuesIn(States().Names()));

TEST(Window, HoldsTheLastFramesOldestFirst) {
  const auto memory = MakeMemory("window(3)", kGeometry);
  Parts state = memory->Reset(1, at::kCPU, at::kFloat, 0);
  for (int64_t t = 0; t < 8; ++t) {
    const ReadPlan plan = memory->BeginFrame(state, {t, {}, {}});
    const AttentionContext context = memory->Context(state, plan, 0);
    const int64_t held = std::min<int64_t>(t, 3);
    ASSERT_EQ(context.key.size(2), held * 4);
    for (int64_t i = 0; i < held; ++i) {
      const int64_t frame = t - held + i;
      EXPECT_TRUE(context.key.narrow(2, i * 4, 4).eq(static_cast<double>(frame)).all().item<bool>())
          << "frame " << frame << " at time " << t;
      EXPECT_EQ(context.coord[i * 4][0].item<float>(), static_cast<float>(frame - t));
      EXPECT_EQ(context.frame[i * 4].item<int64_t>(), frame);
    }
    CleanFrame clean{plan.query, {}, {}};
    for (int64_t l = 0; l < 2; ++l) clean.layers.push_back({at::full({1, 2, 4, 8}, static_cast<double>(t)), at::zeros({1, 2, 4, 8})});
    memory->Commit(state, plan, clean);
  }
}

TEST(States, UnknownNamesListTheValidOnes) {
  try {
    MakeMemory("windov(4)", kGeometry);
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "unknown state 'windov'; did you mean 'window'? (valid: window)");
  }
}

}  // namespace
}  // namespace orrery
