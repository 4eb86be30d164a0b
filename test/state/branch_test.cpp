// What all recurrent states must prove beside the contract: both forms alike in fp64, silence before training, sums in fp32 under mixed
// precision, and that they learn to recall what attention does not show them.
#include "state/explicit/branch_memory.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/optim/adam.h>

#include "core/autocast.h"
#include "count_macs.h"
#include "history.h"
#include "small_specs.h"

namespace orrery {
namespace {

std::vector<std::string> Recurrences() {
  return {"linear(heads=2, dim=8, every=1)",
          "linear(heads=2, dim=8, feature=elu, decay=0.25, every=1)",
          "ssm(heads=2, dim=8, state=8, blocks=2, every=1)",
          "lstm(heads=2, dim=8, every=1)",
          "delta(heads=2, dim=8, every=1)",
          "delta(heads=2, dim=8, order=mean, router=20, every=1)",
          "ttt(heads=2, dim=8, every=1)",
          "ttt(model=mlp, heads=2, dim=8, eta=0.1, every=1)",
          "titans(heads=2, dim=8, every=1)",
          "titans(heads=2, dim=8, momentum=false, clip=1, every=1)"};
}

double Relative(const at::Tensor& a, const at::Tensor& b) { return ((a - b).abs().max() / b.abs().max()).item<double>(); }

ClipQuery ClipOf(int64_t batch, int64_t frames) {
  ClipQuery clip;
  clip.batch = batch, clip.frames = frames;
  return clip;
}

class Recurrence : public testing::TestWithParam<std::string> {};

// 70 frames: longer than a chunk of the scans.
TEST_P(Recurrence, ClipEqualsFramesInDoublePrecision) {
  const at::NoGradGuard guard;
  const History history(GetParam(), at::kDouble);
  const int64_t frames = 70;
  Parts state = history.Fresh(), after = history.Fresh();
  std::vector<at::Tensor> read, clip;
  for (int64_t t = 0; t < frames; ++t) {
    clip.push_back(history.Frame(t));
    read.push_back(history.Read(state, t, clip.back()));
    history.Commit(state, t, clip.back());
  }
  const auto reader = history.Get().OpenClip(ClipOf(1, frames));
  const at::Tensor x = at::cat(clip, 1);
  reader->Branch(0, x);
  EXPECT_LT(Relative(reader->Branch(history.Last(), x), at::cat(read, 1)), 1e-10);
  ASSERT_TRUE(reader->Finish(after));
  for (const Part& part : after.All()) EXPECT_LT(Relative(part.tensor, state.Get(part.name)), 1e-10) << part.name;
}

// G8: what a frame's reads and its commit multiply is what Cost says, all layers together.
TEST_P(Recurrence, CostIsWhatIsCounted) {
  const History history(GetParam());
  Parts state = history.After(2);
  const MemoryCost cost = history.Get().Cost(2);
  const double read = CountMacs([&] { history.Read(state); }), write = CountMacs([&] { history.Commit(state, 2, history.Frame(2)); });
  EXPECT_NEAR(read / cost.read, 1, 0.05) << read;  // branches in every layer, all alike
  EXPECT_NEAR(write / cost.write, 1, 0.05) << write;
}

TEST_P(Recurrence, BeginsSilent) {
  const MemoryGeometry geometry{.layers = 2, .heads = 2, .head_dim = 8, .rows = 2, .columns = 2};
  const auto memory = MakeMemory(GetParam(), geometry);
  const Parts state = memory->Reset(1, at::kCPU, at::kFloat, 0);
  const at::Tensor x = at::randn({1, geometry.Tokens(), geometry.Dim()});
  EXPECT_EQ(memory->Branch(state, {}, 1, x).abs().max().item<double>(), 0) << "it changes a network that has not learned to use it";
}

// bf16 sums of 300 frames would stand still.
TEST_P(Recurrence, StateIsWholeUnderMixedPrecision) {
  const History history(GetParam());
  Parts whole = history.After(300), mixed;
  {
    const Autocast half(at::kCPU, true);
    mixed = history.After(300);
  }
  for (const Part& part : mixed.All()) {
    EXPECT_EQ(part.tensor.scalar_type(), at::kFloat) << part.name;
    const at::Tensor& exact = whole.Get(part.name);
    EXPECT_LT(((part.tensor - exact).norm() / exact.norm()).item<double>(), 0.03) << part.name;
  }
}

// The first of 4 frames shows 4 signs a token, the others nothing but the place; the last must tell them. Whoever sees the last frame
// alone is off by 1 on average.
TEST_P(Recurrence, LearnsToRecall) {
  const MemoryGeometry geometry{.layers = 1, .heads = 2, .head_dim = 8, .rows = 2, .columns = 2};
  const int64_t batch = 32, frames = 4, N = geometry.Tokens(), D = geometry.Dim(), signs = 4;
  at::manual_seed(1);
  const auto memory = MakeMemory(GetParam(), geometry);
  torch::optim::Adam adam(memory->parameters(), torch::optim::AdamOptions(0.01));
  const at::Tensor place = at::randn({N, D - signs});
  const auto step = [&] {
    const at::Tensor shown = at::randint(2, {batch, N, signs}).to(at::kFloat) * 2 - 1;
    at::Tensor x = at::zeros({batch, frames, N, D});
    x.narrow(3, signs, D - signs).copy_(place);
    x.select(1, 0).narrow(2, 0, signs).copy_(shown);
    const auto reader = memory->OpenClip(ClipOf(batch, frames));
    const at::Tensor out = reader->Branch(0, x.flatten(1, 2)).view(x.sizes());
    return (out.select(1, frames - 1).narrow(2, 0, signs) - shown).square().mean();
  };
  for (int i = 0; i < 400; ++i) {
    adam.zero_grad();
    step().backward();
    adam.step();
  }
  const at::NoGradGuard guard;
  EXPECT_LT(step().item<double>(), 0.3);
}

INSTANTIATE_TEST_SUITE_P(Leaves, Recurrence, testing::ValuesIn(Recurrences()), [](const auto& info) { return TestName(info.param); });

// A frame of keys and values 0 writes nothing: what is left after it is what the audit says is kept.
TEST(Recurrences, ForgetAtTheRatesTheyDeclare) {
  for (const std::string spec : {"linear(heads=2, dim=8, decay=0.25, every=1)", "ssm(heads=2, dim=8, state=8, every=1)",
                                 "delta(heads=2, dim=8, every=1)", "titans(heads=2, dim=8, momentum=false, every=1)"}) {
    const History history(spec, at::kDouble);
    Parts state = history.After(3);
    const Parts before = state.Clone();
    const int blanks = 12;
    for (int64_t t = 0; t < blanks; ++t) history.Commit(state, 3 + t, history.Blank());
    const Json rates = history.Get().Audit(state, {})["layers"][1]["rates"];
    for (int64_t h = 0; h < 2; ++h) {
      const double kept = rates.is_object() ? 1 - rates["alpha"][h].get<double>() : rates[h].get<double>();
      EXPECT_LT(kept, 0.9995);
      for (const Part& part : state.All()) {
        if (!part.name.ends_with("/1")) continue;
        const int64_t axis = spec.starts_with("ssm") ? 2 : 1;  // heads lie within blocks
        const double left = (part.tensor.select(axis, h).norm() / before.Get(part.name).select(axis, h).norm()).item<double>();
        EXPECT_NEAR(left, std::pow(kept, blanks), 1e-9) << spec << ", " << part.name << ", head " << h;
      }
    }
  }
}

}  // namespace
}  // namespace orrery
