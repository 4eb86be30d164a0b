// Planning in a subject and acting in the true world.
#pragma once
#include "eval/suite/probe.h"

namespace orrery {

// plan.world names the task (eval/planning/task.h); plan.frames and plan.samples mean nothing. Throws Error for worlds without a task.
ProbeResult ProbePlanning(const Subject& subject, const ProbePlan& plan);

}  // namespace orrery
