// Planning by imagination: action sequences are tried in a world that can be snapshot and restored, true or learned.
#pragma once
#include <functional>
#include <memory>

#include "core/registry.h"
#include "core/rng.h"
#include "worlds/world.h"

namespace orrery {

// What is wanted. The functions look at the world as it is after a step: through Render alone where models shall be planned in.
struct Task {
  std::function<double(const World&)> reward;  // of one step; higher is better
  std::function<bool(const World&)> finished;  // optional: rollouts and episodes end there
  double discount = 1;                         // 0..1, a step
};

struct Plan {
  std::vector<std::vector<float>> actions;  // one a step of the horizon
  double value = 0;                         // the discounted sum of rewards that the model promises
  int64_t rollouts = 0;                     // that were tried
};

// Immutable: what it did before enters by the guess.
class Planner {
 public:
  virtual ~Planner() = default;
  // The best plan found from the model's present state, to which the model is restored bit for bit. `guess`: actions to begin with, such as
  // what is left of the last plan; shorter and empty ones are filled up. All chance comes from `rng`. Throws Error when the model takes no
  // actions.
  virtual Plan Search(World& model, const Task& task, std::span<const std::vector<float>> guess, Rng& rng) const = 0;
};

// random_shooting: independent sequences, each action drawn alike; the best one is the plan.
// cem: a distribution of sequences is fitted again and again to the best samples (Rubinstein, Methodology and Computing in Applied
//   Probability 1999), which are kept from iteration to iteration (Pinneri et al., arXiv 2008.06389); the best sequence is the plan.
// mppi: all samples count, by the exponential of their return; the mean (the mode of discrete actions) is the plan (Williams et al.,
//   arXiv 1509.01149). `temperature` is in standard deviations of the samples' returns, so that it fits rewards of any scale.
// Discrete actions are drawn from a table of chances a step, numbers from normal distributions, clipped to the space. `samples` is the
// budget of rollouts a plan: planners with equal samples have cost the same.
const Registry<std::unique_ptr<Planner>>& Planners();

// From a spec: "cem(horizon=8, samples=64)". Throws Error that lists the planners or parameters.
std::unique_ptr<Planner> MakePlanner(std::string_view spec);

// The discounted return of `actions` from the model's present state, which is left at the end.
double Rollout(World& model, const Task& task, std::span<const std::vector<float>> actions);

}  // namespace orrery
