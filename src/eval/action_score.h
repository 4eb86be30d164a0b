// Are actions obeyed? A small inverse model, trained on real pairs of frames, names the action between two frames; its
// accuracy on the model's own pairs is compared with that on held-out real pairs.
#pragma once
#include "data/dataset.h"
#include "model/session.h"

namespace orrery {

struct ActionScoreOptions {
  int64_t training_pairs = 20000;
  int64_t epochs = 6;
  int64_t windows = 256;  // held-out beginnings
  int64_t context = 8;
  int64_t frames = 8;  // imagined frames a beginning, with the actions of the recording
  uint64_t seed = 0;
  RolloutOptions rollout;
};

// Discrete actions: accuracy, balanced over classes (mean of the recalls of the actions that occur); "ratio" = dream / real.
// Continuous actions: coefficient of determination, mean over dims, in the same fields.
// {"measure", "real", "dream", "ratio", "ratio_low", "ratio_high", "per_action": [...]}; interval: bootstrap over beginnings.
Json ScoreActions(const std::shared_ptr<const WorldModel>& model, const Dataset& dataset, const std::vector<int64_t>& train,
                  const std::vector<int64_t>& held_out, const ActionScoreOptions& options);

}  // namespace orrery
