// Rows of the matrices that say how each dummy stands in each headline number (evaluation 1.13, 2.10, 3.13), as far as they are not beside
// the other rules of a metric.
#include "eval/suite/sanity_checks.h"

namespace orrery {

using namespace sanity;

namespace {

using On = SanityRule::On;

void AddQuality(std::vector<SanityRule>& rules) {
  rules.push_back({"quality.psnr", "take2", "> random", Compared("random", true)});
  rules.push_back({"quality.psnr", "reverse", "< copy", Compared("copy", false)});
  rules.push_back({"quality.ssim", "take2", "> random", Compared("random", true)});
  for (const char* dummy : {"shuffle", "reverse", "wrongact"}) rules.push_back({"quality.ssim", dummy, "< copy", Compared("copy", false)});
  rules.push_back({"quality.ssim", "random", "< shuffle", Compared("shuffle", false), On::kBuiltIn});
  rules.push_back({"quality.ssim", "random", "< wrongact", Compared("wrongact", false)});
  rules.push_back({"quality.flicker", "take2", "as copy, within 0.005", OffCopy(0.005, false)});
  rules.push_back({"quality.motion-ratio", "take2", "1 +- 0.1", Near(1, 0.1)});
  for (const char* dummy : {"wrongact", "random"}) {
    // A camera that pans under other actions is another film.
    rules.push_back({"quality.flicker", dummy, "as copy, within 0.02", OffCopy(0.02, false), On::kBuiltIn, "!occluder"});
    for (const char* world : {"maze", "billiards"})  // where somebody always moves
      rules.push_back({"quality.motion-ratio", dummy, "1 +- 0.15", Near(1, 0.15), On::kBuiltIn, world});
  }
  rules.push_back({"quality.f-pair", "take2", "< random", Compared("random", false)});
  for (const char* dummy : {"take2", "reverse", "blur"})
    rules.push_back({"quality.motion.fvmd-64", dummy, "< frozen", Compared("frozen", false), On::kBuiltIn});
  rules.push_back({"quality.motion.fvmd-64", "take2", "< shuffle", Compared("shuffle", false)});
  for (const char* id : {"quality.kvd@F-vid", "quality.fvd@F-vid"}) rules.push_back({id, "reverse", "> copy", Compared("copy", true)});
}

void AddPersistence(std::vector<SanityRule>& rules) {
  for (const char* dummy : {"forget", "stale", "random"})
    rules.push_back({"persistence.collapse.survival", dummy, "1: its pictures are healthy", Near(1, 0), On::kBuiltIn});
  rules.push_back({"persistence.updated.old", "forget", "< stale", Compared("stale", false)});
  rules.push_back({"persistence.updated.preference", "rising-noise", "< copy", Compared("copy", false)});
  rules.push_back({"persistence.updated.preference", "rising-noise", "> stale", Compared("stale", true)});
  rules.push_back({"persistence.updated.preference", "forget", "< copy", Compared("copy", false)});
}

void AddCausality(std::vector<SanityRule>& rules) {
  rules.push_back({"causality.physics-iq.score", "frozen", "< 25: frames in which nothing moves agree, no more", Below(25)});
  for (const char* dummy : {"reverse", "wrongact", "passthru"})
    rules.push_back({"causality.physics-iq.score", dummy, "< copy", Compared("copy", false)});
  rules.push_back({"causality.twin.velocity.leak", "copy", "0", Near(0, 0)});
  for (const char* id : {"causality.twin.remove.leak", "causality.twin.velocity.leak"})
    for (const char* dummy : {"take2", "frozen", "ignore", "passthru"}) rules.push_back({id, dummy, "0", Near(0, 0)});
  rules.push_back({"causality.twin.velocity.leak", "random", "> 0", Above(0)});
  for (const char* id : {"causality.twin.remove.precision", "causality.twin.remove.recall"}) {
    rules.push_back({id, "take2", "> 0.85", Above(0.85)});
    rules.push_back({id, "passthru", "< copy", Compared("copy", false)});
  }
  rules.push_back({"causality.twin.velocity.cne", "take2", "< 0.1", Below(0.1)});
  rules.push_back({"causality.twin.velocity.cne", "passthru", "> copy", Compared("copy", true)});
  for (const char* dummy : {"frozen", "ignore", "reverse", "random", "wrongact"})
    rules.push_back({"causality.following.af", dummy, "< 0.2: the floor", Below(0.2), On::kBuiltIn});
  rules.push_back({"causality.control.calibrated", "take2", "< copy", Compared("copy", false)});
  rules.push_back({"causality.control.calibrated", "ignore", "< 0.3", Below(0.3)});
  rules.push_back({"causality.control.calibrated", "passthru", "< copy", Compared("copy", false)});
  rules.push_back({"causality.control.calibrated", "passthru", "> wrongact", Compared("wrongact", true)});
  for (const char* id : {"causality.planning.picture.regret", "causality.planning.hit.regret", "causality.planning.meet.regret",
                         "causality.planning.door.regret", "causality.planning.pass.regret"})
    rules.push_back({id, "random", "1", Near(1, 1e-9)});
  for (const char* id : {"causality.planning.hit.regret", "causality.planning.meet.regret"})  // where there are second takes
    rules.push_back({id, "take2", "< wrongact", Compared("wrongact", false)});
  rules.push_back({"causality.planning.hit.regret", "passthru", "> 0", Above(0)});
}

}  // namespace

std::vector<SanityRule> MatrixSanityRules() {
  std::vector<SanityRule> rules;
  AddQuality(rules);
  AddPersistence(rules);
  AddCausality(rules);
  return rules;
}

}  // namespace orrery
