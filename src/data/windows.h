// Windows of episodes as one stack, for scores and beginnings. Training reads through data/loader.h.
#pragma once
#include "core/rng.h"
#include "data/dataset.h"

namespace orrery {

// `count` windows of `length` frames as the tensors of one Episode with a leading axis: frames [count, length, H, W, 3],
// and actions and pose where the set has them. The episodes long enough take turns; `rng` places each window. All are in
// memory at once. Throws Error when no episode is long enough.
Episode SampleWindows(const Dataset& dataset, const std::vector<int64_t>& episodes, int64_t count, int64_t length, Rng& rng);

}  // namespace orrery
