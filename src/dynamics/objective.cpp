#include "dynamics/objective.h"

#include <ATen/ATen.h>

namespace orrery {

void Objective::Begin(const Transition&, const Memory&, const Teacher* teacher) {
  if (teacher) Fail("objective {}: it learns from no teacher; leave --teacher out", Spec());
}

at::Tensor Objective::Loss(Transition& network, const Memory& memory, const Clip& clip, Rng& rng, LossTerms* terms) {
  return WindowLoss(network, memory, {clip}, rng, terms);
}

at::Tensor Objective::Loss(Transition& network, const Memory& memory, const Clip& clip, int64_t windows, Rng& rng, LossTerms* terms) {
  if (windows == 1) return Loss(network, memory, clip, rng, terms);
  const int64_t B = clip.latent.size(0), T = clip.latent.size(1) / windows;
  ORRERY_CHECK(T * windows == clip.latent.size(1));
  const auto part = [&](const at::Tensor& t, int64_t w) { return t.defined() ? t.narrow(1, w * T, T) : t; };
  Parts state = memory.Reset(B, clip.latent.device(), at::kFloat, 0);
  at::Tensor sum;
  for (int64_t w = 0; w < windows; ++w) {
    const FrameCondition& c = clip.condition;
    const Clip window{part(clip.latent, w), {part(c.action, w), part(c.known, w), part(c.pose, w), {}}};
    Parts after = state;
    const at::Tensor loss = WindowLoss(network, memory, {window, w * T, w > 0 ? &state : nullptr, &after}, rng, terms);
    sum = sum.defined() ? sum + loss : loss;
    state = std::move(after);
  }
  return sum / static_cast<double>(windows);
}

void Objective::NeedWholeFrames(const Memory& memory, std::string_view name, std::string_view why) {
  if (memory.Declared().family != "baseline")
    Fail("{}: {}, and the state {} is read frame by frame; take window or dense", name, why, memory.Spec());
}

int64_t StepCount::Next() {
  const int64_t before = Value();
  if (owner_.is_training()) steps_.add_(1);
  return before;
}

}  // namespace orrery
