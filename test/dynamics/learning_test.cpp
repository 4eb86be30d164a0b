// What objectives are for, on worlds of four places: few steps where the future forks, labels that training has seen, errors that add up.
// Clips are [B, T, 1, 1, 4]: a bright cell among four.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/optim/adamw.h>

#include <map>

#include "core/tensor_rng.h"
#include "dynamics/objectives/ask.h"
#include "dynamics/objectives/causal_ode.h"
#include "dynamics/objectives/far.h"
#include "dynamics/objectives/resampling.h"
#include "dynamics/objectives/shortcut.h"
#include "dynamics/objectives/stream.h"
#include "dynamics/objectives/teacher_forcing.h"
#include "state/registry.h"

namespace orrery {
namespace {

const std::shared_ptr<const NoisePath> kFlow = NoisePaths().Make("flow(shift=1)");
constexpr double kBright = 1.5, kDark = -0.5;

struct Learner {
  std::shared_ptr<Transition> network;
  std::shared_ptr<Memory> memory;

  explicit Learner(bool step = false) {
    at::manual_seed(2);
    network = std::make_shared<Transition>(TransitionOptions{.dim = 32, .depth = 2, .heads = 2, .patch = 1, .step = step},
                                           LatentShape{.channels = 1, .height = 1, .width = 4}, ActionSpace{3, 0, {}, {}, {}});
    memory = MakeMemory("dense()", network->Geometry());
  }
};

at::Tensor Cells(const at::Tensor& place) {  // [B, T] -> [B, T, 1, 1, 4]
  return at::where(at::one_hot(place.to(at::kLong), 4) > 0, kBright, kDark).to(at::kFloat).view({place.size(0), place.size(1), 1, 1, 4});
}

// The second frame lies one place to the left or right of the first, by a coin that nobody sees.
Clip Fork(int64_t batch, Rng& rng) {
  const at::Tensor first = (UniformTensor({batch, 1}, rng) * 4).floor(), coin = (UniformTensor({batch, 1}, rng) < 0.5).to(at::kFloat) * 2;
  return {Cells(at::cat({first, (first + coin + 3).remainder(4)}, 1)), {at::zeros({batch, 2, 1}), {}, {}, {}}};
}

// Actions move the cell; what they are is shown.
Clip Steered(int64_t batch, int64_t frames, Rng& rng) {
  const at::Tensor action = (UniformTensor({batch, frames}, rng) * 3).floor();
  const at::Tensor first = (UniformTensor({batch, 1}, rng) * 4).floor(), moves = action.narrow(1, 1, frames - 1) - 1;
  const at::Tensor place = (at::cat({first, first + moves.cumsum(1)}, 1)).remainder(4);
  return {Cells(place), {action.unsqueeze(2), {}, {}, {}}};
}

template <class World>
void Teach(Learner& learner, Objective& objective, int steps, const World& world, bool settle = true) {
  learner.network->train();
  torch::optim::AdamW optimiser(learner.network->parameters(), torch::optim::AdamWOptions(3e-3));
  Rng rng(11);
  for (int i = 0; i < steps; ++i) {
    const double left = settle ? static_cast<double>(steps - i) / steps : 1;  // the rate falls over the last third
    for (auto& group : optimiser.param_groups()) group.options().set_lr(3e-3 * std::min(1.0, 3 * left));
    optimiser.zero_grad();
    objective.Loss(*learner.network, *learner.memory, world(rng), rng).backward();
    optimiser.step();
  }
  learner.network->eval();
}

// Samples of the second frame in n steps, [B, 1, 1, 4].
at::Tensor Second(const Learner& learner, const Clip& clip, int64_t n, bool step) {
  const at::NoGradGuard guard;
  ClipStream stream(*learner.network, *learner.memory, *kFlow, {clip}, clip.condition);
  stream.Open();
  stream.Commit(clip.latent.select(1, 0), 0);
  stream.Open();
  Rng rng(21);
  const std::vector<double> levels = kFlow->Schedule(n);
  at::Tensor x = NormalTensor(clip.latent.select(1, 1).sizes(), rng);
  for (int64_t i = 0; i < n; ++i) {
    const double from = levels[static_cast<size_t>(i)], to = levels[static_cast<size_t>(i) + 1];
    const auto all = [&](double v) { return at::full({x.size(0)}, v); };
    const at::Tensor out = stream.Answer(x, all(from), false, step ? all(from - to) : at::Tensor());
    x = kFlow->Step(x, out, all(from).view({-1, 1, 1, 1}), all(to).view({-1, 1, 1, 1}));
  }
  return x;
}

// Mean squared distance to the nearer of the two frames that may come, and the share that went to the first of them.
std::pair<double, double> Nearest(const at::Tensor& sample, const Clip& clip) {
  const at::Tensor place = clip.latent.select(1, 0).flatten(1).argmax(1, true);
  const auto error = [&](int64_t by) { return (sample - Cells((place + by) % 4).select(1, 0)).square().mean({1, 2, 3}); };
  const at::Tensor left = error(3), right = error(1);
  return {at::minimum(left, right).mean().item<double>(), (left < right).to(at::kFloat).mean().item<double>()};
}

TEST(Learning, ShortcutNeedsFewStepsWhereTheFutureForks) {
  const auto world = [](Rng& rng) { return Fork(32, rng); };
  Rng rng(5);
  const Clip clip = Fork(128, rng);
  const auto error = [&](double self_share, int64_t n) {
    static std::map<double, Learner> taught;
    if (!taught.contains(self_share)) {
      Learner learner(true);
      Shortcut objective({.grid = 8, .self_share = self_share, .warmup = 400, .action_drop = 0}, kFlow);
      Teach(learner, objective, self_share > 0 ? 1400 : 700, world);
      taught.emplace(self_share, learner);
    }
    return Nearest(Second(taught.at(self_share), clip, n, true), clip);
  };
  const auto psnr = [&](double share, int64_t n) { return 10 * std::log10(4 / error(share, n).first); };
  EXPECT_GT(psnr(0.25, 4), 18);
  EXPECT_GT(psnr(0.25, 1), psnr(0, 1) + 3) << "one step that never learned to be long answers with the mean of both";
  EXPECT_NEAR(error(0.25, 4).second, 0.5, 0.25) << "both ways are taken";
}

TEST(Learning, ACausalStudentKeepsBothWaysInOneStep) {
  const auto world = [](Rng& rng) { return Fork(32, rng); };
  Rng rng(5);
  const Clip clip = Fork(128, rng);
  Learner teacher;
  TeacherForcing forcing({.action_drop = 0}, kFlow);
  Teach(teacher, forcing, 700, world);
  const double before = Nearest(Second(teacher, clip, 1, false), clip).first;
  for (const std::string mode : {"pairs", "consistency"}) {
    Learner student;
    student.network = teacher.network->Copy();
    CausalOde objective({.mode = mode, .steps = 1, .grid = 4, .guidance = 1, .ema = 0.9}, kFlow);
    const Teacher known{teacher.network, teacher.memory, "teacher_forcing", {}};
    objective.Begin(*student.network, *student.memory, &known);
    Teach(student, objective, mode == "pairs" ? 150 : 400, world);
    const auto [after, share] = Nearest(Second(student, clip, 1, false), clip);
    EXPECT_LT(after, 0.5 * before) << mode;
    EXPECT_NEAR(share, 0.5, 0.25) << mode;
  }
}

TEST(Learning, FarKnowsTheLabelOfItsContext) {
  const auto world = [](Rng& rng) { return Steered(16, 4, rng); };
  Rng rng(5);
  const Clip clip = Steered(128, 4, rng);
  const at::Tensor noise = NormalTensor(clip.latent.sizes(), rng), target = at::arange(4).expand({128, 4}) == 3;
  const auto loss = [&](const Learner& learner, double label) {
    const at::NoGradGuard guard;
    const at::Tensor level = at::where(target, at::full({}, 0.7), at::full({}, 0.)),
                     told = at::where(target, at::full({}, 0.7), at::full({}, label));
    const at::Tensor x = kFlow->Mix(clip.latent, noise, PerFrame(level));
    const Answer answer =
        AskClip(*learner.network, *learner.memory, *kFlow, {clip}, {x, level, told, clip.condition, clip.latent, target, {}});
    return FrameError(answer.out, noise - clip.latent).select(1, 3).mean().item<double>();
  };
  Learner never, knows;
  FarObjective without({.clean_share = 0, .action_drop = 0}, kFlow), with({.clean_share = 0.3, .action_drop = 0}, kFlow);
  Teach(never, without, 400, world);
  Teach(knows, with, 400, world);
  EXPECT_GT(loss(never, -1), 1.1 * loss(never, 0.02));
  EXPECT_LT(loss(knows, -1), 1.05 * loss(knows, 0.02));
}

TEST(Learning, ErrorsOfAHalfTrainedModelAddUp) {
  const auto world = [](Rng& rng) { return Steered(16, 8, rng); };
  Rng rng(5);
  const Clip clip = Steered(64, 8, rng);
  Learner learner;
  TeacherForcing forcing({.action_drop = 0}, kFlow);
  Teach(learner, forcing, 120, world, /*settle=*/false);
  const Resampling resampling({}, kFlow);
  const at::Tensor noise = NormalTensor(clip.latent.sizes(), rng);
  const at::Tensor made = resampling.Degrade(*learner.network, *learner.memory, {clip}, clip.condition, at::full({64}, 0.8), noise);
  const at::Tensor error = FrameError(made, clip.latent).mean(0);
  EXPECT_GT(error.narrow(0, 5, 3).mean().item<double>(), error.narrow(0, 1, 3).mean().item<double>());
}

}  // namespace
}  // namespace orrery
