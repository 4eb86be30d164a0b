// Long free-running rollouts: do they saturate or freeze?
#pragma once
#include "data/dataset.h"
#include "model/session.h"

namespace orrery {

struct DriftOptions {
  int64_t rollouts = 16;
  int64_t frames = 256;
  int64_t context = 8;
  uint64_t seed = 0;
  RolloutOptions rollout;
};

// Rollouts follow the held-out episodes' own actions, repeated from their start when they end. Per block of 32 frames: mean brightness,
// contrast (deviation over pixels), motion (mean absolute difference of successive frames), all in [0, 1], beside the same of the true
// episodes. "collapsed": the last block's contrast or motion lies below a third of the truth's, or its mean brightness is more than 0.25
// away, or over half its pixels are at 0 or 255 while the truth's share is below a quarter.
// "films", when given, receives [rollouts, frames, H, W, 3] uint8.
Json ScoreDrift(const std::shared_ptr<const WorldModel>& model, const Dataset& dataset, const std::vector<int64_t>& episodes,
                const DriftOptions& options, at::Tensor* films = nullptr);

}  // namespace orrery
