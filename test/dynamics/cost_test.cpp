// The cost that a state declares against what is run: multiply-accumulates of a session with it less those of one that remembers nothing
// (state-mechanisms G8).
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "../state/count_macs.h"
#include "../state/small_specs.h"
#include "awake.h"
#include "core/tensor_rng.h"
#include "streaming.h"

namespace orrery {
namespace {

TEST(CountMacs, CountsWhatIsKnown) {
  const at::Tensor a = at::randn({5, 7}), b = at::randn({7, 3}), v = at::randn({7}), many = at::randn({2, 4, 5, 7});
  EXPECT_EQ(CountMacs([&] { at::matmul(a, b); }), 5 * 7 * 3);
  EXPECT_EQ(CountMacs([&] { at::matmul(many, b); }), 2 * 4 * 5 * 7 * 3);
  EXPECT_EQ(CountMacs([&] { at::matmul(many, many.transpose(2, 3)); }), 2 * 4 * 5 * 7 * 5);
  EXPECT_EQ(CountMacs([&] { at::matmul(a, v); }), 5 * 7);
  EXPECT_EQ(CountMacs([&] { at::linear(many, b.t(), at::randn({3})); }), 2 * 4 * 5 * 7 * 3);
  EXPECT_EQ(CountMacs([&] { at::linear(a, b.t()); }), 5 * 7 * 3);
  EXPECT_EQ(CountMacs([&] { at::baddbmm(at::zeros({8, 5, 5}), many.flatten(0, 1), many.flatten(0, 1).transpose(1, 2)); }), 8 * 5 * 7 * 5);
  EXPECT_EQ(CountMacs([&] { at::einsum("bhnd,bhmd->bhnm", {many, many}); }), 8 * 5 * 7 * 5);
  const at::Tensor key = at::randn({2, 4, 9, 7});
  EXPECT_EQ(CountMacs([&] { at::scaled_dot_product_attention(many, key, key); }), 2 * 8 * 5 * 9 * 7);
  EXPECT_EQ(CountMacs([&] { at::scaled_dot_product_attention(many, key, key, at::zeros({2, 1, 1, 9})); }), 2 * 8 * 5 * 9 * 7);
  EXPECT_EQ(CountMacs([&] { at::linalg_solve_triangular(at::eye(6), at::randn({6, 4}), false); }), 6 * 6 * 4 / 2);
  EXPECT_EQ(CountMacs([&] { at::softmax(a + a, 1); }), 0);
}

class Cost : public testing::TestWithParam<std::string> {};

TEST_P(Cost, IsWhatIsCounted) {
  const at::NoGradGuard guard;
  at::manual_seed(1);
  const LatentShape latent{.channels = 3, .height = 4, .width = 4};
  const auto network =
      std::make_shared<Transition>(TransitionOptions{.dim = 64, .depth = 3, .heads = 2, .patch = 1}, latent, ActionSpace{3, 0, {}, {}, {}});
  const auto memory = MakeMemory(GetParam(), network->Geometry());
  Awaken(*network, 0.2);
  Awaken(*memory, 0.2);
  const double layers = 3;
  Parts state = memory->Reset(1, at::kCPU, at::kFloat, 0);
  for (int64_t t = 0; t <= 80; ++t) {
    Rng rng(DeriveSeed(5, static_cast<uint64_t>(t)));
    const at::Tensor x = NormalTensor({1, 1, 3, 4, 4}, rng), level = at::full({1, 1}, 0.3);
    const double angle = M_PI / 2 * static_cast<double>(t % 4);
    const at::Tensor pose = at::tensor({3.5 + 0.5 * static_cast<double>(t % 2), 3.5, angle}, at::kFloat).view({1, 1, 3});
    const FrameCondition condition{at::full({1, 1, 1}, static_cast<double>(t % 3)), {}, pose};
    const auto pass = [&](MemoryReader& reader, std::vector<LayerActivation>* keep = nullptr) {
      network->Forward(x, level, condition, reader, keep);
    };
    WindowReader nothing(0);
    const double bare = CountMacs([&] { pass(nothing); });
    ReadPlan plan;
    const double chosen = CountMacs([&] { plan = memory->BeginFrame(state, {t, condition.action.select(1, 0), pose.select(1, 0)}); });
    CleanFrame clean{plan.query, x.select(1, 0), {}};
    double first = 0, again = 0;
    {
      SessionReader reader(*memory, state, plan);
      first = CountMacs([&] { pass(reader, &clean.layers); });
      again = CountMacs([&] { pass(reader); });
    }
    const double written = CountMacs([&] { memory->Commit(state, plan, clean); });
    if (t != 0 && t != 1 && t != 5 && t != 20 && t != 80) continue;
    const MemoryCost cost = memory->Cost(t);
    EXPECT_NEAR((again - bare) / layers, cost.read, 0.05 * cost.read) << "read a layer, after " << t << " frames";
    EXPECT_NEAR(chosen + first - again, cost.select, 0.05 * cost.select) << "select a frame, after " << t << " frames";
    EXPECT_NEAR(written, cost.write, 0.05 * cost.write) << "write a frame, after " << t << " frames";
  }
}

INSTANTIATE_TEST_SUITE_P(Registered, Cost, testing::ValuesIn(AllSmallSpecs()), [](const auto& info) { return TestName(info.param); });

}  // namespace
}  // namespace orrery
