#include "eval/report/mechanism.h"

#include <algorithm>
#include <set>

#include "state/registry.h"

namespace orrery {

namespace {

const std::set<std::string> kExplicit = {"hidden variable", "parametric", "semantic", "geometry"};

// Of one part. A family's branch of the taxonomy shows in its port: what is looked up outside the network comes in by the input.
std::string KindOf(const std::string& name, const MemoryFacts& facts) {
  if (facts.family == "baseline") return facts.bounded ? "sliding window" : "full attention";
  if (facts.family == "compression") return name == "tome" ? "dynamic compression" : "static compression";
  if (facts.family == "retrieval") return facts.ports.find('I') == std::string::npos ? "internal retrieval" : "external retrieval";
  if (facts.family == "hidden") return "hidden variable";
  if (facts.family == "semantics") return "semantic";
  return facts.family;
}

}  // namespace

bool Mechanism::Has(const std::string& part) const { return std::find(parts.begin(), parts.end(), part) != parts.end(); }

Mechanism DescribeState(const std::string& spec) {
  Mechanism m;
  if (spec.empty()) return m;
  std::set<std::string> kinds;
  try {
    for (const SpecPart& part : ParseSpec(spec)) {
      const MemoryFacts facts = States().Make(part, MemoryGeometry{})->Declared();
      m.parts.push_back(part.name);
      m.bounded = m.bounded && facts.bounded;
      m.window = m.window < 0 || facts.held < 0 ? -1 : std::max(m.window, facts.held);
      m.reach = m.reach < 0 || facts.reach < 0 ? -1 : std::max(m.reach, facts.reach);
      kinds.insert(KindOf(part.name, facts));
    }
  } catch (const Error&) {
    Mechanism unknown;
    unknown.kind = "unknown";
    return unknown;
  }
  if (kinds.size() > 1) kinds.erase("sliding window");  // what a window stands beside names the whole
  m.kind = kinds.size() == 1 ? *kinds.begin() : "hybrid";
  const auto told = [](const std::string& kind) { return kExplicit.contains(kind); };
  m.explicit_state = std::all_of(kinds.begin(), kinds.end(), told);
  m.implicit = std::none_of(kinds.begin(), kinds.end(), told);
  return m;
}

}  // namespace orrery
