// One-step prediction from true history, against copying the last frame.
#pragma once
#include "data/dataset.h"
#include "model/session.h"

namespace orrery {

struct OneStepOptions {
  int64_t windows = 128;  // held-out windows, spread over the episodes
  int64_t context = 8;    // true frames before the predicted one
  int64_t batch = 32;
  uint64_t seed = 0;
  double moved = 1e-3;  // a window counts as moving when the mean squared difference of its last two true frames ([0, 1]) exceeds this
  RolloutOptions rollout;
};

// {"windows", "moving", "psnr", "psnr_copy", "psnr_codec", "gain": dB over copying, "gain_low", "gain_high"}: means over the moving
// windows; psnr_codec is the ceiling that decoding the true latent sets; the interval is a 95 % bootstrap over windows.
Json ScoreOneStep(const std::shared_ptr<const WorldModel>& model, const Dataset& dataset, const std::vector<int64_t>& episodes,
                  const OneStepOptions& options);

}  // namespace orrery
