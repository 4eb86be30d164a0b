#include "dynamics/objectives/causal_ode.h"

#include <ATen/ATen.h>

#include "core/tensor_rng.h"
#include "dynamics/objectives/ask.h"

namespace orrery {

namespace {

at::Tensor LevelAt(const std::vector<double>& levels, const at::Tensor& index, at::Device device) {
  return at::tensor(levels, at::kFloat).index_select(0, index.flatten()).view(index.sizes()).to(device);
}

// The answer about noisy frames beside the true past; `hidden`: without the actions of any frame.
Answer AskBeside(Transition& network, const Memory& memory, const NoisePath& path, const ClipWindow& window, const at::Tensor& x,
                 const at::Tensor& level, bool hidden) {
  const at::Tensor& clean = window.clip.latent;
  FrameCondition condition = window.clip.condition;
  if (hidden) condition = {{}, {}, condition.pose, {}};
  return AskTwins(network, memory, path, window, {clean, at::zeros({x.size(0), x.size(1)}, clean.options()), x, level, condition, 1});
}

ClipWindow Alone(const ClipWindow& window) { return {window.clip, window.first, nullptr, nullptr}; }

}  // namespace

void NeedTeacher(const Teacher* teacher, std::string_view objective, bool causal, std::string_view why) {
  if (!teacher) Fail("{}: it learns from a trained model; give one with --teacher RUN ({})", objective, why);
  if (teacher->able.causal != causal)
    Fail("{}: its teacher must be {}, and this one was trained with {} ({})", objective, causal ? "causal" : "trained with full_sequence",
         teacher->objective, why);
}

CausalOde::CausalOde(const CausalOdeOptions& options, std::shared_ptr<const NoisePath> path)
    : Objective(path), options_(options), levels_(path->Schedule(options.grid)) {
  const std::vector<std::string> modes{"consistency", "pairs"};
  if (options.mode != modes[0] && options.mode != modes[1]) FailUnknown("mode of causal_ode", options.mode, modes);
  if (options.steps < 1 || options.grid < options.steps || options.grid % options.steps != 0)
    Fail("causal_ode: steps >= 1 and a grid that is a multiple of them expected, got {} and {}", options.steps, options.grid);
  if (options.guidance < 0) Fail("causal_ode: guidance must be >= 0, got {}", options.guidance);
  CheckShare("causal_ode", options.ema, "ema");
}

Facts CausalOde::Describe() {
  const CausalOdeOptions o;
  return {"causal_ode",
          "a few-step student of a causal teacher, beside the true past",
          "arXiv 2602.02214, 2605.15141",
          {{"mode", o.mode, "consistency, or pairs: whole ways of the teacher"},
           {"steps", o.steps, "denoising steps of the student"},
           {"grid", o.grid, "steps of the teacher's way, a multiple of them"},
           {"guidance", o.guidance, "of the teacher on actions"},
           {"ema", o.ema, "decay of the running mean that consistency is held to"}}};
}

Capabilities CausalOde::Trained() const {
  const std::vector<double> own = path_->Schedule(options_.steps);
  return {.clean_label = true, .few_step = true, .levels = {own.begin(), own.end() - 1}};
}

void CausalOde::Begin(const Transition& network, const Memory&, const Teacher* teacher) {
  NeedTeacher(teacher, "causal_ode", true, "a way of a model that sees the future is no function of the past");
  teacher_ = *teacher;
  if (options_.mode != "consistency") return;
  mean_ = register_module("mean", network.Copy());
  for (at::Tensor& p : mean_->parameters()) p.set_requires_grad(false);
}

at::Tensor CausalOde::TeacherStep(const ClipWindow& window, const at::Tensor& x, const at::Tensor& from, const at::Tensor& to) const {
  const ClipWindow alone = Alone(window);
  at::Tensor out = AskBeside(*teacher_.network, *teacher_.memory, *path_, alone, x, from, false).out;
  if (options_.guidance != 1) {
    const at::Tensor without = AskBeside(*teacher_.network, *teacher_.memory, *path_, alone, x, from, true).out;
    out = without + options_.guidance * (out - without);
  }
  return path_->Step(x, out, PerFrame(from), PerFrame(to));
}

CausalOde::Lesson CausalOde::Consistency(const Memory& memory, const ClipWindow& window, Rng& rng) const {
  const at::Tensor& clean = window.clip.latent;
  const at::Device device = clean.device();
  const at::Tensor index = (UniformTensor({clean.size(0), clean.size(1)}, rng) * static_cast<double>(options_.grid)).floor().to(at::kLong);
  const at::Tensor from = LevelAt(levels_, index, device), to = LevelAt(levels_, index + 1, device);
  const at::Tensor x = path_->Mix(clean, NormalTensor(clean.sizes(), rng).to(device), PerFrame(from));
  const at::Tensor next = TeacherStep(window, x, from, to), w = PerFrame(to);
  const at::Tensor out = AskBeside(*mean_, memory, *path_, {window.clip, window.first, window.before, nullptr}, next, to, false).out;
  return {x, from, at::where(w > 0, path_->ToClean(next, out, w), next)};
}

CausalOde::Lesson CausalOde::Pair(const ClipWindow& window, Rng& rng) const {
  const at::Tensor& clean = window.clip.latent;
  const int64_t B = clean.size(0), T = clean.size(1), each = options_.grid / options_.steps;
  const at::Tensor place = (UniformTensor({B, T}, rng) * static_cast<double>(options_.steps)).floor().to(at::kLong) * each;
  at::Tensor x = NormalTensor(clean.sizes(), rng).to(clean.device()), shown;
  x = path_->Mix(at::zeros_like(x), x, at::ones({1, 1, 1, 1, 1}, x.options()) * levels_[0]);
  for (int64_t i = 0; i < options_.grid; ++i) {
    const at::Tensor here = PerFrame(place == i).to(x.device());
    shown = shown.defined() ? at::where(here, x, shown) : x;
    const auto all = [&](double level) { return at::full({B, T}, level, x.options()); };
    x = TeacherStep(window, x, all(levels_[static_cast<size_t>(i)]), all(levels_[static_cast<size_t>(i) + 1]));
  }
  return {shown, LevelAt(levels_, place, x.device()), x};
}

at::Tensor CausalOde::WindowLoss(Transition& network, const Memory& memory, const ClipWindow& window, Rng& rng, LossTerms*) {
  if (window.after) Fail("causal_ode: the teacher's past is the clip's own; leave --windows at 1");
  Lesson lesson;
  {
    const at::NoGradGuard guard;
    const bool first = steps_.Next() == 0;
    if (mean_ && is_training() && !first)
      for (const auto& item : mean_->named_parameters()) {
        at::Tensor mean = item.value();
        mean.lerp_(network.named_parameters()[item.key()], 1 - options_.ema);
      }
    lesson = options_.mode == "consistency" ? Consistency(memory, window, rng) : Pair(window, rng);
  }
  const Answer answer = AskBeside(network, memory, *path_, window, lesson.x, lesson.level, false);
  return AddOwn(FrameError(path_->ToClean(lesson.x, answer.out, PerFrame(lesson.level)), lesson.clean).mean(), answer);
}

}  // namespace orrery
