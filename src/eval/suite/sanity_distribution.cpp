// What dummies must score in the distances between sets of films (evaluation 1.13). A film's content is its own affair there: the truth of
// other actions or of another scenario is as real as the truth.
#include "eval/suite/sanity_checks.h"

namespace orrery {

using namespace sanity;

namespace {

// Against a share of what another dummy scores, where that one has a value.
SanityCheck BelowShareOf(const char* other, double share) {
  return [=](double value, const Scores& all) {
    const auto found = all.find(other);
    return found == all.end() || !found->second.value || value < share * *found->second.value;
  };
}

}  // namespace

std::vector<SanityRule> DistributionSanityRules() {
  std::vector<SanityRule> rules;
  for (const char* id : {"quality.kid@F-img", "quality.fid@F-img", "quality.fid-inf@F-img"}) {
    for (const char* real : {"copy", "take2"}) rules.push_back({id, real, "< a fifth of blur: it is real", BelowShareOf("blur", 0.2)});
    for (const char* real : {"wrongact", "random"}) {
      rules.push_back({id, real, "< a fifth of blur: it is real", BelowShareOf("blur", 0.2), SanityRule::On::kAll, "!maze"});
      // Who acts blindly in a maze faces its walls more often than the explorer of the real films.
      rules.push_back({id, real, "< blur", Compared("blur", false), SanityRule::On::kAll, "maze"});
    }
    for (const char* fault : {"blur", "noise", "rising-noise"}) rules.push_back({id, fault, "> copy", Compared("copy", true)});
  }
  // Between few films random features see above all which films they are: only faults of the same films are told, and of recordings, which
  // nobody has run a gate on, not even those for sure.
  constexpr auto kBuiltIn = SanityRule::On::kBuiltIn;
  for (const char* id : {"quality.kid@F-rand", "quality.fid@F-rand", "quality.fid-inf@F-rand"})
    for (const char* fault : {"blur", "noise"}) rules.push_back({id, fault, "> copy", Compared("copy", true), kBuiltIn});
  for (const char* id : {"quality.kid@F-img", "quality.kid@F-rand", "quality.fid@F-img", "quality.fid@F-rand"})
    for (const char* dummy : {"shuffle", "reverse"}) rules.push_back({id, dummy, "= copy: it cannot see time", SameAs("copy", 1e-6)});
  for (const char* id : {"quality.kvd@F-vid", "quality.jedi@F-vid", "quality.fvd@F-vid", "quality.fvd-inf@F-vid"}) {
    for (const char* real : {"copy", "take2", "wrongact", "random"})
      rules.push_back({id, real, "< a fifth of shuffle: it cannot see what actions do", BelowShareOf("shuffle", 0.2)});
    for (const char* fault : {"shuffle", "frozen", "blur", "noise", "rising-noise"})
      rules.push_back({id, fault, "> copy", Compared("copy", true)});
  }
  for (const char* id : {"quality.kvd@F-rand", "quality.jedi@F-rand", "quality.fvd@F-rand", "quality.fvd-inf@F-rand"}) {
    rules.push_back({id, "blur", "> copy", Compared("copy", true), kBuiltIn});
    rules.push_back({id, "frozen", "> copy", Compared("copy", true), kBuiltIn});
  }
  rules.push_back({"quality.f-pair", "copy", "0", Near(0, 1e-12)});
  for (const char* fault : {"noise", "blur", "frozen", "lag2"})
    rules.push_back({"quality.f-pair", fault, "> copy", Compared("copy", true)});
  for (const char* nearer : {"noise", "blur", "frozen", "shuffle", "reverse", "wrongact"})
    rules.push_back({"quality.f-pair", nearer, "< random", Compared("random", false)});
  return rules;
}

}  // namespace orrery
