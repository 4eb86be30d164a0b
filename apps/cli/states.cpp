#include <iostream>

#include "cli/verbs.h"
#include "dynamics/transition.h"
#include "state/registry.h"

namespace orrery::cli {
namespace {

struct StatesOptions {
  std::string spec;
  TransitionOptions network;
};

constexpr int64_t kHistories[] = {16, 64, 256, 1024, 4096};

void List() {
  for (const auto& entry : States().Entries()) {
    Print(entry.facts);
    const MemoryFacts facts = States().Make(std::string_view(entry.facts.name), MemoryGeometry{})->Declared();
    std::cout << fmt::format("    family {}, ports {}, {}{}\n    source: {}\n", facts.family, facts.ports,
                             facts.bounded ? "bounded" : "grows with the history", facts.needs_pose ? ", needs poses" : "",
                             entry.facts.source);
  }
  std::cout << "\nA sum joins them: \"window(16) + ssm()\". With a spec, 'orrery states SPEC' gives bytes and costs.\n";
}

// Bytes and multiply-accumulates of a session against the length of its history, for 8 x 8 x 8 latents.
void Describe(const StatesOptions& o) {
  const Transition network(o.network, LatentShape{}, ActionSpace{6, 0, {}, {}, {}});
  const std::shared_ptr<Memory> memory = MakeMemory(o.spec, network.Geometry());
  const MemoryFacts facts = memory->Declared();
  int64_t own = 0, all = 0;
  for (const at::Tensor& p : memory->parameters()) own += p.numel();
  for (const at::Tensor& p : network.parameters()) all += p.numel();
  std::cout << fmt::format("{}\n    family {}, ports {}, {}\n    parameters: {} beside the network's {}\n", memory->Spec(), facts.family,
                           facts.ports, facts.bounded ? "bounded" : "grows with the history", own, all);
  std::cout << "    frames        bytes    read MMAC/pass/layer    select MMAC/frame    write MMAC/frame\n";
  for (const int64_t T : kHistories) {
    const MemoryCost c = memory->Cost(T);
    std::cout << fmt::format("    {:6} {:12}    {:20.3f}    {:17.3f}    {:16.3f}\n", T, memory->StateBytes(T, at::kFloat), c.read / 1e6,
                             c.select / 1e6, c.write / 1e6);
  }
}

}  // namespace

void AddStates(CLI::App& app) {
  const auto o = std::make_shared<StatesOptions>();
  CLI::App* verb = app.add_subcommand("states", "List the state mechanisms, or give size and cost of one, or of a sum");
  verb->add_option("spec", o->spec, "State spec, \"window(16) + ssm()\"; without it: the list");
  verb->add_option("--dim", o->network.dim, "Width of the network")->capture_default_str();
  verb->add_option("--depth", o->network.depth, "Blocks")->capture_default_str();
  verb->add_option("--heads", o->network.heads, "Attention heads")->capture_default_str();
  verb->add_option("--patch", o->network.patch, "Latent cells a token side")->capture_default_str();
  Example(*verb, "orrery states \"window(16) + retrieval.pose(k=4)\"");
  verb->callback([o] {
    if (o->spec.empty())
      List();
    else
      Describe(*o);
  });
}

}  // namespace orrery::cli
