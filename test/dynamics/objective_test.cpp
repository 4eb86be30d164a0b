// Objectives: the default's losses of before, twins against separate passes, what each trains and refuses.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "../core/error_of.h"
#include "../state/small_specs.h"
#include "awake.h"
#include "core/tensor_rng.h"
#include "dynamics/objectives/ask.h"
#include "dynamics/objectives/diffusion_forcing.h"
#include "dynamics/objectives/far.h"
#include "dynamics/objectives/full_sequence.h"
#include "dynamics/objectives/registry.h"
#include "dynamics/objectives/resampling.h"
#include "dynamics/objectives/shortcut.h"
#include "dynamics/objectives/teacher_forcing.h"

namespace orrery {
namespace {

const LatentShape kLatent{.channels = 3, .height = 4, .width = 4};
const std::shared_ptr<const NoisePath> kFlow = NoisePaths().Make("flow");

struct Small {
  std::shared_ptr<Transition> network;
  std::shared_ptr<Memory> memory;

  explicit Small(const std::string& state, TransitionOptions options = {}) {
    at::manual_seed(2);
    options.dim = 32, options.depth = 2, options.heads = 2;
    network = std::make_shared<Transition>(options, kLatent, ActionSpace{3, 0, {}, {}, {}});
    Awaken(*network, 0.2);
    memory = MakeMemory(state, network->Geometry());
    memory->AdoptEmbedding(network->Embedding());
    Awaken(*memory, 0.2);
  }
};

Clip Walk(int64_t frames, Rng& rng) {
  const at::Tensor x = NormalTensor({2, frames, 3, 4, 4}, rng), action = (UniformTensor({2, frames, 1}, rng) * 3).floor();
  return {x, {action, {}, UniformTensor({2, frames, 3}, rng) * 4, {}}};
}

// Losses and squared gradient norms of the code before objectives had an interface.
TEST(DiffusionForcing, LossesAreThoseOfBefore) {
  struct Case {
    std::string objective, state, layout;
    int64_t windows;
    double loss, gradient;
  };
  for (const Case& c : std::vector<Case>{
           {"diffusion_forcing", "window(3)", "frame_causal", 1, 3.66191554, 20.5901219},
           {"diffusion_forcing", "window(3)", "axial", 1, 3.39702463, 20.2081702},
           {"diffusion_forcing(prefix=0.8, history_noise=0.2)", "window(2) + framepack(groups=\"2x1x2\", tail=true)", "frame_causal", 1,
            3.93819714, 23.4540414},
           {"diffusion_forcing", "window(2) + ssm(heads=2, dim=8, state=4, every=1)", "frame_causal", 3, 3.61869693, 24.8202567},
           {"diffusion_forcing", "moba(k=2, anchor=true)", "frame_causal", 1, 3.61804581, 20.5682911}}) {
    const Small small(c.state, {.layout = c.layout});
    Rng rng(8);
    const Clip clip = Walk(12, rng);
    const at::Tensor loss = Objectives().Make(c.objective, kFlow)->Loss(*small.network, *small.memory, clip, c.windows, rng);
    loss.backward();
    double gradient = 0;
    for (const torch::nn::Module* module :
         {static_cast<torch::nn::Module*>(small.network.get()), static_cast<torch::nn::Module*>(small.memory.get())})
      for (const at::Tensor& p : module->parameters())
        if (p.grad().defined()) gradient += p.grad().square().sum().item<double>();
    EXPECT_NEAR(loss.item<double>() / c.loss, 1, 1e-6) << c.state << c.layout;
    EXPECT_NEAR(gradient / c.gradient, 1, 1e-4) << c.state << c.layout;
  }
}

TEST(DiffusionForcing, FusedWeightsByHand) {
  const at::Tensor weights = FusedSnrWeights(at::tensor({10.0F, 1.0F, 0.1F}).view({1, 3}));
  const std::vector<double> golden{.454545, .828767, .823121};
  for (int64_t i = 0; i < 3; ++i) EXPECT_NEAR(weights[0][i].item<double>(), golden[static_cast<size_t>(i)], 5e-6);
  // Through the objective: with one frame in the loss and a path that answers v the loss is scaled by that frame's weight.
  const Small small("window(3)");
  Rng a(8), b(8);
  const Clip clip = Walk(4, a);
  Walk(4, b);
  const auto path = NoisePaths().Make("v_cosine");
  DiffusionForcing plain({.context_share = 1}, path), fused({.context_share = 1, .weight = "fused_snr"}, path);
  Rng levels(8);
  Walk(4, levels);
  const at::Tensor level = plain.SampleLevels(2, 4, levels).level,
                   snr = (at::cos(level * M_PI / 2) / at::sin(level * M_PI / 2).clamp_min(1e-4)).square();
  const at::Tensor w = FusedSnrWeights(snr).select(1, 3);
  const double before = plain.Loss(*small.network, *small.memory, clip, a).item<double>();
  const double after = fused.Loss(*small.network, *small.memory, clip, b).item<double>();
  EXPECT_GT(after / before, w.min().item<double>() - 1e-3);
  EXPECT_LT(after / before, w.max().item<double>() + 1e-3);
}

TEST(Objectives, SpecsAreTheirOwn) {
  for (const auto& entry : Objectives().Entries()) {
    const std::string spec = Objectives().Make(entry.facts.name, kFlow)->Spec();
    EXPECT_EQ(Objectives().Make(spec, kFlow)->Spec(), spec);
    EXPECT_TRUE(spec.starts_with(entry.facts.name + "("));
  }
  EXPECT_NE(ErrorOf([] { Objectives().Make("teacher_forcing(prefix=1)", kFlow); }).find("aug"), std::string::npos);
}

// Every state in one forward of twins against T passes of one noisy frame each beside its clean past.
class Twins : public testing::TestWithParam<std::string> {};

TEST_P(Twins, EqualSeparatePasses) {
  const at::NoGradGuard guard;
  const Small small(GetParam());
  small.network->eval();
  small.memory->eval();
  Rng rng(8);
  const int64_t T = 7;
  const Clip clip = Walk(T, rng);
  const at::Tensor noise = NormalTensor(clip.latent.sizes(), rng), level = UniformTensor({2, T}, rng) * 0.8 + 0.1;
  const at::Tensor x = kFlow->Mix(clip.latent, noise, PerFrame(level)), none = at::zeros({2, T});
  const at::Tensor all = AskTwins(*small.network, *small.memory, *kFlow, {clip}, {clip.latent, none, x, level, clip.condition, 1}).out;
  for (int64_t t = 0; t < T; ++t) {
    const auto head = [&](const at::Tensor& v) { return v.defined() ? v.narrow(1, 0, t + 1) : v; };
    const auto with_last = [&](const at::Tensor& past, const at::Tensor& now) {
      return at::cat({past.narrow(1, 0, t), now.narrow(1, t, 1)}, 1);
    };
    const Clip part{head(clip.latent), {head(clip.condition.action), {}, head(clip.condition.pose), {}}};
    at::Tensor target = at::zeros({2, t + 1}, at::kBool);
    target.select(1, t).fill_(true);
    const at::Tensor one = AskClip(*small.network, *small.memory, *kFlow, {part},
                                   {with_last(clip.latent, x), with_last(none, level), {}, part.condition, part.latent, target, {}})
                               .out.select(1, t);
    EXPECT_LT(((all.select(1, t) - one).abs().max() / one.abs().max()).item<double>(), 1e-5) << "frame " << t;
  }
}

INSTANTIATE_TEST_SUITE_P(All, Twins, testing::ValuesIn(AllSmallSpecs()), [](const auto& info) { return TestName(info.param); });

TEST(TeacherForcing, TheCleanHalfDoesNotSeeTheNoisyOne) {
  const at::NoGradGuard guard;
  const Small small("window(2) + ssm(heads=2, dim=8, state=4, every=1)");
  Rng rng(8);
  const Clip clip = Walk(6, rng);
  const auto halves = [&](const at::Tensor& noisy) {
    const auto reader = small.memory->OpenClip({2, 6, clip.latent, {}, {}, {}});
    return small.network->Forward(at::cat({clip.latent, noisy}, 1), at::full({2, 12}, 0.3), {}, *reader, nullptr,
                                  {.kind = ClipMask::Kind::kTeacherForced});
  };
  const at::Tensor a = halves(NormalTensor(clip.latent.sizes(), rng)), b = halves(at::zeros_like(clip.latent));
  EXPECT_TRUE(at::equal(a.narrow(1, 0, 6), b.narrow(1, 0, 6)));
  EXPECT_FALSE(at::equal(a.narrow(1, 6, 6), b.narrow(1, 6, 6)));
}

TEST(TeacherForcing, TheLossIsTheMeanOfSeparatePasses) {
  const Small small("window(3)");
  Rng rng(8), again(8);
  const Clip clip = Walk(5, rng);
  Walk(5, again);
  TeacherForcing objective({.action_drop = 0}, kFlow);
  const double loss = objective.Loss(*small.network, *small.memory, clip, rng).item<double>();
  const TwinDraws draws = DrawTwins(clip, *kFlow, 1, 0, again);
  const at::Tensor x = kFlow->Mix(clip.latent, draws.noise, PerFrame(draws.level));
  double sum = 0;
  for (int64_t t = 0; t < 5; ++t) {
    at::Tensor shown = clip.latent.clone(), level = at::zeros({2, 5}), target = at::zeros({2, 5}, at::kBool);
    shown.select(1, t).copy_(x.select(1, t));
    level.select(1, t).copy_(draws.level.select(1, t));
    const Answer answer =
        AskClip(*small.network, *small.memory, *kFlow, {clip}, {shown, level, {}, clip.condition, clip.latent, target, {}});
    sum += FrameError(answer.out, draws.noise - clip.latent).select(1, t).mean().item<double>();
  }
  EXPECT_NEAR(loss / (sum / 5), 1, 1e-5);
}

// Windows of a clip go on from the state that the clean half left.
TEST(TeacherForcing, StateGoesOverFromTheCleanHalf) {
  const at::NoGradGuard guard;
  const Small small("ssm(heads=2, dim=8, state=4, every=1)");
  Rng rng(8);
  const Clip clip = Walk(6, rng);
  const at::Tensor none = at::zeros({2, 3}), level = at::full({2, 3}, 0.5);
  const auto part = [&](const at::Tensor& t, int64_t first) { return t.narrow(1, first, 3); };
  Parts state = small.memory->Reset(2, at::kCPU, at::kFloat, 0), twins = state;
  const Clip head{part(clip.latent, 0), {part(clip.condition.action, 0), {}, {}, {}}};
  AskClip(*small.network, *small.memory, *kFlow, {head, 0, nullptr, &state}, {head.latent, none, {}, head.condition, head.latent, {}, {}});
  AskTwins(*small.network, *small.memory, *kFlow, {head, 0, nullptr, &twins},
           {head.latent, none, head.latent * 2, level, head.condition, 1});
  for (const Part& p : state.All()) EXPECT_TRUE(at::allclose(p.tensor, twins.Get(p.name), 1e-5, 1e-6)) << p.name;
}

TEST(FullSequence, SeesTheFutureAtOneLevelAndRefusesStatesThatAreReadFrameByFrame) {
  const Small small("window(3)");
  FullSequence objective({.image = 0}, kFlow);
  objective.Begin(*small.network, *small.memory, nullptr);
  EXPECT_FALSE(objective.Trained().causal);
  at::Tensor x = at::randn({1, 6, 3, 4, 4}).requires_grad_();
  const auto reader = small.memory->OpenClip({1, 6, x.detach(), {}, {}, {}});
  const at::Tensor out = small.network->Forward(x, at::full({1, 6}, 0.5), {}, *reader, nullptr, {.kind = ClipMask::Kind::kFull});
  out.select(1, 0).sum().backward();
  EXPECT_GT(x.grad().select(1, 5).abs().max().item<double>(), 0);
  const Small ssm("ssm(heads=2, dim=8, state=4, every=1)");
  EXPECT_NE(ErrorOf([&] { objective.Begin(*ssm.network, *ssm.memory, nullptr); }).find("both ways"), std::string::npos);
}

TEST(Resampling, WithoutDegradationItIsTeacherForcingToTheBit) {
  for (const std::string& state : {std::string("window(3)"), SmallSpec("retrieval.pose"), std::string("window(2) + " + SmallSpec("ttt"))}) {
    const Small small(state);
    Rng a(8), b(8), unused(1);
    const Clip clip = Walk(5, a);
    Walk(5, b);
    Resampling none({.shift = 0, .warmup = 0}, kFlow);
    TeacherForcing plain({}, kFlow);
    EXPECT_EQ(none.Loss(*small.network, *small.memory, clip, a).item<double>(),
              plain.Loss(*small.network, *small.memory, clip, b).item<double>());
    const at::Tensor kept =
        none.Degrade(*small.network, *small.memory, {clip}, clip.condition, at::zeros({2}), at::randn(clip.latent.sizes()));
    EXPECT_TRUE(at::equal(kept, clip.latent));
    Rng c(8);
    Walk(5, c);
    Resampling some({.shift = 0.6, .warmup = 0}, kFlow);
    EXPECT_NE(some.Loss(*small.network, *small.memory, clip, c).item<double>(),
              none.Loss(*small.network, *small.memory, clip, b).item<double>());
  }
}

// Each degraded frame is made after degraded ones: a change of the first reaches the last.
TEST(Resampling, DegradationIsAutoregressive) {
  const Small small("dense()");
  Rng rng(8);
  const Clip clip = Walk(5, rng);
  Clip other = clip;
  other.latent = clip.latent.clone();
  other.latent.select(1, 0).add_(1);
  const Resampling objective({}, kFlow);
  const at::Tensor sigma = at::full({2}, 0.4), noise = NormalTensor(clip.latent.sizes(), rng);
  const at::Tensor a = objective.Degrade(*small.network, *small.memory, {clip}, clip.condition, sigma, noise);
  const at::Tensor b = objective.Degrade(*small.network, *small.memory, {other}, clip.condition, sigma, noise);
  EXPECT_GT((a - b).select(1, 4).abs().max().item<double>(), 1e-4);
  EXPECT_FALSE(a.requires_grad());
}

TEST(Resampling, WarmupCountsTrainingStepsOnly) {
  const Small small("window(3)");
  Resampling objective({.warmup = 2}, kFlow);
  Rng rng(8);
  const Clip clip = Walk(5, rng);
  const auto degraded = [&] {
    LossTerms terms;
    objective.Loss(*small.network, *small.memory, clip, rng, &terms);
    return terms.at("degraded").item<double>();
  };
  objective.eval();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(degraded(), 0);
  objective.train();
  EXPECT_EQ(degraded(), 0);
  EXPECT_EQ(degraded(), 0);
  EXPECT_GT(degraded(), 0);
}

TEST(Shortcut, TheStepIsSilentUntilItIsLearned) {
  const at::NoGradGuard guard;
  const Small plain("window(3)");
  const Small stepped("window(3)", {.step = true});
  for (const auto& item : plain.network->named_parameters()) stepped.network->named_parameters()[item.key()].copy_(item.value());
  for (const char* name : {"step_out.weight", "step_out.bias"}) stepped.network->named_parameters()[name].zero_();
  Rng rng(8);
  const Clip clip = Walk(4, rng);
  const at::Tensor level = at::full({2, 4}, 0.5);
  const auto out = [&](const Small& s, const at::Tensor& step) {
    FrameCondition c = clip.condition;
    c.step = step;
    return s.network->Forward(clip.latent, level, c, *s.memory->OpenClip({2, 4, clip.latent, {}, {}, {}}));
  };
  const at::Tensor quarter = at::full({2, 4}, 0.25);
  EXPECT_TRUE(at::equal(out(plain, {}), out(stepped, quarter)));
  stepped.network->named_parameters()["step_out.weight"].normal_(0, 0.2);
  EXPECT_FALSE(at::equal(out(plain, {}), out(stepped, quarter)));
  EXPECT_TRUE(at::equal(out(stepped, {}), out(stepped, at::zeros({2, 4})))) << "0 is no step";
}

TEST(Shortcut, RefusesAGridThatIsNoPowerOfTwo) {
  EXPECT_NE(ErrorOf([] { Shortcut({.grid = 6}, kFlow); }).find("power of two"), std::string::npos);
  const Capabilities able = Shortcut({.grid = 4}, kFlow).Trained();
  EXPECT_TRUE(able.few_step && able.step_size);
  EXPECT_EQ(able.levels.size(), 4u);
  EXPECT_EQ(able.levels[0], 1);
}

// Every objective on every state: a finite loss whose gradient reaches the network and what the memory learns, or one clear line.
class ObjectiveOnState : public testing::TestWithParam<std::tuple<std::string, std::string>> {};

TEST_P(ObjectiveOnState, TrainsOrSaysWhyNot) {
  const auto& [name, state] = GetParam();
  const std::shared_ptr<Objective> objective = Objectives().Make(name, kFlow);
  TransitionOptions options;
  objective->Require(options);
  const Small small(state, options), taught("window(3)", options);
  const bool causal = name != "self_forcing";
  const Teacher teacher{
      taught.network, taught.memory, causal ? "teacher_forcing" : "full_sequence", {.clean_label = true, .causal = causal}};
  std::string refused = ErrorOf([&] { objective->Begin(*small.network, *small.memory, nullptr); });
  if (refused.find("--teacher") != std::string::npos) refused = ErrorOf([&] { objective->Begin(*small.network, *small.memory, &teacher); });
  if (refused != "no error") {
    EXPECT_NE(refused.find("is read frame by frame"), std::string::npos) << refused;
    EXPECT_NE(small.memory->Declared().family, "baseline");
    return;
  }
  Rng rng(8);
  const Clip clip = Walk(7, rng);
  const at::Tensor loss = objective->Loss(*small.network, *small.memory, clip, rng);
  EXPECT_TRUE(std::isfinite(loss.item<double>()));
  loss.backward();
  for (const auto& item : small.network->named_parameters())
    EXPECT_TRUE(item.value().grad().defined() || item.key() == "action_null") << item.key();  // distillation hides no action
  EXPECT_TRUE(std::isfinite(small.network->named_parameters()["patch.weight"].grad().sum().item<double>()));
}

std::vector<std::string> Names() { return Objectives().Names(); }

INSTANTIATE_TEST_SUITE_P(All, ObjectiveOnState, testing::Combine(testing::ValuesIn(Names()), testing::ValuesIn(AllSmallSpecs())),
                         [](const auto& info) { return TestName(std::get<0>(info.param) + "_" + std::get<1>(info.param)); });

}  // namespace
}  // namespace orrery
