// Autoregressive rollout with a cache: denoise one frame against the state, commit it, go on.
// B batch, C x h x w latents.
#pragma once
#include "dynamics/noise_path.h"
#include "dynamics/transition.h"
#include "state/session_reader.h"

namespace orrery {

struct RolloutOptions {
  int64_t steps = 4;            // denoising passes a frame
  double guidance = 1;          // on actions: 1 none (one pass a step), w: null + w (given - null)
  double context_level = 0.05;  // level with which finished frames are labelled when committed
  bool context_noise = false;   // add the noise of that level too, instead of the label alone
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(RolloutOptions, steps, guidance, context_level, context_noise)

// Conditions of one frame: action [B, A], pose [B, 3], either may be undefined; known [B] bool, undefined: all known.
struct StepCondition {
  at::Tensor action, pose, known;
};

// What the state offers to one frame: chosen, read and rotated once, and used by its denoising passes and its commit. Borrows the state.
struct FrameRead {
  std::unique_ptr<ReadPlan> plan;
  std::unique_ptr<SessionReader> memory;
};

class SequentialRollout {
 public:
  SequentialRollout(std::shared_ptr<Transition> network, std::shared_ptr<const Memory> memory, std::shared_ptr<const NoisePath> path,
                    const RolloutOptions& options);

  const RolloutOptions& Options() const { return options_; }

  // Reads for frame `frame`; the state is not changed.
  FrameRead Read(const Parts& state, int64_t frame, const StepCondition& condition) const;
  // Samples the frame of `read`. `noise` [B, C, h, w] decides the sample.
  at::Tensor Sample(const FrameRead& read, const StepCondition& condition, const at::Tensor& noise) const;
  // Writes the finished frame of `read` into the state that was read. `noise` is used only with context_noise.
  void Commit(Parts& state, FrameRead read, const StepCondition& condition, const at::Tensor& latent, const at::Tensor& noise) const;

  // Passes of the network over one frame that Sample and Commit make together.
  int64_t ForwardsPerFrame() const { return options_.steps * (options_.guidance == 1 ? 1 : 2) + 1; }

 private:
  std::shared_ptr<Transition> network_;
  std::shared_ptr<const Memory> memory_;
  std::shared_ptr<const NoisePath> path_;
  RolloutOptions options_;
};

}  // namespace orrery
