// Diffusion forcing (Chen et al., arXiv 2407.01392): every frame of a clip has its own noise level, the network sees all of them
// causally. A share of the frames plays the context that a rollout will have: nearly clean, and outside the loss.
// B batch, T frames.
#pragma once
#include "core/rng.h"
#include "dynamics/noise_path.h"
#include "dynamics/transition.h"

namespace orrery {

struct DiffusionForcingOptions {
  double context_share = 0.5;  // probability that a frame is context; frame 0 always is
  double context_noise = 0.1;  // highest level of context frames, uniform below it
  double action_drop = 0.1;    // probability that a frame's action is hidden, for guidance
  double prefix = 0;           // probability that a clip begins with a clean prefix of over half its frames, and loss only after it
  double history_noise = 0;    // highest level of noise in the latents that input memories keep; uniform below it, a frame
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(DiffusionForcingOptions, context_share, context_noise, action_drop, prefix, history_noise)

// A training clip: latents [B, T, C, h, w] fp32, and its conditions.
struct Clip {
  at::Tensor latent;
  FrameCondition condition;
};

// Levels of a clip and which frames are in the loss.
struct ForcingLevels {
  at::Tensor level;   // [B, T]
  at::Tensor target;  // [B, T] bool
};

class DiffusionForcing {
 public:
  DiffusionForcing(const DiffusionForcingOptions& options, std::shared_ptr<const NoisePath> path);

  ForcingLevels SampleLevels(int64_t batch, int64_t frames, Rng& rng) const;
  // Mean squared error of the network's answer over the frames in the loss, with its graph; what frames see of each other is `memory`'s.
  at::Tensor Loss(Transition& network, const Memory& memory, const Clip& clip, Rng& rng) const;
  // The same of one long clip cut into `windows` of equal length (it divides T), the mean over them: each window goes on from the state
  // that the one before left, without its graph (truncated backpropagation through time). Throws Error when the memory carries nothing.
  at::Tensor Loss(Transition& network, const Memory& memory, const Clip& clip, int64_t windows, Rng& rng) const;

 private:
  // A window that begins at frame `first` of its clip from `before` (null: nothing) and leaves its state in `after` (null: not asked for).
  at::Tensor WindowLoss(Transition& network, const Memory& memory, const Clip& clip, int64_t first, const Parts* before, Parts* after,
                        Rng& rng) const;

  DiffusionForcingOptions options_;
  std::shared_ptr<const NoisePath> path_;
};

}  // namespace orrery
