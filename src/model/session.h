// A running world: Reset with real frames, Step with actions, and a state that is a value.
#pragma once
#include "core/rng.h"
#include "dynamics/rollouts/executor.h"
#include "model/world_model.h"

namespace orrery {

// Everything that one session is. Copying is a fork: tensors are shared until one side writes.
struct SessionState {
  Parts memory;
  at::Tensor latent;       // [B, C, h, w] the frame on screen
  at::Tensor pose;         // [B, 3] of it; undefined without pose
  at::Tensor motion;       // [B, 3] that led to it, as model/odometry.h has it; undefined at first, and without pose
  std::vector<Rng> noise;  // one a row, so that a row does not depend on the others
  Flight flight;           // frames that are begun and not shown, and whatever else the rollout holds
  int64_t frame = 0;       // frames committed or on screen since the reset

  Parts ToParts() const;  // one flat list of tensors: save, compare, move
  static SessionState FromParts(const Parts& parts);
};

// A batch of B sessions of one model in lockstep (B = 1 to play). Not thread-safe; the model may be shared by threads.
class Session {
 public:
  Session(std::shared_ptr<const WorldModel> model, const RolloutOptions& options);

  // Context of 1..n real frames [B, n, H, W, 3] uint8; actions [B, n, A] (row t leads to frame t, row 0 is ignored unless known) and pose
  // [B, n, 3], as the model takes them. seeds: one a row. The last frame is on screen afterwards.
  void Reset(const at::Tensor& frames, const at::Tensor& actions, const at::Tensor& pose, const std::vector<uint64_t>& seeds);
  // The same from latents [B, n, C, h, w].
  void ResetLatents(const at::Tensor& latents, const at::Tensor& actions, const at::Tensor& pose, const std::vector<uint64_t>& seeds);

  // Imagines the next frame under `action` [B, A]; pose [B, 3] only for models that take it: not given, their odometry guesses it from
  // the pose, the motion and the frame before. `ahead`: conditions [B, n, ..] of the n frames after it, where they are known; of what is
  // not, a rollout with frames in flight guesses that the action is held.
  void Step(const at::Tensor& action, const at::Tensor& pose = {}, const FrameCondition& ahead = {});
  // Goes on with a given frame instead of an imagined one (teacher forcing, re-grounding). Frames in flight are dropped.
  void Force(const at::Tensor& latent, const at::Tensor& action, const at::Tensor& pose = {});

  at::Tensor Frame() const;  // [B, H, W, 3] uint8
  const at::Tensor& Latent() const { return state_.latent; }
  int64_t Index() const { return state_.frame; }  // of the frame on screen
  int64_t Batch() const { return state_.latent.defined() ? state_.latent.size(0) : 0; }

  const SessionState& Snapshot() const { return state_; }  // copy it to keep it
  void Restore(const SessionState& state) { state_ = state; }
  Session Fork() const { return *this; }
  // Goes on with what `other`, of as many frames, remembers beyond the newest frames of a window (Memory::TakeOlder).
  void TakeOlder(const SessionState& other);
  // Commits the newest Recent() frames again under other actions [B, n, A] and poses [B, n, 3]; undefined: those they had. Only with a
  // rollout that keeps them, "sliding(recache=true)".
  void Recache(const at::Tensor& actions, const at::Tensor& pose);
  int64_t Recent() const { return static_cast<int64_t>(state_.flight.past.frames.size()); }
  const WorldModel& Model() const { return *model_; }
  const RolloutPlan& Plan() const { return executor_.Plan(); }
  const RolloutCount& Count() const { return executor_.Count(); }  // passes since this session was made

 private:
  StepCondition Check(const at::Tensor& action, const at::Tensor& pose) const;
  at::Tensor PoseOf(const at::Tensor& given, const at::Tensor& action) const;
  at::Tensor Noise();
  NoiseSource Randomness();
  StepCondition Guess(const std::vector<StepCondition>& before) const;
  void Place(const at::Tensor& latent, const StepCondition& condition);
  void Show(const at::Tensor& latent, const StepCondition& condition);

  std::shared_ptr<const WorldModel> model_;
  Executor executor_;
  SessionState state_;
};

}  // namespace orrery
