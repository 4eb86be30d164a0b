// What a rollout holds beside the memory: frames in flight, the keys of first frames that stay in sight, and the past that can be committed
// again. A value: part of a session's snapshot.
// B batch, C x h x w latents, L layers, H heads, N tokens a frame, d head width.
#pragma once
#include "core/parts.h"
#include "dynamics/transition.h"

namespace orrery {

// Conditions of one frame: action [B, A], pose [B, 3], either may be undefined; known [B] bool, undefined: all known.
struct StepCondition {
  at::Tensor action, pose, known;
};

// Those of frames after one another.
FrameCondition JoinConditions(const std::vector<StepCondition>& frames);

struct FlightFrame {
  at::Tensor latent;  // [B, C, h, w] as noisy as it is
  int64_t steps = 0;  // done
  StepCondition condition;
};

// A finished frame and how it was committed.
struct PastFrame {
  at::Tensor latent, noise;  // [B, C, h, w]; noise undefined without
  StepCondition condition;
};

// The newest W to 2 W finished frames, and the memory before them and in their middle. Of a rollout that makes the memory anew: the newest
// W, the memory before the session's first frame, and how many frames the memory knows nothing of, whose time it does not count.
struct RecentPast {
  Parts start, middle;
  std::vector<PastFrame> frames;
  int64_t forgotten = 0;
};

struct Flight {
  int64_t base = 0;                 // frame with which the rows' clock began
  int64_t clock = 0;                // rows run since
  int64_t next = 0;                 // the frame that is shown next: frames[0], when it is begun
  std::vector<FlightFrame> frames;  // begun and not shown, one after another
  Parts sink;                       // key, value [L, B, H, s N, d] of the first frames, not rotated
  RecentPast past;

  bool Finished(int64_t steps) const { return !frames.empty() && frames.front().steps == steps; }
  // Frames in flight are dropped; the rows begin again with frame `next`.
  void Land(int64_t next_frame);

  Parts ToParts() const;  // empty for a rollout that holds nothing between frames
  static Flight FromParts(const Parts& parts, int64_t next_frame);
};

}  // namespace orrery
