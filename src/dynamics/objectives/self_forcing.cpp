#include "dynamics/objectives/self_forcing.h"

#include <ATen/ATen.h>

#include "core/tensor_rng.h"
#include "dynamics/objectives/ask.h"
#include "dynamics/objectives/causal_ode.h"
#include "dynamics/objectives/stream.h"

namespace orrery {

namespace {

constexpr double kLowest = 0.02, kHighest = 0.98;  // levels at which clips are judged
constexpr double kSmallest = 1e-3;                 // of the normaliser: a student that equals its teacher is not moved

Clip FramesOf(const Clip& clip, int64_t first, int64_t count) {
  const auto part = [&](const at::Tensor& t) { return t.defined() ? t.narrow(1, first, count) : t; };
  const FrameCondition& c = clip.condition;
  return {part(clip.latent), {part(c.action), part(c.known), part(c.pose), {}}};
}

}  // namespace

at::Tensor MatchingDirection(const at::Tensor& sample, const at::Tensor& critic, const at::Tensor& teacher) {
  std::vector<int64_t> rest;
  for (int64_t d = 1; d < sample.dim(); ++d) rest.push_back(d);
  const at::Tensor size = (sample - teacher).to(at::kFloat).abs().mean(rest, /*keepdim=*/true).clamp_min(kSmallest);
  return ((critic - teacher) / size).nan_to_num(0, 0, 0);
}

SelfForcing::SelfForcing(const SelfForcingOptions& options, std::shared_ptr<const NoisePath> path)
    : Objective(path), options_(options), levels_(path->Schedule(options.steps)) {
  if (options.steps < 1 || options.window < 0 || options.ratio < 1)
    Fail("self_forcing: steps >= 1, window >= 0 and ratio >= 1 expected, got {}, {} and {}", options.steps, options.window, options.ratio);
  if (options.guidance < 0) Fail("self_forcing: guidance must be >= 0, got {}", options.guidance);
  CheckShare("self_forcing", options.context_noise, "context_noise");
}

Facts SelfForcing::Describe() {
  const SelfForcingOptions o;
  return {"self_forcing",
          "trained on its own rollouts, towards the distribution of a model that sees whole clips",
          "arXiv 2506.08009, 2510.02283, 2509.22622",
          {{"steps", o.steps, "denoising steps of the student"},
           {"window", o.window, "frames that are judged, somewhere in the rollout; 0: all"},
           {"ratio", o.ratio, "steps of the critic a step of the student"},
           {"guidance", o.guidance, "of the teacher on actions"},
           {"context_noise", o.context_noise, "level with which finished frames are committed"}}};
}

Capabilities SelfForcing::Trained() const {
  return {.clean_label = options_.context_noise == 0, .few_step = true, .levels = {levels_.begin(), levels_.end() - 1}};
}

void SelfForcing::Begin(const Transition&, const Memory&, const Teacher* teacher) {
  NeedTeacher(teacher, "self_forcing", false, "it judges whole clips");
  teacher_ = *teacher;
  critic_ = register_module("critic", teacher->network->Copy());
}

at::Tensor SelfForcing::Roll(Transition& network, const Memory& memory, const ClipWindow& window, const Rollout& how, Rng& rng) const {
  const at::Tensor& clean = window.clip.latent;
  const int64_t B = clean.size(0), T = clean.size(1);
  ClipStream stream(network, memory, *path_, window, window.clip.condition);
  const auto noise = [&] { return NormalTensor(clean.select(1, 0).sizes(), rng).to(clean.device()); };
  const auto all = [&](double level) { return at::full({B}, level, clean.options()); };
  const auto column = [](const at::Tensor& level) { return level.view({-1, 1, 1, 1}); };
  std::vector<at::Tensor> made;
  for (int64_t t = 0; t < T; ++t) {
    stream.Open();
    at::Tensor frame = clean.select(1, t);
    if (t > 0 || window.before) {
      at::Tensor x = path_->Mix(at::zeros_like(frame), noise(), column(all(levels_[0])));
      for (int64_t j = 0; j <= how.exit; ++j) {
        const at::Tensor level = all(levels_[static_cast<size_t>(j)]);
        const at::AutoGradMode graded(at::GradMode::is_enabled() && j == how.exit && t >= how.graded && t < how.graded + how.count);
        const at::Tensor out = stream.Answer(x, level);
        if (j < how.exit)
          x = path_->Step(x, out, column(level), column(all(levels_[static_cast<size_t>(j) + 1])));
        else
          frame = path_->ToClean(x, out, column(level));
      }
    }
    made.push_back(frame);
    const bool rough = options_.context_noise > 0;
    stream.Commit(rough ? path_->Mix(frame.detach(), noise(), column(all(options_.context_noise))) : frame, options_.context_noise);
  }
  if (window.after) *window.after = stream.State();
  return at::stack(made, 1);
}

// A clip at one level; frames that were not made stay as they are, labelled 0.
SelfForcing::Noised SelfForcing::Noise(const at::Tensor& made, const at::Tensor& generated, Rng& rng) const {
  const at::Tensor drawn = path_->TrainingLevels(UniformTensor({made.size(0), 1}, rng)).clamp(kLowest, kHighest).to(made.device());
  const at::Tensor noise = NormalTensor(made.sizes(), rng).to(made.device());
  const at::Tensor level = at::where(generated, drawn, at::zeros_like(drawn));
  return {at::where(PerFrame(generated), path_->Mix(made, noise, PerFrame(level)), made), level, noise};
}

at::Tensor SelfForcing::Score(Transition& network, const Clip& clip, const Noised& noised, bool hidden) const {
  FrameCondition condition = clip.condition;
  if (hidden) condition = {{}, {}, condition.pose, {}};
  return AskClip(network, *teacher_.memory, *path_, {clip},
                 {noised.x, noised.level, {}, condition, clip.latent, noised.level > 0, {.kind = ClipMask::Kind::kFull}})
      .out;
}

at::Tensor SelfForcing::WindowLoss(Transition& network, const Memory& memory, const ClipWindow& window, Rng& rng, LossTerms* terms) {
  const int64_t T = window.clip.latent.size(1), K = options_.window > 0 ? std::min(options_.window, T) : T;
  if (T < 2) Fail("self_forcing: clips of at least 2 frames expected, got {}", T);
  const int64_t before = window.first == 0 ? steps_.Next() : steps_.Value() - 1;
  const bool student = !is_training() || before % options_.ratio == 0;
  const Rollout how{rng.Below(options_.steps), rng.Below(T - K + 1), K};
  at::Tensor made;
  {
    const at::AutoGradMode graded(at::GradMode::is_enabled() && student);
    made = Roll(network, memory, window, how, rng).narrow(1, how.graded, K);
  }
  const Clip truth = FramesOf(window.clip, how.graded, K);
  const Clip shown{made.detach(), truth.condition};
  at::Tensor generated = at::ones({shown.latent.size(0), K}, shown.latent.options().dtype(at::kBool));
  if (how.graded == 0 && !window.before) generated.select(1, 0).fill_(false);
  const at::Tensor weight = generated.to(at::kFloat), count = weight.sum().clamp_min(1);

  const Noised own = Noise(shown.latent, generated, rng);
  const at::Tensor wanted = path_->Target(shown.latent, own.noise, PerFrame(own.level));
  const at::Tensor critic = (FrameError(Score(*critic_, shown, own, false), wanted) * weight).sum() / count;
  if (terms) (*terms)["critic"] = critic.detach();
  if (!student) return critic;

  at::Tensor moved;
  {
    const at::NoGradGuard guard;
    const Noised judged = Noise(shown.latent, generated, rng);
    const auto clean = [&](const at::Tensor& out) {
      return at::where(PerFrame(generated), path_->ToClean(judged.x, out, PerFrame(judged.level)), shown.latent);
    };
    at::Tensor real = clean(Score(*teacher_.network, shown, judged, false));
    if (options_.guidance != 1) {
      const at::Tensor without = clean(Score(*teacher_.network, shown, judged, true));
      real = without + options_.guidance * (real - without);
    }
    moved = shown.latent - MatchingDirection(shown.latent, clean(Score(*critic_, shown, judged, false)), real);
  }
  const at::Tensor matching = 0.5 * (FrameError(made, moved) * weight).sum() / count;
  if (terms) (*terms)["matching"] = matching.detach();
  return matching + critic;
}

}  // namespace orrery
