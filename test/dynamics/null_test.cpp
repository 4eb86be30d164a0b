// Null settings: a state that is set to say nothing, or to hold everything, equals the baseline that it then is (state-mechanisms G9).
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "../state/small_specs.h"
#include "awake.h"
#include "core/tensor_rng.h"
#include "streaming.h"

namespace orrery {
namespace {

constexpr int64_t kFrames = 10;
const LatentShape kLatent{.channels = 3, .height = 4, .width = 4};

struct Null {
  std::string spec, baseline;
  double tolerance;          // of both forms, relative; 0: to the bit
  int64_t frames = kFrames;  // of the clip
  bool open = false;         // gates set to 0, as loud as a window
};

class NullSetting : public testing::TestWithParam<Null> {
 protected:
  NullSetting() {
    at::manual_seed(2);
    network_ = std::make_shared<Transition>(TransitionOptions{.dim = 32, .depth = 2, .heads = 2, .patch = 1}, kLatent,
                                            ActionSpace{3, 0, {}, {}, {}});
    Awaken(*network_, 0.2);
    network_->eval();
  }
  Clip Walk(int64_t frames) const {
    Rng rng(8);
    const at::Tensor x = NormalTensor({2, frames, 3, 4, 4}, rng), action = (UniformTensor({2, frames, 1}, rng) * 3).floor();
    return {x, {action, {}, UniformTensor({2, frames, 3}, rng) * 4}};
  }
  // As it is made, not awakened: the beginning of training.
  std::shared_ptr<Memory> Make(const std::string& spec, bool open = false) const {
    const auto memory = MakeMemory(spec, network_->Geometry());
    memory->AdoptEmbedding(network_->Embedding());
    const at::NoGradGuard guard;
    for (auto& item : memory->named_parameters())
      if (open && item.key().ends_with("gate")) item.value().zero_();
    memory->eval();
    return memory;
  }
  void Expect(const at::Tensor& a, const at::Tensor& b, double tolerance, const char* form) const {
    if (tolerance == 0) {
      EXPECT_TRUE(at::equal(a, b)) << form << ", off by " << (a - b).abs().max().item<double>();
    } else {
      EXPECT_LT(((a - b).abs().max() / b.abs().max()).item<double>(), tolerance) << form;
    }
  }
  std::shared_ptr<Transition> network_;
};

TEST_P(NullSetting, EqualsItsBaseline) {
  const at::NoGradGuard guard;
  const Null& null = GetParam();
  const auto memory = Make(null.spec, null.open), baseline = Make(null.baseline);
  const Clip clip = Walk(null.frames);
  const at::Tensor level = at::full({2, null.frames}, 0.3);
  Expect(Parallel(*network_, *memory, clip, level), Parallel(*network_, *baseline, clip, level), null.tolerance, "clip");
  Parts a = memory->Reset(2, at::kCPU, at::kFloat, 0), b = baseline->Reset(2, at::kCPU, at::kFloat, 0);
  Expect(Streaming(*network_, *memory, clip, level, a), Streaming(*network_, *baseline, clip, level, b), null.tolerance, "session");
}

// The comparison can fail: beyond the clip on which they are alike, or against a window of one frame.
TEST_P(NullSetting, IsNotAlikeInGeneral) {
  const at::NoGradGuard guard;
  const Null& null = GetParam();
  const auto memory = Make(null.spec, null.open), other = Make(null.frames < kFrames ? null.baseline : "window(1)");
  const Clip clip = Walk(kFrames);
  const at::Tensor level = at::full({2, kFrames}, 0.3);
  EXPECT_GT((Parallel(*network_, *memory, clip, level) - Parallel(*network_, *other, clip, level)).abs().max().item<double>(), 1e-3);
}

std::vector<Null> Nulls() {
  std::vector<Null> nulls{
      {"window(20)", "dense()", 1e-5},
      {"window(3) + retrieval.pose(k=0)", "window(3)", 0},
      {"window(3) + retrieval.key(k=0, keys=feature)", "window(3)", 0},
      // Everything fits, at its true distance.
      {"window(3) + tome(frames=12, times=exact, every=1)", "dense()", 1e-5, kFrames, true},
      {"tome(frames=12, first=false, times=exact, every=1)", "dense()", 1e-5, kFrames, true},
      // As long as the window holds all frames nothing lies beyond it.
      {"window(6) + tome(frames=2)", "dense()", 1e-5, 7},
      {"window(6) + far(pool=2)", "dense()", 1e-5, 7},
      {"window(6) + moba(k=2)", "dense()", 1e-5, 7},
      {"window(6) + radial()", "dense()", 1e-5, 7},
      {"window(6) + framepack(groups=\"1x1x1,2x1x2\")", "dense()", 1e-5, 7},
      {"window(6) + retrieval.key(k=2)", "dense()", 1e-5, 7},
      // Of frames at most one back nothing is masked.
      {"radial()", "dense()", 1e-5, 2},
  };
  // A branch begins silent.
  for (const std::string& name : States().Names()) {
    if (MakeMemory(SmallSpec(name), {.layers = 2, .heads = 2, .head_dim = 16})->Declared().ports == "R")
      nulls.push_back({"window(3) + " + SmallSpec(name), "window(3)", 0});
    if (name == "ttt") nulls.push_back({"window(3) + ttt(eta=0, heads=2, dim=8)", "window(3)", 0});
  }
  return nulls;
}

INSTANTIATE_TEST_SUITE_P(All, NullSetting, testing::ValuesIn(Nulls()), [](const auto& info) { return TestName(info.param.spec); });

}  // namespace
}  // namespace orrery
