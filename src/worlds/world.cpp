#include "worlds/world.h"

namespace orrery {

const std::vector<WorldEvent>& World::Events() const {
  static const std::vector<WorldEvent> none;
  return none;
}

void World::Intervene(std::string_view spec) {
  const std::vector<SpecPart> parts = ParseSpec(spec);
  if (parts.size() != 1) Fail("intervention \"{}\": expected one, got {}", spec, parts.size());
  std::vector<std::string> names;
  for (const orrery::Facts& facts : Facts().interventions) {
    if (facts.name == parts[0].name) return DoIntervene(facts.name, Bind(parts[0], facts));
    names.push_back(facts.name);
  }
  if (names.empty()) Fail("{}: takes no interventions", Facts().spec);
  FailUnknown("intervention", parts[0].name, names);
}

}  // namespace orrery
