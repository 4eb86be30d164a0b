#include "cli/verbs.h"

#include <iostream>

#include "worlds/policy.h"
#include "worlds/registry.h"

namespace orrery::cli {
namespace {

void Print(const Facts& facts) {
  std::cout << fmt::format("{}\n    {}\n", facts.name, facts.summary);
  for (const Param& p : facts.params) std::cout << fmt::format("    {} = {}: {}\n", p.name, p.value.dump(), p.doc);
}

}  // namespace

void AddWorlds(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("worlds", "List the built-in worlds, their parameters and actions, and the recording policies");
  Example(*verb, "orrery worlds");
  verb->callback([] {
    for (const auto& entry : Worlds().Entries()) {
      Print(entry.facts);
      const std::unique_ptr<World> world = MakeWorld(entry.facts.name);
      const WorldFacts& f = world->Facts();
      std::string actions;
      for (const std::string& name : f.actions.names) actions += (actions.empty() ? "" : ", ") + name;
      if (f.actions.count > 16) actions = fmt::format("{} of two agents: {}, ...", f.actions.count, f.actions.names.front());
      std::cout << fmt::format("    actions: {}\n    frames: {}x{} at {:.4g}/s\n", actions, f.height, f.width, f.fps);
      for (const orrery::Facts& i : f.interventions) {
        Json defaults = Json::object();
        for (const Param& p : i.params) defaults[p.name] = p.value;
        std::cout << fmt::format("    intervention {}: {}\n", FormatSpec(i.name, defaults), i.summary);
      }
    }
    std::cout << "\npolicies\n";
    for (const auto& entry : Policies().Entries()) Print(entry.facts);
  });
}

}  // namespace orrery::cli
