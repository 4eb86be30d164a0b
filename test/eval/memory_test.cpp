// What a linear probe reads, against the closed form and against what cannot be read.
#include <gtest/gtest.h>

#include "core/tensor_rng.h"
#include "eval/memory/linear_probe.h"
#include "eval/memory/mlp_probe.h"
#include "eval/memory/vector.h"
#include "eval/suite/probe.h"
#include "model/session.h"
#include "scenes.h"
#include "worlds/maze.h"

namespace orrery {
namespace {

TEST(LinearProbe, FindsALineThatIsThere) {
  Rng rng(1, "test");
  const at::Tensor x = NormalTensor({200, 12}, rng).to(at::kDouble), w = NormalTensor({12, 3}, rng).to(at::kDouble);
  const at::Tensor y = at::mm(x, w) + 4;
  const LinearProbe probe(x, y);
  const at::Tensor fresh = NormalTensor({50, 12}, rng).to(at::kDouble);
  EXPECT_LE((probe.Predict(fresh) - (at::mm(fresh, w) + 4)).abs().max().item<double>(), 1e-3);
}

// One input: the slope of ridge regression is cov / (var + penalty), in units of the input's deviation.
TEST(LinearProbe, IsRidgeRegression) {
  Rng rng(2, "test");
  const at::Tensor x = NormalTensor({64, 1}, rng).to(at::kDouble), y = 2 * x + NormalTensor({64, 1}, rng).to(at::kDouble);
  const LinearProbe probe(x, y);
  const double mean = x.mean().item<double>(), deviation = x.std(/*unbiased=*/false).item<double>();
  const double slope = ((x - mean) * (y - y.mean())).mean().item<double>() / deviation / (1 + probe.Penalty());
  const at::Tensor at = at::full({1, 1}, mean + 3 * deviation, at::kDouble);
  EXPECT_NEAR(probe.Predict(at).item<double>(), y.mean().item<double>() + 3 * slope, 1e-9);
}

// More inputs than rows are solved from the other side: the same ridge, here against its normal equations.
TEST(LinearProbe, SolvesWideInputsToo) {
  Rng rng(3, "test");
  const at::Tensor x = NormalTensor({40, 90}, rng).to(at::kDouble), y = NormalTensor({40, 2}, rng).to(at::kDouble);
  const LinearProbe probe(x, y);
  const at::Tensor z = (x - x.mean(0)) / at::std(x, at::IntArrayRef{0}, false);
  const at::Tensor gram = at::mm(z.t(), z) + 40 * probe.Penalty() * at::eye(90, at::kDouble);
  const at::Tensor weights = at::linalg_solve(gram, at::mm(z.t(), y - y.mean(0)));
  EXPECT_LE((probe.Predict(x) - (at::mm(z, weights) + y.mean(0))).abs().max().item<double>(), 1e-6);
}

TEST(LinearProbe, LearnsFromKnownTargetsAlone) {
  Rng rng(4, "test");
  const at::Tensor x = NormalTensor({120, 5}, rng).to(at::kDouble), y = at::cat({x.sum(1, true), x.sum(1, true)}, 1).clone();
  at::Tensor known = at::ones({120, 2}, at::kBool);
  known.select(1, 1).slice(0, 0, 120, 2).fill_(false);
  y.select(1, 1).slice(0, 0, 120, 2).fill_(1e6);  // nobody may look
  const LinearProbe probe(x, y, known);
  EXPECT_LE((probe.Predict(x).select(1, 1) - x.sum(1)).abs().max().item<double>(), 1e-3);
}

TEST(LinearProbe, DropsWhatDoesNotVaryAndRefusesFewRows) {
  const at::Tensor x = at::ones({16, 3}, at::kDouble), y = at::arange(16, at::kDouble).view({16, 1});
  EXPECT_NEAR(LinearProbe(x, y).Predict(x)[0].item<double>(), 7.5, 1e-9);
  EXPECT_THROW(LinearProbe(at::ones({4, 3}), at::ones({4, 1})), Error);
}

TEST(LinearProbe, DoesNotHangOnThreads) {
  Rng rng(5, "test");
  const at::Tensor x = NormalTensor({300, 200}, rng), y = NormalTensor({300, 20}, rng);
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor one = LinearProbe(x, y).Predict(x);
  at::set_num_threads(2);
  const at::Tensor two = LinearProbe(x, y).Predict(x);
  at::set_num_threads(before);
  EXPECT_TRUE(at::equal(one, two));
}

// What no weighted sum of two numbers tells: whether they have one sign.
TEST(MlpProbe, ReadsWhatALinearOneCannot) {
  Rng rng(6, "test");
  const at::Tensor x = NormalTensor({1200, 2}, rng).to(at::kDouble), same = (x.prod(1, true) > 0).to(at::kDouble);
  const at::Tensor fresh = NormalTensor({300, 2}, rng).to(at::kDouble), right = fresh.prod(1, true) > 0;
  const auto accuracy = [&](const at::Tensor& said) { return ((said > 0.5) == right).to(at::kDouble).mean().item<double>(); };
  MlpProbeOptions options;
  options.width = 64;
  options.steps = 300;
  options.binary = true;
  const MlpProbe deep(x, same, {}, options);
  EXPECT_GE(accuracy(deep.Predict(fresh)), 0.95);
  EXPECT_LE(accuracy(LinearProbe(x, same).Predict(fresh)), 0.65);
  EXPECT_TRUE(at::equal(deep.Predict(fresh), MlpProbe(x, same, {}, options).Predict(fresh)));  // seeded
  const at::Tensor known = at::zeros({1200, 1}, at::kBool);
  EXPECT_NO_THROW(MlpProbe(x, same, known, options).Predict(fresh));
}

TEST(MlpProbe, ReadsNumbersInTheirOwnUnits) {
  Rng rng(7, "test");
  const at::Tensor x = NormalTensor({800, 3}, rng).to(at::kDouble), y = 100 + 20 * x.select(1, 0).square().unsqueeze(1);
  MlpProbeOptions options;
  options.width = 64;
  options.steps = 400;
  const double off = (MlpProbe(x, y, {}, options).Predict(x) - y).square().mean().sqrt().item<double>();
  EXPECT_LE(off, 0.2 * at::std(y).item<double>());
}

// The agent in the middle of cell (3, 3), looking along +x: ahead is +x, left is +y (counter-clockwise).
TEST(Surroundings, AreInTheAgentsAxes) {
  std::vector<double> walls(49, 0);
  const auto wall = [&](int x, int y) { walls[static_cast<size_t>(7 * y + x)] = 1; };
  wall(4, 3);  // one ahead of (3, 3)
  wall(3, 5);  // two to the left
  std::vector<StateVariable> state = {{"agent", {3}, {3.5, 3.5, 0}}, {"walls", {7, 7}, walls}, {"objects", {1, 4}, {5.5, 3.5, 0, 0}}};
  const auto index = [](int ahead, int left) { return static_cast<size_t>((ahead + 2) * kAround + left + 2); };
  Surroundings around = SurroundingsOf(state);
  EXPECT_EQ(around.walls[index(1, 0)], 1);
  EXPECT_EQ(around.walls[index(0, 2)], 1);
  EXPECT_EQ(std::count(around.walls.begin(), around.walls.end(), 1), 2);
  EXPECT_NEAR(around.objects[0], 2, 1e-12);
  EXPECT_NEAR(around.objects[1], 0, 1e-12);
  state[0].values[2] = 1.5707963267948966;  // a quarter turn to the left: what was ahead is on the right
  around = SurroundingsOf(state);
  EXPECT_EQ(around.walls[index(0, -1)], 1);
  EXPECT_EQ(around.walls[index(2, 0)], 1);
  EXPECT_NEAR(around.objects[0], 0, 1e-12);
  EXPECT_NEAR(around.objects[1], -2, 1e-12);
  state[0].values = {0.5, 0.5, 0};  // at the edge: beyond it is wall
  EXPECT_EQ(SurroundingsOf(state).walls[index(-1, 0)], 1);
  EXPECT_EQ(SurroundingsOf(state).cells[index(-1, 0)], -1);
}

TEST(SessionVector, IsASumOfSketchesOfOneLength) {
  Rng rng(8, "test");
  SessionState state;
  state.latent = at::arange(16, at::kFloat).view({1, 4, 2, 2});
  const at::Tensor keys = NormalTensor({2, 1, 5000}, rng).to(at::kFloat), values = NormalTensor({2, 1, 7}, rng).to(at::kFloat);
  state.memory.Add("keys", "layer batch token", keys);
  const at::Tensor first = SessionVector(state);
  ASSERT_EQ(first.sizes(), at::IntArrayRef({kMemorySize}));
  EXPECT_TRUE(at::equal(first.narrow(0, 0, 16), state.latent.view({-1}).to(at::kDouble)));  // it fits as it is
  EXPECT_EQ(first.narrow(0, 16, kLatentSize - 16).abs().sum().item<double>(), 0);
  const at::Tensor sketch = first.narrow(0, kLatentSize, kMemorySize - kLatentSize);
  const double kept = sketch.square().sum().item<double>() / keys.square().sum().item<double>();
  EXPECT_NEAR(kept, 1, 5 * std::sqrt(2.0 / static_cast<double>(kMemorySize - kLatentSize)));  // lengths are kept, as hashing promises
  state.memory.Add("values", "layer batch token", values);  // another part adds to it, and the first stays where it was
  const at::Tensor both = SessionVector(state);
  SessionState alone;
  alone.latent = at::zeros({1, 4, 2, 2});
  alone.memory.Add("values", "layer batch token", values);
  EXPECT_LE((both - first - SessionVector(alone)).abs().max().item<double>(), 1e-9);
  EXPECT_GT((both - first).abs().sum().item<double>(), 0);
}

const Metric& Of(const ProbeResult& result, const std::string& name) {
  for (const Metric& m : result.metrics)
    if (m.id == "persistence.memory." + name) return m;
  Fail("no metric {}", name);
}

TEST(MemoryProbe, ReadsTheTruthAndNothingOutOfStrangers) {
  ProbePlan plan;
  plan.probe = "memory-probe";
  plan.world = "maze";
  plan.scenarios = 40;
  plan.frames = 40;
  const ProbeResult copy = ProbeMemory(*Judged("dummy:copy"), plan), random = ProbeMemory(*Judged("dummy:random"), plan);
  for (const Metric& m : copy.metrics) Check(m);
  for (const char* name : {"walls", "around"}) {
    const Metric& m = Of(copy, name);
    EXPECT_GE(*m.value, 0.98) << name;
    ASSERT_TRUE(m.curve) << name;
    EXPECT_EQ(m.curve->x.back(), 11) << name;  // and nothing is asked of more than 50 frames ago
    EXPECT_NEAR(m.anchors.at("shuffled"), m.anchors.at("constant"), 0.03) << name;
    EXPECT_NEAR(*Of(random, name).value, m.anchors.at("constant"), 0.03) << name;
  }
  for (const char* name : {"position", "objects"}) {
    const Metric& m = Of(copy, name);
    EXPECT_LE(*m.value, 0.1) << name;
    EXPECT_NEAR(m.anchors.at("shuffled"), m.anchors.at("constant"), 0.15 * m.anchors.at("constant")) << name;
    EXPECT_GE(*Of(random, name).value, 0.85 * m.anchors.at("constant")) << name;
  }
}

}  // namespace
}  // namespace orrery
