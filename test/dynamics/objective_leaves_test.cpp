// Leaves with parts of their own: level sequences, the bank of errors, distillation.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/optim/adamw.h>

#include <map>

#include "../core/error_of.h"
#include "awake.h"
#include "core/tensor_rng.h"
#include "dynamics/objectives/ar_diffusion.h"
#include "dynamics/objectives/ask.h"
#include "dynamics/objectives/causal_ode.h"
#include "dynamics/objectives/error_bank.h"
#include "dynamics/objectives/self_forcing.h"
#include "dynamics/objectives/stream.h"
#include "dynamics/objectives/teacher_forcing.h"
#include "state/registry.h"

namespace orrery {
namespace {

const LatentShape kLatent{.channels = 3, .height = 2, .width = 2};
const std::shared_ptr<const NoisePath> kFlow = NoisePaths().Make("flow");

struct Tiny {
  std::shared_ptr<Transition> network;
  std::shared_ptr<Memory> memory;

  explicit Tiny(uint64_t seed = 2, const std::string& state = "window(3)") {
    at::manual_seed(seed);
    network = std::make_shared<Transition>(TransitionOptions{.dim = 32, .depth = 2, .heads = 2, .patch = 1}, kLatent,
                                           ActionSpace{3, 0, {}, {}, {}});
    Awaken(*network, 0.2);
    memory = MakeMemory(state, network->Geometry());
  }
  Teacher AsTeacher(bool causal) const {
    return {network, memory, causal ? "teacher_forcing" : "full_sequence", {.clean_label = true, .causal = causal}};
  }
};

Clip Walk(int64_t frames, uint64_t seed = 8) {
  Rng rng(seed);
  return {NormalTensor({2, frames, 3, 2, 2}, rng), {(UniformTensor({2, frames, 1}, rng) * 3).floor(), {}, {}, {}}};
}

TEST(ArDiffusion, WaysByHand) {
  const FoppSampler sampler(4, 3);
  const int64_t ways[4][3] = {{10, 4, 1}, {6, 3, 1}, {3, 2, 1}, {1, 1, 1}};
  double all = 0;
  for (int64_t t = 0; t < 4; ++t) {
    all += std::exp(sampler.LogWays(t, 0));
    for (int64_t f = 0; f < 3; ++f) EXPECT_NEAR(std::exp(sampler.LogWays(t, f)), static_cast<double>(ways[t][f]), 1e-9);
  }
  EXPECT_NEAR(all, 20, 1e-9);
  const FoppSampler large(1000, 32);  // counts overflow, logs do not
  Rng rng(1);
  EXPECT_EQ(large.Sample(4, rng).size(1), 32);
}

// Drawn with weights M[t, 0] at frame 0 and then to the right, all 20 sequences are alike: chi-square of 19 degrees below its 99 % point.
TEST(ArDiffusion, SequencesAreUniform) {
  const FoppSampler sampler(4, 3);
  for (const bool right : {true, false}) {
    Rng rng(6);
    std::map<std::vector<int64_t>, int> seen;
    for (int i = 0; i < 20000; ++i) {
      double left = rng.Uniform() * 20;
      int64_t level = 0;
      while (level < 3 && (left -= std::exp(sampler.LogWays(level, 0))) >= 0) ++level;
      const std::vector<int64_t> one = sampler.Through(right ? 0 : 2, right ? level : 3 - level, rng);
      EXPECT_TRUE(std::is_sorted(one.begin(), one.end()));
      ++seen[one];
    }
    EXPECT_EQ(seen.size(), 20u);
    double chi = 0;
    for (const auto& [sequence, count] : seen) chi += (count - 1000.0) * (count - 1000.0) / 1000;
    EXPECT_LT(chi, 36.19) << (right ? "to the right" : "to the left");
  }
}

TEST(ErrorBank, WithoutErrorsItIsTeacherForcing) {
  const Tiny tiny;
  const Clip clip = Walk(5);
  ErrorBank none({.warmup = 0, .latent = 0, .context = 0, .noise = 0}, kFlow), some({.warmup = 1, .clean = 0}, kFlow);
  TeacherForcing plain({}, kFlow);
  none.Begin(*tiny.network, *tiny.memory, nullptr);
  some.Begin(*tiny.network, *tiny.memory, nullptr);
  const auto loss = [&](Objective& objective) {
    Rng rng(3);
    return objective.Loss(*tiny.network, *tiny.memory, clip, rng).item<double>();
  };
  EXPECT_EQ(loss(none), loss(plain));
  EXPECT_EQ(loss(some), loss(plain)) << "the warm-up puts nothing in";
  EXPECT_NE(loss(some), loss(plain));
}

TEST(ErrorBank, HoldsErrorsByLevelAndNeverMoreThanItMay) {
  for (const std::string rule : {"random", "fifo", "similar"}) {
    const Tiny tiny;
    ErrorBank bank({.grids = 4, .entries = 6, .warmup = 40, .replace = rule}, NoisePaths().Make("flow(shift=1)"));
    bank.Begin(*tiny.network, *tiny.memory, nullptr);
    Rng rng(3);
    for (int i = 0; i < 40; ++i) {
      bank.Loss(*tiny.network, *tiny.memory, Walk(5, static_cast<uint64_t>(i)), rng);
      for (int64_t g = 0; g < 4; ++g) EXPECT_LE(bank.Held(g), 6);
    }
    for (int64_t g = 0; g < 4; ++g) EXPECT_EQ(bank.Held(g), 6) << g;
    // The clean latent guessed from much noise is farther off than from little.
    const auto size = [&](int64_t g) { return bank.Latents(g).square().mean().item<double>(); };
    EXPECT_GT(size(3), 2 * size(0));
    bank.eval();
    const at::Tensor before = bank.Latents(1).clone();
    bank.Loss(*tiny.network, *tiny.memory, Walk(5), rng);
    EXPECT_TRUE(at::equal(before, bank.Latents(1))) << "validation writes nothing";
  }
}

TEST(CausalOde, NeedsACausalTeacher) {
  const Tiny tiny;
  CausalOde objective({}, kFlow);
  EXPECT_NE(ErrorOf([&] { objective.Begin(*tiny.network, *tiny.memory, nullptr); }).find("--teacher"), std::string::npos);
  const Teacher sees_all = tiny.AsTeacher(false);
  EXPECT_NE(ErrorOf([&] { objective.Begin(*tiny.network, *tiny.memory, &sees_all); }).find("must be causal"), std::string::npos);
}

// A network whose answer is `value` everywhere.
std::shared_ptr<Transition> Constant(double value) {
  Tiny tiny;
  const at::NoGradGuard guard;
  for (auto& item : tiny.network->named_parameters())
    if (item.key() == "output.weight")
      item.value().zero_();
    else if (item.key() == "output.bias")
      item.value().fill_(value);
  return tiny.network;
}

// A teacher whose velocity is c everywhere goes from x at level s to x - s c: its student has nothing to learn when it answers c, whatever
// the levels and the guidance, and is off by s (c' - c) when it answers c'.
TEST(CausalOde, AStudentThatIsItsTeacherHasNoLoss) {
  const Tiny tiny;
  for (const std::string mode : {"consistency", "pairs"}) {
    CausalOde objective({.mode = mode, .steps = 2, .grid = 4}, kFlow);
    const std::shared_ptr<Transition> same = Constant(0.7), other = Constant(-0.4);
    const Teacher teacher{same, tiny.memory, "teacher_forcing", {}};
    objective.Begin(*same, *tiny.memory, &teacher);
    Rng rng(3);
    EXPECT_LT(objective.Loss(*same, *tiny.memory, Walk(5), rng).item<double>(), 1e-10) << mode;
    EXPECT_GT(objective.Loss(*other, *tiny.memory, Walk(5), rng).item<double>(), 1e-2) << mode;
  }
}

TEST(CausalOde, TheRunningMeanFollowsTheStudent) {
  const Tiny tiny;
  CausalOde objective({.steps = 2, .grid = 4, .ema = 0.5}, kFlow);
  const Teacher teacher = tiny.AsTeacher(true);
  objective.Begin(*tiny.network, *tiny.memory, &teacher);
  const at::Tensor mean = objective.named_parameters()["mean.output.bias"], own = tiny.network->named_parameters()["output.bias"];
  EXPECT_FALSE(mean.requires_grad());
  const at::Tensor before = own.detach().clone();
  Rng rng(3);
  objective.Loss(*tiny.network, *tiny.memory, Walk(4), rng);
  {
    const at::NoGradGuard guard;
    own.add_(1);
  }
  objective.Loss(*tiny.network, *tiny.memory, Walk(4), rng);
  EXPECT_TRUE(at::allclose(mean, before + 0.5));
  objective.eval();
  objective.Loss(*tiny.network, *tiny.memory, Walk(4), rng);
  EXPECT_TRUE(at::allclose(mean, before + 0.5));
}

// Real samples N(0, 1), a student's N(mu, 1): of x = (1 - s) y + s e the scores are known, and so is what each makes clean.
TEST(SelfForcing, MatchingMovesAStudentToItsTeacher) {
  const auto clean = [](const at::Tensor& x, double s, double mean) {
    const double a = 1 - s, variance = a * a + s * s;
    return mean + a / variance * (x - a * mean);
  };
  Rng rng(4);
  double mu = 2;
  for (int step = 0; step < 200; ++step) {
    const at::Tensor y = NormalTensor({4096, 1}, rng) + mu;
    const double s = 0.02 + 0.96 * rng.Uniform();
    const at::Tensor x = (1 - s) * y + s * NormalTensor({4096, 1}, rng);
    const at::Tensor g = MatchingDirection(y, clean(x, s, mu), clean(x, s, 0));
    if (step == 0) {
      EXPECT_GT(g.mean().item<double>(), 0) << "the student lies too far up, so descent takes it down";
    }
    mu -= 0.1 * g.mean().item<double>();
  }
  EXPECT_NEAR(mu, 0, 0.1);
}

TEST(SelfForcing, TheLossHasTheDirectionAsItsGradient) {
  Rng rng(4);
  const at::Tensor y = NormalTensor({3, 5}, rng).requires_grad_(), f = NormalTensor({3, 5}, rng), r = NormalTensor({3, 5}, rng);
  const at::Tensor g = MatchingDirection(y.detach(), f, r);
  (0.5 * (y - (y.detach() - g)).square().mean()).backward();
  EXPECT_TRUE(at::allclose(y.grad(), g / 15, 1e-5, 1e-7));
  const at::Tensor size = (y.detach() - r).abs().mean(1, true);
  EXPECT_TRUE(at::allclose(g, (f - r) / size, 1e-5, 1e-7));
  EXPECT_TRUE(at::equal(MatchingDirection(r, r, r), at::zeros({3, 5}))) << "a student that is its teacher stays";
}

TEST(SelfForcing, RollsAsASessionAndGradesTheLastStepOfTheWindow) {
  const Tiny tiny;
  SelfForcing objective({.steps = 3}, kFlow);
  const Clip clip = Walk(6);
  Rng rng(3);
  const at::Tensor made = objective.Roll(*tiny.network, *tiny.memory, {clip}, {.exit = 2, .graded = 2, .count = 2}, rng);
  EXPECT_TRUE(at::equal(made.select(1, 0).detach(), clip.latent.select(1, 0)));
  EXPECT_FALSE(at::equal(made.select(1, 1).detach(), clip.latent.select(1, 1)));
  const auto sees = [&](int64_t t) {
    tiny.network->zero_grad();
    const at::Tensor frame = made.select(1, t);
    if (!frame.requires_grad()) return false;
    frame.sum().backward({}, /*retain_graph=*/true);
    const at::Tensor g = tiny.network->named_parameters()["patch.weight"].grad();
    return g.defined() && g.abs().max().item<double>() > 0;
  };
  for (int64_t t = 1; t < 6; ++t) EXPECT_EQ(sees(t), t == 2 || t == 3) << t;
}

// The last step of all is what a rollout hands out: the same frame as by hand.
TEST(SelfForcing, StepsAsRolloutsDo) {
  const at::NoGradGuard guard;
  const Tiny tiny;
  SelfForcing objective({.steps = 2}, kFlow);
  const Clip clip = Walk(2);
  Rng rng(3), again(3);
  const at::Tensor made = objective.Roll(*tiny.network, *tiny.memory, {clip}, {.exit = 1, .count = 2}, rng).select(1, 1);
  ClipStream stream(*tiny.network, *tiny.memory, *kFlow, {clip}, clip.condition);
  stream.Open();
  stream.Commit(clip.latent.select(1, 0), 0);
  stream.Open();
  const std::vector<double> levels = kFlow->Schedule(2);
  at::Tensor x = NormalTensor({2, 3, 2, 2}, again);
  for (size_t i = 0; i < 2; ++i) {
    const at::Tensor from = at::full({2}, levels[i]), to = at::full({2, 1, 1, 1}, levels[i + 1]);
    x = kFlow->Step(x, stream.Answer(x, from), from.view({2, 1, 1, 1}), to);
  }
  EXPECT_TRUE(at::allclose(made, x, 1e-5, 1e-5));
}

// The graph of one frame's answer, with the state taken as it is: as differences tell.
TEST(SelfForcing, TheGradientIsThatOfTheLastAnswer) {
  const Tiny tiny;
  SelfForcing objective({.steps = 2}, kFlow);
  const Clip clip = Walk(2);
  const auto loss = [&] {
    Rng rng(3);
    return objective.Roll(*tiny.network, *tiny.memory, {clip}, {.exit = 0, .graded = 0, .count = 2}, rng).select(1, 1).square().mean();
  };
  loss().backward();
  const at::Tensor bias = tiny.network->named_parameters()["output.bias"];  // reaches the answer alone, no keys or values
  const double analytic = bias.grad()[0].item<double>();
  const at::NoGradGuard guard;
  const auto moved = [&](double by) {
    bias[0].add_(by);
    const double value = loss().item<double>();
    bias[0].sub_(by);
    return value;
  };
  EXPECT_NEAR((moved(1e-2) - moved(-1e-2)) / 2e-2 / analytic, 1, 1e-2);
}

TEST(SelfForcing, AWindowOfTheWholeRolloutIsTheRollout) {
  const Tiny student, whole(7);
  const Teacher teacher = whole.AsTeacher(false);
  const auto loss = [&](int64_t window) {
    SelfForcing objective({.steps = 2, .window = window}, kFlow);
    objective.Begin(*student.network, *student.memory, &teacher);
    Rng rng(3);
    return objective.Loss(*student.network, *student.memory, Walk(5), rng).item<double>();
  };
  EXPECT_EQ(loss(5), loss(0));
  EXPECT_NE(loss(3), loss(0));
}

TEST(SelfForcing, StudentAndCriticLearnApart) {
  const Tiny student, whole(7);
  const Teacher teacher = whole.AsTeacher(false);
  SelfForcing objective({.steps = 2, .ratio = 3}, kFlow);
  objective.Begin(*student.network, *student.memory, &teacher);
  Rng rng(3);
  for (int step = 0; step < 4; ++step) {
    student.network->zero_grad(), objective.zero_grad(), whole.network->zero_grad();
    LossTerms terms;
    objective.Loss(*student.network, *student.memory, Walk(5), rng, &terms).backward();
    const bool student_learns = step % 3 == 0;
    EXPECT_EQ(terms.contains("matching"), student_learns);
    const at::Tensor g = student.network->named_parameters()["output.weight"].grad();
    EXPECT_EQ(g.defined() && g.abs().max().item<double>() > 0, student_learns) << step;
    EXPECT_GT(objective.named_parameters()["critic.output.weight"].grad().abs().max().item<double>(), 0);
    EXPECT_FALSE(whole.network->named_parameters()["output.weight"].grad().defined()) << "the teacher is not trained";
  }
}

TEST(SelfForcing, GoesOnFromTheStateOfTheWindowBefore) {
  const Tiny student(2, "window(3) + ssm(heads=2, dim=8, state=4, every=1)"), whole(7);
  const Teacher teacher = whole.AsTeacher(false);
  SelfForcing objective({.steps = 2}, kFlow);
  objective.Begin(*student.network, *student.memory, &teacher);
  Rng rng(3);
  EXPECT_TRUE(std::isfinite(objective.Loss(*student.network, *student.memory, Walk(8), 2, rng).item<double>()));
  const Clip clip = Walk(4);
  Parts state = student.memory->Reset(2, at::kCPU, at::kFloat, 0), after = state;
  Rng a(3), b(3);
  objective.Roll(*student.network, *student.memory, {clip, 0, nullptr, &state}, {.exit = 0, .count = 4}, a);
  EXPECT_NE(state.Difference(after), "");
  const at::Tensor on = objective.Roll(*student.network, *student.memory, {clip, 4, &state, nullptr}, {.exit = 0, .count = 4}, b);
  EXPECT_FALSE(at::equal(on.select(1, 0).detach(), clip.latent.select(1, 0))) << "no frame is given after the first window";
}

}  // namespace
}  // namespace orrery
