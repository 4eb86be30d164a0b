// What a suite asks of subjects on a recording.
#pragma once
#include "eval/suite/probe.h"

namespace orrery {

// similarity, drift, revisit, endurance (of 64 frames or more), control, following, recorded-twins and cost, as long as the recording's
// episodes allow. `scale`: 1 quick, 4 full. Throws Error when it has too few episodes of the least length.
std::vector<ProbePlan> RecordingPlans(const std::string& world, int64_t scale);

}  // namespace orrery
