// What dummies must score in probes of effects: twins, doses, order in time, attribution, leaks from the future.
#include "eval/suite/sanity_checks.h"

namespace orrery {

using namespace sanity;

std::vector<SanityRule> EffectSanityRules() { return {}; }

}  // namespace orrery
