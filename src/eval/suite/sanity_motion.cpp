// What dummies must score in how films move.
#include "eval/suite/sanity_checks.h"

namespace orrery {

using namespace sanity;

std::vector<SanityRule> MotionSanityRules() {
  return {
      {"quality.motion.fvmd-64", "copy", "0", Near(0, 1e-6)},
      {"quality.motion.fvmd-64", "frozen", "> random: nothing moves", Compared("random", true)},
      {"quality.motion.fvmd-64", "shuffle", "> random: other scenes move alike", Compared("random", true)},
      {"quality.motion.fvmd-64", "shuffle", "> blur", Compared("blur", true)},
      {"quality.motion.fvmd-64", "reverse", "> copy", Compared("copy", true)},
      {"quality.motion.fvmd-64", "lag2", "< shuffle: the law of motion is the same", Compared("shuffle", false)},
      {"quality.motion.fvmd-64", "lag2", "< frozen", Compared("frozen", false)},
      {"quality.motion.fvmd-64", "wrongact", "< frozen: it moves as films do", Compared("frozen", false)},
      {"quality.motion.dynamic-degree", "frozen", "0", Near(0, 0)},
      {"quality.motion.dynamic-degree", "copy", "> frozen", Compared("frozen", true)},
      {"quality.motion.static", "frozen", "1", Near(1, 0)},
      {"quality.motion.static", "copy", "< frozen", Compared("frozen", false)},
      {"quality.motion.ratio", "copy", "1", Near(1, 1e-9)},
      {"quality.motion.ratio", "frozen", "0", Near(0, 1e-9)},
      {"quality.motion.ratio", "shuffle", "> 1", Above(1)},
      {"quality.motion.ratio", "reverse", "1", Near(1, 1e-9)},
      {"quality.motion.ratio", "blur", "< 1", Below(1)},
      {"quality.consistency.background@F-rand", "frozen", "1: a frozen film is perfect in it", Near(1, 1e-9)},
      {"quality.consistency.background@F-rand", "copy", "< frozen", Compared("frozen", false)},
      {"quality.consistency.background@F-rand", "shuffle", "< copy", Compared("copy", false)},
      {"quality.consistency.subject@F-rand", "frozen", "1: a frozen film is perfect in it", Near(1, 1e-9)},
      {"quality.consistency.subject@F-rand", "copy", "< frozen", Compared("frozen", false)},
      {"quality.consistency.subject@F-rand", "noise", "< copy: the thing's picture flickers", Compared("copy", false)},
      {"quality.motion.still-flicker", "copy", "1", Near(1, 0)},
      {"quality.motion.still-flicker", "frozen", "1", Near(1, 0)},
      {"quality.motion.still-flicker", "noise", "< copy", Compared("copy", false)},
      {"quality.motion.smoothness-blend", "frozen", "1", Near(1, 1e-9)},
      {"quality.motion.smoothness-blend", "shuffle", "< copy", Compared("copy", false)},
      {"quality.motion.smoothness-blend", "noise", "< copy", Compared("copy", false)},
      {"quality.motion.smoothness-blend", "reverse", "= copy", SameAs("copy", 1e-9)},
      {"quality.motion.smoothness-warp", "frozen", "1", Near(1, 1e-9)},
      {"quality.motion.smoothness-warp", "shuffle", "< copy", Compared("copy", false)},
      {"quality.motion.smoothness-warp", "noise", "< copy", Compared("copy", false)},
      {"quality.motion.smoothness-warp", "reverse", "= copy", SameAs("copy", 1e-6)},
      {"quality.motion.warp-error", "frozen", "0", Near(0, 1e-9)},
      {"quality.motion.warp-error", "shuffle", "> copy", Compared("copy", true)},
      {"quality.motion.warp-error", "noise", "> copy", Compared("copy", true)},
      {"persistence.mawe", "frozen", "0", Near(0, 1e-9)},
      // On a table a ball is found in the place of another: the flow grows with the error.
      {"persistence.mawe", "shuffle", "> copy", Compared("copy", true), SanityRule::On::kAll, "maze"},
      {"persistence.mawe", "noise", "> copy", Compared("copy", true)},
      {"persistence.cuts", "frozen", "0", Near(0, 0)},
      // Balls cover too little of a table for a cut.
      {"persistence.cuts", "shuffle", "> copy", Compared("copy", true), SanityRule::On::kAll, "maze"},
      {"persistence.cuts", "reverse", "= copy", SameAs("copy", 1e-9)},
      {"quality.spectrum-error", "copy", "0", Near(0, 1e-9)},
      {"quality.spectrum-error", "blur", "> 0.5", Above(0.5)},
      {"quality.spectrum-error", "noise", "> copy", Compared("copy", true)},
      {"quality.colour-drift", "copy", "0", Near(0, 1e-9)},
      {"quality.colour-drift", "random", "> copy", Compared("copy", true)},
      {"quality.colour-drift", "noise", "< random: what is clamped", Compared("random", false), SanityRule::On::kAll, "maze"},
  };
}

}  // namespace orrery
