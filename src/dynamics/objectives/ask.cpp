#include "dynamics/objectives/ask.h"

#include <ATen/ATen.h>

#include "core/tensor_rng.h"

namespace orrery {

namespace {

Answer Answered(at::Tensor out, const Memory& memory, MemoryReader& reader, const ClipWindow& window) {
  if (window.after && !reader.Finish(*window.after))
    Fail("training: the state {} carries nothing from window to window; train it on one window a clip", memory.Spec());
  return {std::move(out), reader.Loss()};
}

at::Tensor Twice(const at::Tensor& t) { return t.defined() ? at::cat({t, t}, 1) : t; }

}  // namespace

void CheckShare(std::string_view objective, double value, const char* name) {
  if (!(value >= 0 && value <= 1)) Fail("{}: {} must lie in [0, 1], got {}", objective, name, value);
}

FrameCondition HideActions(const Clip& clip, double drop, Rng& rng) {
  FrameCondition condition = clip.condition;
  const at::Tensor shown = UniformTensor({clip.latent.size(0), clip.latent.size(1)}, rng) >= drop;
  condition.known = condition.known.defined() ? condition.known & shown.to(condition.known.device()) : shown.to(clip.latent.device());
  return condition;
}

Answer AskClip(Transition& network, const Memory& memory, const NoisePath& path, const ClipWindow& window, const ShownClip& shown) {
  const Clip& clip = window.clip;
  const ClipQuery query{shown.x.size(0),     shown.x.size(1), shown.history, clip.condition.action,
                        clip.condition.pose, shown.target,    window.first,  window.before};
  const std::unique_ptr<MemoryReader> reader = memory.OpenClip(query);
  const at::Tensor x = path.Input(shown.x, PerFrame(shown.level));
  const at::Tensor& label = shown.label.defined() ? shown.label : shown.level;
  return Answered(network.Forward(x, label, shown.condition, *reader, nullptr, shown.mask), memory, *reader, window);
}

Answer AskTwins(Transition& network, const Memory& memory, const NoisePath& path, const ClipWindow& window, const ShownTwins& shown) {
  const int64_t T = shown.x.size(1);
  const Clip& clip = window.clip;
  const std::unique_ptr<MemoryReader> reader =
      memory.OpenClip({shown.x.size(0), T, shown.past, clip.condition.action, clip.condition.pose, {}, window.first, window.before});
  const at::Tensor level = at::cat({shown.past_level, shown.level}, 1);
  const at::Tensor x = path.Input(at::cat({shown.past, shown.x}, 1), PerFrame(level));
  const FrameCondition& c = shown.condition;
  const FrameCondition both{Twice(c.action), Twice(c.known), Twice(c.pose), Twice(c.step)};
  const ClipMask mask{.kind = ClipMask::Kind::kTeacherForced, .block = shown.block};
  return Answered(network.Forward(x, level, both, *reader, nullptr, mask).narrow(1, T, T), memory, *reader, window);
}

TwinDraws DrawTwins(const Clip& clip, const NoisePath& path, int64_t block, double action_drop, Rng& rng) {
  const int64_t B = clip.latent.size(0), T = clip.latent.size(1);
  const at::Tensor level = path.TrainingLevels(UniformTensor({B, T / block}, rng)).repeat_interleave(block, 1);
  FrameCondition condition = HideActions(clip, action_drop, rng);
  return {level.to(clip.latent.device()), std::move(condition), NormalTensor(clip.latent.sizes(), rng).to(clip.latent.device())};
}

at::Tensor PerFrame(const at::Tensor& level) { return level.view({level.size(0), level.size(1), 1, 1, 1}); }

at::Tensor FrameError(const at::Tensor& a, const at::Tensor& b) { return (a - b).square().mean({2, 3, 4}); }

at::Tensor CleanErrorScale(const NoisePath& path, const at::Tensor& level) {
  return path.ToClean(at::zeros_like(level), at::ones_like(level), level).square();
}

at::Tensor AddOwn(const at::Tensor& loss, const Answer& answer) { return answer.own.defined() ? loss + answer.own : loss; }

}  // namespace orrery
