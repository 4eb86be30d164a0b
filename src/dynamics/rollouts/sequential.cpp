#include "dynamics/rollouts/sequential.h"

#include "core/error.h"

namespace orrery {

namespace {

FrameCondition OneFrame(const StepCondition& c) {
  const auto frame = [](const at::Tensor& t) { return t.defined() ? t.unsqueeze(1) : t; };
  return {frame(c.action), frame(c.known), frame(c.pose)};
}

}  // namespace

SequentialRollout::SequentialRollout(std::shared_ptr<Transition> network, std::shared_ptr<const Memory> memory,
                                     std::shared_ptr<const NoisePath> path, const RolloutOptions& options)
    : network_(std::move(network)), memory_(std::move(memory)), path_(std::move(path)), options_(options) {
  if (options.steps < 1) Fail("rollout: steps must be >= 1, got {}", options.steps);
  if (options.guidance < 0) Fail("rollout: guidance must be >= 0, got {}", options.guidance);
  if (!(options.context_level >= 0 && options.context_level < 1))
    Fail("rollout: context_level must lie in [0, 1), got {}", options.context_level);
}

FrameRead SequentialRollout::Read(const Parts& state, int64_t frame, const StepCondition& given) const {
  const at::NoGradGuard guard;
  FrameRead read;
  read.plan = std::make_unique<ReadPlan>(memory_->BeginFrame(state, {frame, given.action, given.pose}));
  read.memory = std::make_unique<SessionReader>(*memory_, state, *read.plan);
  return read;
}

at::Tensor SequentialRollout::Sample(const FrameRead& read, const StepCondition& given, const at::Tensor& noise) const {
  const at::NoGradGuard guard;
  const FrameCondition condition = OneFrame(given);
  const FrameCondition hidden{{}, {}, condition.pose};

  const std::vector<double> schedule = path_->Schedule(options_.steps);
  const int64_t B = noise.size(0);
  const auto level = [&](double u) { return at::full({B, 1, 1, 1}, u, noise.options()); };
  at::Tensor x = path_->Mix(at::zeros_like(noise), noise, level(schedule[0]));
  for (int64_t i = 0; i < options_.steps; ++i) {
    const at::Tensor from = level(schedule[i]), to = level(schedule[i + 1]);
    const at::Tensor input = path_->Input(x, from).unsqueeze(1), label = from.view({B, 1});
    at::Tensor out = network_->Forward(input, label, condition, *read.memory).squeeze(1);
    if (options_.guidance != 1) {
      const at::Tensor without = network_->Forward(input, label, hidden, *read.memory).squeeze(1);
      out = without + options_.guidance * (out - without);
    }
    x = path_->Step(x, out, from, to);
  }
  return x;
}

void SequentialRollout::Commit(Parts& state, FrameRead read, const StepCondition& given, const at::Tensor& latent,
                               const at::Tensor& noise) const {
  const at::NoGradGuard guard;
  const at::Tensor level = at::full({latent.size(0), 1, 1, 1}, options_.context_level, latent.options());
  const at::Tensor shown = path_->Input(options_.context_noise ? path_->Mix(latent, noise, level) : latent, level);
  CleanFrame clean{read.plan->query, latent, {}};
  network_->Forward(shown.unsqueeze(1), level.view({-1, 1}), OneFrame(given), *read.memory, &clean.layers);
  read.memory.reset();  // views of the state would make its writer copy first
  memory_->Commit(state, *read.plan, clean);
}

}  // namespace orrery
