#include "worlds/twins.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace orrery {

TwinRun RunTwin(World& world, const TwinPlan& plan, bool change) {
  const auto steps = static_cast<int64_t>(plan.actions.size());
  if (plan.at < 0 || plan.at > steps)
    Fail("twins: the intervention must come before one of {} actions or after the last, got {}", steps, plan.at);
  const WorldFacts& facts = world.Facts();
  const auto size = static_cast<size_t>(3 * facts.height * facts.width);
  TwinRun run;
  run.frames.resize(size * static_cast<size_t>(steps + 1));
  const auto look = [&](int64_t t) {
    world.Render(std::span(run.frames).subspan(size * static_cast<size_t>(t), size));
    std::vector<WorldObject> objects = world.Objects();
    std::sort(objects.begin(), objects.end(), [](const WorldObject& a, const WorldObject& b) { return a.id < b.id; });
    run.objects.push_back(std::move(objects));
    run.events.push_back(world.Events());
  };
  look(0);
  for (int64_t t = 0; t <= steps; ++t) {
    if (change && t == plan.at && !plan.intervention.empty()) world.Intervene(plan.intervention);
    if (t == steps) break;
    world.Step(plan.actions[static_cast<size_t>(t)]);
    look(t + 1);
  }
  return run;
}

double ObjectDistance(const WorldObject& a, const WorldObject& b) {
  if (a.kind != b.kind || a.more.size() != b.more.size()) return std::numeric_limits<double>::infinity();
  double distance = std::max(std::abs(a.x - b.x), std::abs(a.y - b.y));
  for (size_t i = 0; i < a.more.size(); ++i) distance = std::max(distance, std::abs(a.more[i] - b.more[i]));
  return distance;
}

std::set<int64_t> CausalSet(const TwinRun& factual, const TwinRun& changed, double delta, int64_t last) {
  ORRERY_CHECK(factual.objects.size() == changed.objects.size());
  const auto frames = static_cast<int64_t>(factual.objects.size());
  std::set<int64_t> differ;
  for (int64_t t = 0; t < (last < 0 ? frames : std::min(frames, last + 1)); ++t) {
    std::map<int64_t, const WorldObject*> here;
    for (const WorldObject& o : factual.objects[static_cast<size_t>(t)]) here[o.id] = &o;
    for (const WorldObject& o : changed.objects[static_cast<size_t>(t)]) {
      const auto found = here.find(o.id);
      if (found == here.end() || ObjectDistance(*found->second, o) > delta) differ.insert(o.id);
      if (found != here.end()) here.erase(found);
    }
    for (const auto& [id, object] : here) differ.insert(id);
  }
  return differ;
}

}  // namespace orrery
