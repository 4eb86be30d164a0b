// What a model is run with.
#pragma once
#include <string>

#include "core/config.h"

namespace orrery {

struct RolloutOptions {
  int64_t steps = 4;            // denoising passes a frame, where the rollout leaves them open
  double guidance = 1;          // on actions: 1 none (one pass a step), w: null + w (given - null)
  double context_level = 0.05;  // level with which finished frames are labelled when committed; < 0: a label that only clean frames have
  bool context_noise = false;   // add the noise of that level too, instead of the label alone
  bool context_scale = false;   // shrink them as that level does, without noise
  std::string spec = "sequential";
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(RolloutOptions, steps, guidance, context_level, context_noise, context_scale, spec)

}  // namespace orrery
