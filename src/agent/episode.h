// Acting in one world by planning in another: receding horizon.
#pragma once
#include "agent/planner.h"
#include "worlds/policy.h"

namespace orrery {

// Brings the model up to date after `action` was done and the true world has answered.
using Observe = std::function<void(World& model, const World& truth, std::span<const float> action)>;

// The model imagines the step: it never looks again.
Observe ObserveNothing();
// The model is shown the true frame: a DreamWorld takes it in place of its own, a world of the truth's spec takes its state. Throws Error
// for other models.
Observe ObserveTruth();

struct EpisodeOptions {
  int64_t steps = 64;  // at most
  int64_t commit = 1;  // actions done before the next plan, 1..horizon
  uint64_t seed = 0;
};

struct EpisodeResult {
  std::vector<std::vector<float>> actions;  // that were done
  double reward = 0;                        // discounted sum in the true world
  bool finished = false;                    // Task::finished came true
  double promised = 0;                      // value of the first plan
  int64_t rollouts = 0;
};

// From the present states of both, which show the same moment; both are left at the end. The same seed gives the same episode.
EpisodeResult RunEpisode(World& truth, World& model, const Planner& planner, const Task& task, const Observe& observe,
                         const EpisodeOptions& options);

// The same task without a model. `promised` and `rollouts` stay 0.
EpisodeResult RunPolicy(World& truth, Policy& policy, const Task& task, const EpisodeOptions& options);

}  // namespace orrery
