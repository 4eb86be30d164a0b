// Runs the rows of a rollout against a session's state: frames are denoised, committed and handed out in order.
// B batch, C x h x w latents.
#pragma once
#include <functional>

#include "dynamics/rollouts/flight.h"
#include "dynamics/rollouts/flight_reader.h"
#include "dynamics/rollouts/options.h"
#include "dynamics/rollouts/rollouts.h"

namespace orrery {

// Where randomness comes from.
struct NoiseSource {
  std::function<at::Tensor()> next;                              // [B, C, h, w]: a frame's beginning, a commit's noise; in order
  std::function<at::Tensor(int64_t frame, int64_t step)> again;  // the same at every call: what is noised anew
};

// The condition of the frame `ahead` frames after the one that is shown next; from 1 on a guess.
using ConditionSource = std::function<StepCondition(int64_t ahead)>;

struct ShownFrame {
  at::Tensor latent;        // [B, C, h, w]
  StepCondition condition;  // with which it was made
};

// Passes of the network over one frame.
struct RolloutCount {
  int64_t rows = 0;
  int64_t denoise = 0, commit = 0;  // frames denoised, each once a row, and committed
  int64_t answers = 0;              // of the network, of one frame each: under guidance a denoised frame takes two
};

class Executor {
 public:
  // Throws Error when the options do not fit together, or the plan does not fit the state.
  Executor(std::shared_ptr<Transition> network, std::shared_ptr<const Memory> memory, std::shared_ptr<const NoisePath> path,
           const RolloutOptions& options, const Capabilities& able);

  const RolloutOptions& Options() const { return options_; }
  const RolloutPlan& Plan() const { return plan_; }
  const RolloutCount& Count() const { return count_; }

  // Runs rows until frame `flight.next` is finished, and commits it.
  ShownFrame Next(Parts& state, Flight& flight, const ConditionSource& conditions, const NoiseSource& noise);
  // Commits a frame from elsewhere as frame `flight.next`. Frames in flight are dropped: they were made after another one.
  void Force(Parts& state, Flight& flight, const StepCondition& condition, const at::Tensor& latent, const NoiseSource& noise);
  // Commits the newest finished frames again under `conditions`, which begin with frame `flight.next` - their number and are as many as the
  // rollout keeps (flight.past). Frames in flight are dropped. Throws Error when the rollout keeps none.
  void Recache(Parts& state, Flight& flight, const std::vector<StepCondition>& conditions);

 private:
  using Reader = std::unique_ptr<FlightReader>;

  Reader Open(const Parts& state, const Flight& flight, int64_t first, const std::vector<StepCondition>& conditions) const;
  void Enter(const RolloutRow& row, Flight& flight, const ConditionSource& conditions, const NoiseSource& noise) const;
  void Check(const RolloutRow& row, const Flight& flight) const;
  void Run(const RolloutRow& row, Flight& flight, MemoryReader& reader, const NoiseSource& noise);
  at::Tensor Answer(const at::Tensor& input, const at::Tensor& label, const FrameCondition& condition, MemoryReader& reader);
  at::Tensor Shown(const at::Tensor& latent, const at::Tensor& noise) const;
  // Of one frame, beside finished frames of its block that follow it.
  void Commit(Parts& state, Flight& flight, Reader reader, const PastFrame& frame, const std::vector<PastFrame>& beside = {});
  void Remember(const Parts& state, Flight& flight, const PastFrame& frame) const;
  void Renew(Parts& state, Flight& flight);
  void KeepSink(Flight& flight, const std::vector<LayerActivation>& layers) const;

  std::shared_ptr<Transition> network_;
  std::shared_ptr<const Memory> memory_;
  std::shared_ptr<const NoisePath> path_;
  RolloutOptions options_;
  RolloutPlan plan_;
  Capabilities able_;
  RolloutCount count_;
};

}  // namespace orrery
