// What dummies must score in probes of effects: twins, doses, attribution, leaks from the future.
#include "eval/suite/sanity_checks.h"

namespace orrery {

using namespace sanity;

std::vector<SanityRule> EffectSanityRules() {
  return {
      {"causality.twin.remove.light-cone", "copy", "0", Near(0, 0)},
      {"causality.twin.remove.light-cone", "lag2", "0: late is not early", Near(0, 0)},
      {"causality.twin.remove.light-cone", "leak", "> 0: it shows what is still to come", Above(0), SanityRule::On::kAll, "dominoes"},
      {"causality.twin.remove.leak", "leak", "> 0", Above(0)},
      {"causality.twin.remove.objects-precision", "copy", "1", Near(1, 0)},
      {"causality.twin.remove.objects-precision", "random", "< copy", Compared("copy", false)},
      {"causality.twin.remove.objects-recall", "copy", "1", Near(1, 0)},
      {"causality.twin.remove.objects-recall", "ignore", "0", Near(0, 0)},
      {"causality.twin.remove.objects-recall", "frozen", "0", Near(0, 0)},
      {"causality.twin.velocity.objects-precision", "copy", "1", Near(1, 0)},
      {"causality.twin.velocity.objects-recall", "copy", "1", Near(1, 0)},
      {"causality.twin.velocity.objects-recall", "ignore", "0", Near(0, 0)},
      {"causality.twin.velocity.objects-recall", "passthru", "< copy: nothing is passed on", Compared("copy", false)},
      {"causality.dose.kick.ranks", "copy", "1", Near(1, 1e-9)},
      {"causality.dose.kick.ranks", "ignore", "0", Near(0, 0)},
      {"causality.dose.kick.ranks", "frozen", "0", Near(0, 0)},
      {"causality.dose.kick.slope", "copy", "1", Near(1, 1e-9)},
      {"causality.dose.kick.slope", "ignore", "0", Near(0, 0)},
      {"causality.dose.velocity.ranks", "copy", "1", Near(1, 1e-9)},
      {"causality.dose.velocity.ranks", "ignore", "0", Near(0, 0)},
      {"causality.dose.velocity.ranks", "frozen", "0", Near(0, 0)},
      {"causality.dose.velocity.slope", "copy", "1", Near(1, 1e-9)},
      {"causality.dose.velocity.slope", "ignore", "0", Near(0, 0)},
      {"causality.dose.velocity.slope", "passthru", "< copy: nothing is passed on", Compared("copy", false)},
      {"causality.attribution.own-error", "copy", "0", Near(0, 0)},
      {"causality.attribution.own-error", "ignore", "1", Near(1, 1e-9)},
      {"causality.attribution.own-error", "frozen", "1", Near(1, 1e-9)},
      {"causality.attribution.own-error", "wrongact", "> copy", Compared("copy", true)},
      {"causality.attribution.own-error", "mixup", "> 0.8: the other one moves", Above(0.8)},
      {"causality.attribution.other", "copy", "0", Near(0, 0)},
      {"causality.attribution.other", "ignore", "0", Near(0, 0)},
      {"causality.attribution.other", "mixup", "> 0.8", Above(0.8)},
      {"causality.attribution.other", "random", "> 0.8", Above(0.8)},
      {"causality.attribution.spill", "copy", "0", Near(0, 0)},
      {"causality.attribution.spill", "mixup", "> copy", Compared("copy", true)},
      {"causality.attribution.recall", "copy", "1", Near(1, 0)},
      {"causality.attribution.recall", "ignore", "0", Near(0, 0)},
      {"causality.attribution.recall", "frozen", "0", Near(0, 0)},
      {"causality.future-leak.before", "copy", "0", Near(0, 0)},
      {"causality.future-leak.before", "noise", "0: noise is shared", Near(0, 0)},
      {"causality.future-leak.before", "lag2", "0", Near(0, 0)},
      {"causality.future-leak.before", "ignore", "0", Near(0, 0)},
      {"causality.future-leak.before", "leak", "> 0", Above(0)},
      {"causality.future-leak.before", "reverse", "> 0: it begins with the end", Above(0)},
      {"causality.future-leak.after", "copy", "1", Near(1, 0)},
      {"causality.future-leak.after", "ignore", "0", Near(0, 0)},
  };
}

}  // namespace orrery
