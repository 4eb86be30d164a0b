// What objectives share: hiding actions, and asking the network about a clip or about a clip's noisy twins.
// B batch, T frames, C x h x w latents.
#pragma once
#include "dynamics/objective.h"

namespace orrery {

// Throws Error unless `value` lies in [0, 1].
void CheckShare(std::string_view objective, double value, const char* name);

// Hides each action with probability `drop`; one draw.
FrameCondition HideActions(const Clip& clip, double drop, Rng& rng);

// The network's answer [B, T, C, h, w] about frames in the loss, and a loss of the memory's own (undefined: none).
struct Answer {
  at::Tensor out, own;
};

// A clip as the network is shown it: one copy of every frame.
struct ShownClip {
  at::Tensor x, level;  // noisy latents, not yet scaled by the path; their levels [B, T]
  at::Tensor label;     // [B, T] what the network is told; undefined: the level
  FrameCondition condition;
  at::Tensor history;  // [B, T, C, h, w] what input memories keep
  at::Tensor target;   // [B, T] bool, in the loss
  ClipMask mask;
};
Answer AskClip(Transition& network, const Memory& memory, const NoisePath& path, const ClipWindow& window, const ShownClip& shown);

// A clip shown twice: `past`, which the memory remembers, and noisy twins, each block of which sees the past before it.
struct ShownTwins {
  at::Tensor past, past_level;  // [B, T, C, h, w] unscaled, [B, T]
  at::Tensor x, level;          // the twins
  FrameCondition condition;
  int64_t block = 1;  // divides T
};
Answer AskTwins(Transition& network, const Memory& memory, const NoisePath& path, const ClipWindow& window, const ShownTwins& shown);

// What strict teacher forcing draws for a clip, in this order: levels (one a block), hidden actions, noise.
struct TwinDraws {
  at::Tensor level;  // [B, T]
  FrameCondition condition;
  at::Tensor noise;  // [B, T, C, h, w]
};
TwinDraws DrawTwins(const Clip& clip, const NoisePath& path, int64_t block, double action_drop, Rng& rng);

at::Tensor PerFrame(const at::Tensor& level);                     // [B, T] -> [B, T, 1, 1, 1]
at::Tensor FrameError(const at::Tensor& a, const at::Tensor& b);  // mean square of a frame, [B, T]
at::Tensor CleanErrorScale(const NoisePath& path,
                           const at::Tensor& level);              // [B, T]: squared error of the clean latent / that of the answer
at::Tensor AddOwn(const at::Tensor& loss, const Answer& answer);  // with the memory's own loss

}  // namespace orrery
