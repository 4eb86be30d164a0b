#include "dynamics/objectives/stream.h"

#include <ATen/ATen.h>

namespace orrery {

ClipStream::ClipStream(Transition& network, const Memory& memory, const NoisePath& path, const ClipWindow& window,
                       const FrameCondition& condition)
    : network_(network), memory_(memory), path_(path), condition_(condition), first_(window.first) {
  const at::Tensor& latent = window.clip.latent;
  state_ = window.before ? window.before->Fork() : memory.Reset(latent.size(0), latent.device(), at::kFloat, 0);
}

FrameCondition ClipStream::ConditionNow() const {
  const auto now = [&](const at::Tensor& t) { return t.defined() ? t.narrow(1, frame_, 1) : t; };
  return {now(condition_.action), now(condition_.known), now(condition_.pose), {}};
}

void ClipStream::Open() {
  const at::NoGradGuard guard;
  const auto now = [&](const at::Tensor& t) { return t.defined() ? t.select(1, frame_) : t; };
  reader_.reset();
  plan_ = std::make_unique<ReadPlan>(memory_.BeginFrame(state_, {first_ + frame_, now(condition_.action), now(condition_.pose)}));
  reader_ = std::make_unique<SessionReader>(memory_, state_, *plan_);
}

at::Tensor ClipStream::Answer(const at::Tensor& x, const at::Tensor& level, bool hidden, const at::Tensor& step) {
  FrameCondition condition = ConditionNow();
  if (hidden) condition = {{}, {}, condition.pose, {}};
  if (step.defined()) condition.step = step.unsqueeze(1);
  const at::Tensor input = path_.Input(x, level.view({-1, 1, 1, 1})).unsqueeze(1);
  return network_.Forward(input, level.unsqueeze(1), condition, *reader_).squeeze(1);
}

void ClipStream::Commit(const at::Tensor& latent, double level) {
  const at::NoGradGuard guard;
  const at::Tensor frame = latent.detach().contiguous(), label = at::full({frame.size(0), 1}, level, frame.options());
  CleanFrame clean{plan_->query, frame, {}};
  network_.Forward(path_.Input(frame, label.view({-1, 1, 1, 1})).unsqueeze(1), label, ConditionNow(), *reader_, &clean.layers);
  reader_.reset();
  memory_.Commit(state_, *plan_, clean);
  ++frame_;
}

}  // namespace orrery
