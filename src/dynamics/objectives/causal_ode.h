// A few-step student of a causal model (Causal Forcing, arXiv 2602.02214, 2605.15141): the teacher answers beside the true past, so that
// what it makes of a noisy frame is a function of that frame and its past. (Pairs of a teacher that sees the future are not, and a student
// of them learns their mean.) Two ways:
//   consistency  one step of the teacher on a fine grid; the student at the upper level shall say what its running mean says at the lower
//   pairs        the teacher's whole way from noise; the student at one of its own levels shall say where it ends
// B batch, T frames.
#pragma once
#include "dynamics/objective.h"

namespace orrery {

struct CausalOdeOptions {
  std::string mode = "consistency";  // or "pairs"
  int64_t steps = 4;                 // of the student, on the path's schedule
  int64_t grid = 48;                 // steps of the teacher's way: all of them under pairs, one under consistency; a multiple of `steps`
  double guidance = 3;               // of the teacher on actions: null + w (given - null)
  double ema = 0.99;                 // of the running mean, a training step
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(CausalOdeOptions, mode, steps, grid, guidance, ema)

class CausalOde : public Objective {
 public:
  CausalOde(const CausalOdeOptions& options, std::shared_ptr<const NoisePath> path);
  static Facts Describe();

  std::string Spec() const override { return FormatSpec("causal_ode", options_); }
  Capabilities Trained() const override;
  void Begin(const Transition& network, const Memory& memory, const Teacher* teacher) override;

 protected:
  at::Tensor WindowLoss(Transition& network, const Memory& memory, const ClipWindow& window, Rng& rng, LossTerms* terms) override;

 private:
  struct Lesson {
    at::Tensor x, level, clean;  // what the student is shown, and what it shall make of it
  };
  at::Tensor TeacherStep(const ClipWindow& window, const at::Tensor& x, const at::Tensor& from, const at::Tensor& to) const;
  Lesson Consistency(const Memory& memory, const ClipWindow& window, Rng& rng) const;
  Lesson Pair(const ClipWindow& window, Rng& rng) const;

  CausalOdeOptions options_;
  StepCount steps_{*this};
  std::vector<double> levels_;  // grid + 1
  Teacher teacher_;
  std::shared_ptr<Transition> mean_;  // running mean of the student's network; under consistency
};

// Throws Error unless there is a teacher, and it is causal or not as wanted (`why`).
void NeedTeacher(const Teacher* teacher, std::string_view objective, bool causal, std::string_view why);

}  // namespace orrery
