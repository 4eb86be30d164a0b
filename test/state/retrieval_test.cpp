// Retrieval by key and by pose: which frames are shown, of a walk whose answers are known.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/tensor_rng.h"
#include "state/registry.h"

namespace orrery {
namespace {

const MemoryGeometry kGeometry{.layers = 1, .heads = 2, .head_dim = 8, .rows = 4, .columns = 4, .channels = 3, .patch = 2};

at::Tensor Latent(int64_t t) {
  Rng rng(DeriveSeed(3, static_cast<uint64_t>(t)));
  return NormalTensor({1, 3, 8, 8}, rng);
}

struct Walk {
  explicit Walk(const std::string& spec) : memory(MakeMemory(spec, kGeometry)), state(memory->Reset(1, at::kCPU, at::kFloat, 0)) {}
  void Commit(const at::Tensor& latent, const at::Tensor& pose = {}) {
    const at::NoGradGuard guard;
    CleanFrame clean{{frames++, {}, pose}, latent, {}};
    memory->Commit(state, {clean.query, {}}, clean);
  }
  std::vector<int64_t> Chosen(const at::Tensor& pose = {}) const {
    const at::NoGradGuard guard;
    const ReadPlan plan = memory->BeginFrame(state, {frames, {}, pose});
    return memory->Audit(state, plan)["frames"].get<std::vector<int64_t>>();
  }
  std::shared_ptr<Memory> memory;
  Parts state;
  int64_t frames = 0;
};

TEST(KeyRetrieval, FindsTheTwinOfTheNewestFrame) {
  for (const int64_t twin : {3, 40, 90}) {
    Walk walk("retrieval.key(k=2, keys=feature)");
    for (int64_t t = 0; t < 120; ++t) walk.Commit(Latent(t));
    walk.Commit(Latent(twin) + 0.1 * Latent(1000));
    const std::vector<int64_t> chosen = walk.Chosen();
    ASSERT_EQ(chosen.size(), 2u);
    EXPECT_EQ(chosen[0], 120) << "the newest frame is its own nearest, no window holds it";
    EXPECT_EQ(chosen[1], twin);
  }
}

// Before any training a learned key still tells frames apart: what is asked for is found where it was stored.
TEST(KeyRetrieval, OfEqualKeysTheOlderIsShown) {
  Walk walk("retrieval.key(k=3, keys=learned, dim=8)");
  for (int64_t t = 0; t < 10; ++t) walk.Commit(Latent(0));
  EXPECT_EQ(walk.Chosen(), (std::vector<int64_t>{0, 1, 2}));
}

TEST(PoseRetrieval, ShowsTheFramesThatLookTheSameWay) {
  Walk walk("retrieval.pose(k=2, range=3)");
  // A turn on the spot, four quarters, five times; the third round stands elsewhere.
  const auto pose = [](int64_t t) {
    return at::tensor({t / 4 == 2 ? 20. : 5., 5., M_PI / 2 * static_cast<double>(t % 4)}, at::kFloat).view({1, 3});
  };
  for (int64_t t = 0; t < 20; ++t) walk.Commit(Latent(t), pose(t));
  for (int64_t way = 0; way < 4; ++way) {
    const std::vector<int64_t> chosen = walk.Chosen(pose(way));
    ASSERT_FALSE(chosen.empty());
    EXPECT_EQ(chosen[0], 16 + way) << "of several visits the newest";
  }
  EXPECT_EQ(walk.Chosen(pose(9)).at(0), 9);
}

// What is shown is the latent as the network embeds it.
TEST(PoseRetrieval, ShowsWhatItStored) {
  Walk walk("retrieval.pose(k=1, range=3)");
  Rng rng(4);
  const TokenEmbedding e{NormalTensor({16, 12}, rng), NormalTensor({16}, rng), NormalTensor({16, 16}, rng)};
  walk.memory->AdoptEmbedding(e);
  const at::Tensor here = at::tensor({1., 1., 0.}).to(at::kFloat).view({1, 3}), there = here + 50;
  for (int64_t t = 0; t < 70; ++t) walk.Commit(Latent(t), t == 30 ? here : there);
  const at::NoGradGuard guard;
  const ReadPlan plan = walk.memory->BeginFrame(walk.state, {70, {}, here});
  const at::Tensor tokens = walk.memory->Input(walk.state, plan).tokens[0];
  const at::Tensor embedded = at::conv2d(Latent(30), e.weight.view({16, 3, 2, 2}), e.bias, 2).flatten(2).transpose(1, 2)[0] + e.place;
  EXPECT_LT((tokens - embedded).abs().max().item<double>(), 1e-5);
}

TEST(PoseRetrieval, AsksForAPose) {
  Walk walk("retrieval.pose()");
  EXPECT_THROW(walk.memory->BeginFrame(walk.state, {0, {}, {}}), Error);
}

}  // namespace
}  // namespace orrery
