// Every rollout by name, and what it asks of a model.
#pragma once
#include "core/registry.h"
#include "dynamics/capabilities.h"
#include "dynamics/noise_path.h"
#include "dynamics/rollouts/row.h"

namespace orrery {

// What a rollout is planned for.
struct RolloutSetting {
  const NoisePath& path;
  Capabilities able;  // of the model
  int64_t steps = 4;  // denoising passes a frame, where the rollout leaves them open
};

using RolloutRegistry = Registry<RolloutPlan, const RolloutSetting&>;
const RolloutRegistry& Rollouts();

// The plan of a spec: "pyramid(u=1)". Throws Error when the model was not trained for it, with the reason.
RolloutPlan MakeRollout(std::string_view spec, const RolloutSetting& setting);

// MAGI-1's levels (arXiv 2505.13211): clean times (i / S)^2, shifted by 3; as noise levels, S + 1 of them.
std::vector<double> MagiLevels(int64_t steps);

// What a plan needs of a model, in words: "frames of different noise in one pass"; empty: nothing.
std::string NeedsOf(const RolloutPlan& plan);

}  // namespace orrery
