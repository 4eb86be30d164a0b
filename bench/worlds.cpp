// Frames that each world steps and renders in a second of one core's time (not of the clock, so that other work on the
// machine matters less); prints one JSON object.
#include <cstdio>
#include <ctime>
#include <string>

#include "worlds/policy.h"
#include "worlds/registry.h"

namespace orrery {
namespace {

Json Measure(const std::string& spec) {
  const auto world = MakeWorld(spec);
  const auto policy = MakePolicy("explore");
  world->Reset(1);
  Rng rng(1);
  std::vector<std::vector<float>> actions;
  for (int i = 0; i < 2000; ++i) {
    actions.push_back(policy->Act(*world, rng));
    world->Step(actions.back());
  }
  world->Reset(1);
  std::vector<uint8_t> rgb(static_cast<size_t>(3 * world->Facts().height * world->Facts().width));
  const std::clock_t start = std::clock();
  const auto used = [&] { return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC; };
  int64_t frames = 0;
  while (used() < 2)
    for (const auto& action : actions) {
      world->Step(action);
      world->Render(rgb);
      ++frames;
    }
  return {{"world", world->Facts().spec}, {"frames_per_core_second", static_cast<double>(frames) / used()}};
}

}  // namespace
}  // namespace orrery

int main() {
  orrery::Json results = orrery::Json::array();
  for (const char* spec : {"maze", "maze(step=continuous)", "maze(height=128, width=128)", "billiards", "billiards(balls=12)"})
    results.push_back(orrery::Measure(spec));
  std::puts(orrery::Json{{"benchmark", "worlds"}, {"results", results}}.dump(2).c_str());
}
