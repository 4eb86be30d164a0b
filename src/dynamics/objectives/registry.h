// Every training objective by name: the one list.
#pragma once
#include "dynamics/objective.h"

namespace orrery {

const ObjectiveRegistry& Objectives();

}  // namespace orrery
