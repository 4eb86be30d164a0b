// A clip of training run frame by frame, as a session would: each frame reads the state of those committed before it. Gradients pass
// through a frame's answers, never through the state.
// B batch, C x h x w latents.
#pragma once
#include "dynamics/objective.h"
#include "state/session_reader.h"

namespace orrery {

// Borrows everything it is given. Frame by frame: Open, Answer as often as needed, Commit (or Open again).
class ClipStream {
 public:
  ClipStream(Transition& network, const Memory& memory, const NoisePath& path, const ClipWindow& window, const FrameCondition& condition);

  int64_t Frame() const { return frame_; }  // of the window: the one that is made
  const Parts& State() const { return state_; }
  // Reads for the next frame.
  void Open();
  // The network's answer about x [B, C, h, w] (not scaled) at `level` [B]; `hidden`: without the action; `step` [B]: size of the step.
  at::Tensor Answer(const at::Tensor& x, const at::Tensor& level, bool hidden = false, const at::Tensor& step = {});
  // Writes the finished frame, labelled `level`, without gradients.
  void Commit(const at::Tensor& latent, double level);

 private:
  FrameCondition ConditionNow() const;

  Transition& network_;
  const Memory& memory_;
  const NoisePath& path_;
  const FrameCondition& condition_;
  int64_t first_, frame_ = 0;
  Parts state_;
  std::unique_ptr<ReadPlan> plan_;
  std::unique_ptr<SessionReader> reader_;
};

}  // namespace orrery
