// Objectives: what training asks of the network. Each is four choices: the noise levels of a clip's frames; which frames are context, what
// they hold and how they are labelled; who sees whom (dynamics/mask.h); the loss. docs/dynamics.md says how to add one.
// B batch, T frames, C x h x w latents.
#pragma once
#include <map>

#include "core/registry.h"
#include "core/rng.h"
#include "dynamics/capabilities.h"
#include "dynamics/noise_path.h"
#include "dynamics/transition.h"

namespace orrery {

// A training clip: latents [B, T, C, h, w] fp32, and its conditions.
struct Clip {
  at::Tensor latent;
  FrameCondition condition;
};

// A clip, or a part of a longer one that goes on from the state which the part before it left.
struct ClipWindow {
  Clip clip;
  int64_t first = 0;              // index of its first frame
  const Parts* before = nullptr;  // state at its beginning; null: nothing was seen
  Parts* after = nullptr;         // receives the state at its end; null: not asked for
};

// A trained model that an objective learns from; not trained further, not kept in checkpoints.
struct Teacher {
  std::shared_ptr<Transition> network;
  std::shared_ptr<const Memory> memory;
  std::string objective;  // what it was trained with
  Capabilities able;
};

using LossTerms = std::map<std::string, at::Tensor>;  // detached scalars for the log

// Parameters and buffers registered here (a critic, a running mean of the network, a bank of errors, a count of steps) are trained and kept
// in checkpoints beside the model's, under "objective.". In eval mode (validation) a Loss changes none of them.
class Objective : public torch::nn::Module {
 public:
  virtual std::string Spec() const = 0;
  // What a model that was trained so can be run with.
  virtual Capabilities Trained() const = 0;
  // The label of a finished frame in this training; rollouts commit with it.
  virtual double ContextLevel() const { return 0; }
  // Conditions that the network must take.
  virtual void Require(TransitionOptions&) const {}
  // Once before training: makes the objective's own networks. Throws Error when this state cannot be trained so, or when a teacher is
  // needed and not given, or given and not needed.
  virtual void Begin(const Transition& network, const Memory& memory, const Teacher* teacher);

  // The loss of a clip, with its graph.
  at::Tensor Loss(Transition& network, const Memory& memory, const Clip& clip, Rng& rng, LossTerms* terms = nullptr);
  // The same of one long clip cut into `windows` of equal length (it divides T), the mean over them: each window goes on from the state
  // that the one before left, without its graph (truncated backpropagation through time). Throws Error when the memory carries nothing.
  at::Tensor Loss(Transition& network, const Memory& memory, const Clip& clip, int64_t windows, Rng& rng, LossTerms* terms = nullptr);

 protected:
  explicit Objective(std::shared_ptr<const NoisePath> path) : path_(std::move(path)) {}
  virtual at::Tensor WindowLoss(Transition& network, const Memory& memory, const ClipWindow& window, Rng& rng, LossTerms* terms) = 0;
  // Throws Error unless the memory is a window of frames or all frames (`why` they must be).
  static void NeedWholeFrames(const Memory& memory, std::string_view name, std::string_view why);

  std::shared_ptr<const NoisePath> path_;
};

// A count of training steps that checkpoints keep.
class StepCount {
 public:
  explicit StepCount(torch::nn::Module& owner) : owner_(owner), steps_(owner.register_buffer("steps", at::zeros({}, at::kLong))) {}
  int64_t Value() const { return steps_.item<int64_t>(); }
  // Counts one step in training mode; returns those before it.
  int64_t Next();

 private:
  torch::nn::Module& owner_;
  at::Tensor steps_;
};

using ObjectiveRegistry = Registry<std::shared_ptr<Objective>, std::shared_ptr<const NoisePath>>;

}  // namespace orrery
