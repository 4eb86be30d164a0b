// Self-forcing (arXiv 2506.08009): the model is trained on what it makes itself. It rolls out a clip frame by frame with its state, as a
// session does, and the clip's distribution is moved towards that of a model which sees whole clips (distribution matching distillation,
// arXiv 2405.14867): the difference of two scores of the noised clip, of that teacher and of a critic which learns what the student makes.
// Options of later work: `window` (Self-Forcing++, arXiv 2510.02283) judges a window somewhere in a longer rollout, which the teacher has
// never seen whole; --windows N (the streaming tuning of LongLive, arXiv 2509.22622) rolls on from the state that the window before left.
// B batch, T frames, C x h x w latents.
#pragma once
#include "dynamics/objective.h"

namespace orrery {

struct SelfForcingOptions {
  int64_t steps = 4;         // of the student, on the path's schedule
  int64_t window = 0;        // frames that are judged, somewhere in the rollout; 0: all
  int64_t ratio = 5;         // steps of the critic a step of the student
  double guidance = 1.5;     // of the teacher on actions: null + w (given - null)
  double context_noise = 0;  // level with which finished frames are noised and labelled when committed
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(SelfForcingOptions, steps, window, ratio, guidance, context_noise)

class SelfForcing : public Objective {
 public:
  SelfForcing(const SelfForcingOptions& options, std::shared_ptr<const NoisePath> path);
  static Facts Describe();

  std::string Spec() const override { return FormatSpec("self_forcing", options_); }
  Capabilities Trained() const override;
  double ContextLevel() const override { return options_.context_noise; }
  void Begin(const Transition& network, const Memory& memory, const Teacher* teacher) override;

  // What the student makes of a window, with the steps of a rollout: frame 0 is the clip's own unless the window goes on from a state.
  // `exit`: the step at which all frames stop and answer; frames in [graded, graded + count) have a graph there. `after`: as ClipWindow's.
  struct Rollout {
    int64_t exit = 0, graded = 0, count = 0;
  };
  at::Tensor Roll(Transition& network, const Memory& memory, const ClipWindow& window, const Rollout& how, Rng& rng) const;

 protected:
  at::Tensor WindowLoss(Transition& network, const Memory& memory, const ClipWindow& window, Rng& rng, LossTerms* terms) override;

 private:
  struct Noised {
    at::Tensor x, level, noise;
  };
  Noised Noise(const at::Tensor& made, const at::Tensor& generated, Rng& rng) const;
  at::Tensor Score(Transition& network, const Clip& clip, const Noised& noised, bool hidden) const;

  SelfForcingOptions options_;
  StepCount steps_{*this};
  std::vector<double> levels_;  // steps + 1
  Teacher teacher_;
  std::shared_ptr<Transition> critic_;
};

// The direction in which distribution matching moves samples [B, ...], from what the critic and the teacher make clean of their noised
// form: (critic - teacher) / mean |sample - teacher|, a row.
at::Tensor MatchingDirection(const at::Tensor& sample, const at::Tensor& critic, const at::Tensor& teacher);

}  // namespace orrery
