// Contract tests of every state in a real network (state-mechanisms G2, G3, G6): parallel against streaming, causality, independence of
// rows, and that gradients reach its parameters.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "../state/small_specs.h"
#include "awake.h"
#include "core/tensor_rng.h"
#include "streaming.h"

namespace orrery {
namespace {

const LatentShape kLatent{.channels = 3, .height = 4, .width = 4};
constexpr int64_t kFrames = 9;

class MemoryInNetwork : public testing::TestWithParam<std::string> {
 protected:
  MemoryInNetwork() {
    at::manual_seed(1);
    network_ = std::make_shared<Transition>(TransitionOptions{.dim = 32, .depth = 2, .heads = 2, .patch = 1}, kLatent,
                                            ActionSpace{3, 0, {}, {}, {}});
    memory_ = MakeMemory(GetParam(), network_->Geometry());
    memory_->AdoptEmbedding(network_->Embedding());
    Awaken(*network_, 0.2);  // parts that begin at zero would hide every difference
    Awaken(*memory_, 0.2);
    network_->eval();
    memory_->eval();
  }

  // A walk: poses go round a square, so that views come back.
  static Clip Walk(int64_t batch, int64_t frames, uint64_t seed) {
    Rng rng(seed);
    const at::Tensor x = NormalTensor({batch, frames, kLatent.channels, kLatent.height, kLatent.width}, rng);
    const at::Tensor action = (UniformTensor({batch, frames, 1}, rng) * 3).floor();
    at::Tensor pose = at::zeros({batch, frames, 3});
    for (int64_t b = 0; b < batch; ++b)
      for (int64_t t = 0; t < frames; ++t) {
        pose[b][t][0] = 3.5 + ((t + b) % 4 < 2 ? 0.25 : 1.25);
        pose[b][t][1] = 3.5 + ((t + b) % 4 % 3 == 0 ? 0.25 : 1.25);
        pose[b][t][2] = M_PI / 2 * static_cast<double>((t + b) % 4);
      }
    return {x, {action, {}, pose}};
  }

  std::shared_ptr<Transition> network_;
  std::shared_ptr<Memory> memory_;
};

TEST_P(MemoryInNetwork, StreamingEqualsParallel) {
  const at::NoGradGuard guard;
  const Clip clip = Walk(2, kFrames, 4);
  EXPECT_LT(StreamingDifference(*network_, *memory_, clip, at::full({2, kFrames}, 0.3)), memory_->Declared().tolerance);
}

TEST_P(MemoryInNetwork, LaterFramesChangeNothingBefore) {
  const at::NoGradGuard guard;
  const Clip clip = Walk(2, kFrames, 4);
  Clip changed = Walk(2, kFrames, 4);
  changed.latent.narrow(1, 5, kFrames - 5).add_(1);
  changed.condition.action.narrow(1, 5, kFrames - 5).copy_(2 - changed.condition.action.narrow(1, 5, kFrames - 5));
  changed.condition.pose.narrow(1, 5, kFrames - 5).add_(0.7);
  const at::Tensor level = at::full({2, kFrames}, 0.3);
  const at::Tensor a = Parallel(*network_, *memory_, clip, level), b = Parallel(*network_, *memory_, changed, level);
  EXPECT_LT((a - b).narrow(1, 0, 5).abs().max().item<double>(), 1e-6);
  EXPECT_GT((a - b).narrow(1, 5, 1).abs().max().item<double>(), 1e-3);
}

TEST_P(MemoryInNetwork, RowsDoNotSeeEachOther) {
  const at::NoGradGuard guard;
  const Clip clip = Walk(3, kFrames, 6);
  const auto row = [](const at::Tensor& x) { return x.narrow(0, 1, 1).contiguous(); };
  const Clip one{row(clip.latent), {row(clip.condition.action), {}, row(clip.condition.pose)}};
  const at::Tensor all = Parallel(*network_, *memory_, clip, at::full({3, kFrames}, 0.5));
  const at::Tensor alone = Parallel(*network_, *memory_, one, at::full({1, kFrames}, 0.5));
  EXPECT_LT((all.narrow(0, 1, 1) - alone).abs().max().item<double>(), 1e-4);
}

// The last frame's answer depends on the first frame when the state says that it reaches so far.
TEST_P(MemoryInNetwork, TheStateIsRead) {
  const at::NoGradGuard guard;
  const Clip clip = Walk(1, kFrames, 4), other = Walk(1, kFrames, 5);
  Parts state = memory_->Reset(1, at::kCPU, at::kFloat, 0), swapped = memory_->Reset(1, at::kCPU, at::kFloat, 0);
  const at::Tensor level = at::full({1, kFrames}, 0.3);
  Streaming(*network_, *memory_, clip, level, state);
  Streaming(*network_, *memory_, other, level, swapped);
  const auto next = [&](const Parts& from) {
    const ReadPlan plan = memory_->BeginFrame(from, {kFrames, clip.condition.action.select(1, 0), clip.condition.pose.select(1, 1)});
    SessionReader reader(*memory_, from, plan);
    const FrameCondition condition{clip.condition.action.narrow(1, 0, 1), {}, clip.condition.pose.narrow(1, 1, 1)};
    return network_->Forward(clip.latent.narrow(1, 0, 1), level.narrow(1, 0, 1), condition, reader);
  };
  EXPECT_GT((next(state) - next(swapped)).abs().max().item<double>(), 1e-4);
}

// Truncated carry-over: two windows, the second from the state that the first left, are one clip where all memory is in the branch.
TEST_P(MemoryInNetwork, WindowsGoOnFromTheStateBefore) {
  const at::NoGradGuard guard;
  const Clip clip = Walk(2, kFrames, 4);
  const at::Tensor level = at::full({2, kFrames}, 0.3);
  const auto run = [&](int64_t first, int64_t count, const Parts* before, Parts& after) {
    const auto part = [&](const at::Tensor& x) { return x.defined() ? x.narrow(1, first, count) : x; };
    const FrameCondition& c = clip.condition;
    const auto reader = memory_->OpenClip({2, count, part(clip.latent), part(c.action), part(c.pose), {}, first, before});
    const at::Tensor out = network_->Forward(part(clip.latent), part(level), {part(c.action), {}, part(c.pose)}, *reader);
    return std::pair(out, reader->Finish(after));
  };
  Parts state = memory_->Reset(2, at::kCPU, at::kFloat, 0);
  const bool carries = run(0, 5, nullptr, state).second;
  const bool map = GetParam().find("geometry.") != std::string::npos;
  EXPECT_EQ(carries, map || memory_->Declared().ports.find('R') != std::string::npos) << "every branch carries over, and a map";
  if (!carries || (memory_->Declared().ports != "R" && !GetParam().starts_with("geometry."))) return;
  Parts after = state;
  const at::Tensor second = run(5, kFrames - 5, &state, after).first, whole = Parallel(*network_, *memory_, clip, level);
  EXPECT_LT((second - whole.narrow(1, 5, kFrames - 5)).abs().max().item<double>(), 1e-4 * whole.abs().max().item<double>());
}

TEST_P(MemoryInNetwork, GradientsReachItsParameters) {
  const Clip clip = Walk(2, kFrames, 4);
  memory_->train();
  const auto reader = memory_->OpenClip({2, kFrames, clip.latent, clip.condition.action, clip.condition.pose, {}});
  at::Tensor loss = network_->Forward(clip.latent, at::full({2, kFrames}, 0.3), clip.condition, *reader).square().sum();
  if (const at::Tensor own = reader->Loss(); own.defined()) loss = loss + own;
  loss.backward();
  for (const auto& item : memory_->named_parameters())
    EXPECT_TRUE(item.value().grad().defined() && item.value().grad().abs().max().item<double>() > 0) << item.key();
}

INSTANTIATE_TEST_SUITE_P(Registered, MemoryInNetwork, testing::ValuesIn(AllSmallSpecs()),
                         [](const auto& info) { return TestName(info.param); });

}  // namespace
}  // namespace orrery
