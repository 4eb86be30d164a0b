// The sequential rollout as one plain loop over the noise path's steps, a frame at a time: what the executor is compared with. And an
// executor with a state of its own, for tests that ask for frames one after another.
#pragma once
#include <ATen/ATen.h>

#include "core/tensor_rng.h"
#include "dynamics/rollouts/executor.h"
#include "state/session_reader.h"

namespace orrery {

constexpr Capabilities kAbleAll{.accepts_mixed_levels = true, .clean_label = true};

class PlainRollout {
 public:
  PlainRollout(std::shared_ptr<Transition> network, std::shared_ptr<const Memory> memory, std::shared_ptr<const NoisePath> path,
               const RolloutOptions& options)
      : network_(std::move(network)), memory_(std::move(memory)), path_(std::move(path)), options_(options) {}

  // Frame `frame` from `noise`, and its commit.
  at::Tensor Next(Parts& state, int64_t frame, const StepCondition& given, const at::Tensor& noise) const {
    const at::NoGradGuard guard;
    const ReadPlan plan = memory_->BeginFrame(state, {frame, given.action, given.pose});
    std::optional<SessionReader> reader(std::in_place, *memory_, state, plan);
    const FrameCondition condition = JoinConditions({given});
    const std::vector<double> schedule = path_->Schedule(options_.steps);
    const int64_t B = noise.size(0);
    const auto level = [&](double u) { return at::full({B, 1, 1, 1}, u, noise.options()); };
    at::Tensor x = path_->Mix(at::zeros_like(noise), noise, level(schedule[0]));
    for (int64_t i = 0; i < options_.steps; ++i) {
      const at::Tensor from = level(schedule[i]), to = level(schedule[i + 1]);
      const at::Tensor input = path_->Input(x, from).unsqueeze(1), label = from.view({B, 1});
      at::Tensor out = network_->Forward(input, label, condition, *reader).squeeze(1);
      if (options_.guidance != 1) {
        const at::Tensor without = network_->Forward(input, label, {}, *reader).squeeze(1);
        out = without + options_.guidance * (out - without);
      }
      x = path_->Step(x, out, from, to);
    }
    const at::Tensor context = level(options_.context_level);
    CleanFrame clean{plan.query, x, {}};
    network_->Forward(path_->Input(x, context).unsqueeze(1), context.view({-1, 1}), condition, *reader, &clean.layers);
    reader.reset();
    memory_->Commit(state, plan, clean);
    return x;
  }

 private:
  std::shared_ptr<Transition> network_;
  std::shared_ptr<const Memory> memory_;
  std::shared_ptr<const NoisePath> path_;
  RolloutOptions options_;
};

inline StepCondition ActionOf(double a, int64_t batch = 1) { return {at::full({batch, 1}, a), {}, {}}; }

// One session without a model around it. Noise of frame starts comes from one generator, in order.
class Rolling {
 public:
  Rolling(std::shared_ptr<Transition> network, std::shared_ptr<const Memory> memory, std::shared_ptr<const NoisePath> path,
          const RolloutOptions& options, const Capabilities& able = kAbleAll, uint64_t seed = 9)
      : executor(network, memory, path, options, able), state(memory->Reset(1, at::kCPU, at::kFloat, 0)), rng_(seed) {}

  void Context(int64_t frames, uint64_t seed = 4) {
    Rng rng(seed);
    for (int64_t t = 0; t < frames; ++t) executor.Force(state, flight, ActionOf(1), NormalTensor({1, 3, 4, 4}, rng), Source());
  }
  // The next frame under an action that is held.
  at::Tensor Next(const StepCondition& condition) {
    return executor
        .Next(
            state, flight, [&](int64_t) { return condition; }, Source())
        .latent;
  }
  NoiseSource Source() {
    return {[this] {
              return NormalTensor({1, 3, 4, 4}, rng_);
            },
            [](int64_t frame, int64_t step) {
              Rng once(DeriveSeed(static_cast<uint64_t>(frame), static_cast<uint64_t>(step)));
              return NormalTensor({1, 3, 4, 4}, once);
            }};
  }

  Executor executor;
  Parts state;
  Flight flight;

 private:
  Rng rng_;
};

}  // namespace orrery
