#include "dynamics/objectives/shortcut.h"

#include <ATen/ATen.h>

#include <bit>

#include "core/tensor_rng.h"
#include "dynamics/objectives/ask.h"

namespace orrery {

namespace {

DiffusionForcingOptions Forcing(const ShortcutOptions& o) {
  return {.context_share = o.context_share, .context_noise = o.context_noise, .action_drop = o.action_drop, .prefix = o.prefix};
}

at::Tensor Levels(const std::vector<double>& table, const at::Tensor& index) {
  return at::tensor(table, at::kFloat).index_select(0, index.flatten()).view(index.sizes());
}

ClipWindow FirstRows(const ClipWindow& window, int64_t rows) {
  const auto head = [&](const at::Tensor& t) { return t.defined() ? t.narrow(0, 0, rows) : t; };
  const FrameCondition& c = window.clip.condition;
  return {{head(window.clip.latent), {head(c.action), head(c.known), head(c.pose), {}}}, window.first, window.before, nullptr};
}

// The answer with which one step of the path goes from x to `end`.
at::Tensor AnswerOf(const NoisePath& path, const at::Tensor& x, const at::Tensor& end, const at::Tensor& from, const at::Tensor& to) {
  const at::Tensor unit = path.Step(at::zeros_like(from), at::ones_like(from), from, to);
  return (end - path.Step(x, at::zeros_like(x), from, to)) / unit;
}

}  // namespace

Shortcut::Shortcut(const ShortcutOptions& options, std::shared_ptr<const NoisePath> path)
    : Objective(path), options_(options), forcing_(Forcing(options), path), levels_(path->Schedule(options.grid)) {
  CheckShare("shortcut", options.self_share, "self_share");
  if (options.grid < 2 || !std::has_single_bit(static_cast<uint64_t>(options.grid)))
    Fail("shortcut: grid must be a power of two >= 2, got {}", options.grid);
  if (options.warmup < 0) Fail("shortcut: warmup must be >= 0 steps, got {}", options.warmup);
}

Facts Shortcut::Describe() {
  const ShortcutOptions o;
  return {"shortcut",
          "diffusion forcing that is told the size of its step and learns long steps from short ones: few steps, no teacher",
          "arXiv 2509.24527, 2410.12557",
          {{"grid", o.grid, "finest steps on the whole way, a power of two"},
           {"self_share", o.self_share, "share of clips that learn long steps"},
           {"warmup", o.warmup, "steps before they do"},
           {"context_share", o.context_share, "share of frames that play context: nearly clean, outside the loss"},
           {"context_noise", o.context_noise, "their highest noise level"},
           {"action_drop", o.action_drop, "share of hidden actions, for guidance"},
           {"prefix", o.prefix, "share of clips with a clean prefix of over half their frames"}}};
}

Capabilities Shortcut::Trained() const {
  return {.accepts_mixed_levels = true,
          .clean_label = true,
          .few_step = options_.self_share > 0,
          .step_size = true,
          .levels = {levels_.begin(), levels_.end() - 1}};
}

// Rows below `self_rows` get steps of 2, 4, .. grid finest ones, the others the finest.
Shortcut::Steps Shortcut::SampleSteps(const ForcingLevels& forcing, int64_t self_rows, Rng& rng) const {
  const int64_t B = forcing.level.size(0), T = forcing.level.size(1), K = options_.grid;
  const auto sizes = static_cast<double>(std::countr_zero(static_cast<uint64_t>(K)));  // 2, 4, .. K
  const at::Tensor power = (UniformTensor({B, T}, rng) * sizes).floor() + 1;
  const at::Tensor self = (at::arange(B, at::kLong) < self_rows).unsqueeze(1);
  const at::Tensor span = at::where(self, at::exp2(power), at::ones_like(power)).to(at::kLong);  // in finest steps
  const at::Tensor place = (UniformTensor({B, T}, rng) * K / span).floor().to(at::kLong) * span;
  const auto level = [&](const at::Tensor& index) { return at::where(forcing.target, Levels(levels_, index), forcing.level); };
  return {level(place), level(place + span.floor_divide(2)), level(place + span)};
}

// What one whole step shall answer, so that it goes where two half steps go: for all rows of x.
at::Tensor Shortcut::TwoHalves(Transition& network, const Memory& memory, const ClipWindow& window, FrameCondition condition,
                               const at::Tensor& x, const at::Tensor& target, const Steps& steps) const {
  const at::NoGradGuard guard;
  const auto rows = [&](const at::Tensor& t) { return t.narrow(0, 0, x.size(0)).to(x.device()); };
  const at::Tensor from = rows(steps.from), middle = rows(steps.middle), to = rows(steps.to);
  const at::Tensor u = PerFrame(from), v = PerFrame(middle), w = PerFrame(to);
  const auto ask = [&](const at::Tensor& input, const at::Tensor& level, const at::Tensor& size) {
    condition.step = size;
    return AskClip(network, memory, *path_, window, {input, level, {}, condition, window.clip.latent, target, {}}).out;
  };
  const at::Tensor once = at::where(PerFrame(rows(target)), path_->Step(x, ask(x, from, from - middle), u, v), x);
  return AnswerOf(*path_, x, path_->Step(once, ask(once, middle, middle - to), v, w), u, w);
}

at::Tensor Shortcut::WindowLoss(Transition& network, const Memory& memory, const ClipWindow& window, Rng& rng, LossTerms* terms) {
  const Clip& clip = window.clip;
  const int64_t B = clip.latent.size(0), T = clip.latent.size(1);
  if (T < 2) Fail("shortcut: clips of at least 2 frames expected, got {}", T);
  const at::Device device = clip.latent.device();
  const bool warm = (window.first == 0 ? steps_.Next() : steps_.Value() - 1) < options_.warmup;
  const int64_t self = warm ? 0 : static_cast<int64_t>(std::ceil(options_.self_share * static_cast<double>(B)));
  const ForcingLevels forcing = forcing_.SampleLevels(B, T, rng);
  const Steps steps = SampleSteps(forcing, self, rng);
  FrameCondition condition = HideActions(clip, options_.action_drop, rng);
  const at::Tensor noise = NormalTensor(clip.latent.sizes(), rng).to(device);
  const at::Tensor from = steps.from.to(device), u = PerFrame(from), target = forcing.target.to(device);
  const at::Tensor x = path_->Mix(clip.latent, noise, u);
  condition.step = from - steps.to.to(device);
  at::Tensor wanted = path_->Target(clip.latent, noise, u);
  if (self > 0) {
    const int64_t rows = window.before ? B : self;  // a state that goes on between windows is of all rows
    const ClipWindow part = FirstRows(window, rows);
    const FrameCondition& p = part.clip.condition;
    const at::Tensor longer = TwoHalves(network, memory, part, {p.action, condition.known.narrow(0, 0, rows), p.pose, {}},
                                        x.narrow(0, 0, rows), forcing.target.narrow(0, 0, rows), steps);
    wanted = at::cat({at::where(PerFrame(target.narrow(0, 0, self)), longer.narrow(0, 0, self), wanted.narrow(0, 0, self)),
                      wanted.narrow(0, self, B - self)});
  }
  const Answer answer = AskClip(network, memory, *path_, window, {x, from, {}, condition, clip.latent, forcing.target, {}});
  // The error of the clean latent, weighted 0.9 t + 0.1 with t = 1 - level.
  const at::Tensor weight = target.to(at::kFloat) * (1 - 0.9 * from) * CleanErrorScale(*path_, from);
  const at::Tensor error = FrameError(answer.out, wanted) * weight;
  const auto mean = [&](int64_t first, int64_t rows) {
    return error.narrow(0, first, rows).sum() / target.narrow(0, first, rows).sum().clamp_min(1);
  };
  if (terms && self > 0) (*terms)["self"] = mean(0, self).detach();
  return AddOwn(error.sum() / target.sum(), answer);
}

}  // namespace orrery
