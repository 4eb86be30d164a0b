#include <iostream>

#include "cli/verbs.h"
#include "dynamics/objectives/registry.h"
#include "dynamics/rollouts/rollouts.h"

namespace orrery::cli {
namespace {

// What a model that was trained so can be run with, in words.
std::string Words(const Capabilities& able) {
  std::string words = able.accepts_mixed_levels ? "frames of different noise in one pass" : "one noise level a pass";
  words += able.causal ? ", causal" : ", frames see each other both ways";
  if (able.block > 1) words += fmt::format(", blocks of {} frames", able.block);
  if (able.few_step) words += ", few steps";
  if (!able.levels.empty()) words += fmt::format(", {} levels only", able.levels.size());
  if (able.step_size) words += ", told the size of the step";
  return words + (able.clean_label ? ", clean frames labelled so" : "");
}

void ListObjectives() {
  std::cout << "Objectives (orrery train model --objective SPEC)\n";
  for (const auto& entry : Objectives().Entries()) {
    Print(entry.facts);
    const auto objective = Objectives().Make(std::string_view(entry.facts.name), NoisePaths().Make("flow"));
    std::cout << fmt::format("    trained for: {}\n    source: {}\n", Words(objective->Trained()), entry.facts.source);
  }
}

void ListRollouts(int64_t steps) {
  const std::shared_ptr<NoisePath> path = NoisePaths().Make("flow");
  const Capabilities all{.accepts_mixed_levels = true, .clean_label = true};
  std::cout << fmt::format("\nRollouts (orrery play, orrery rollout --rollout SPEC); figures at {} steps\n", steps);
  for (const auto& entry : Rollouts().Entries()) {
    Print(entry.facts);
    const RolloutPlan plan = MakeRollout(entry.facts.name, {*path, all, steps});
    const std::string needs = NeedsOf(plan);
    std::cout << fmt::format("    {} frames in flight, reaction latency {} frames{}, {} frame-forwards a frame{}\n    source: {}\n",
                             plan.FramesInFlight(), plan.ReactionLatency(),
                             plan.ReactionLatency() == 0 ? ""
                             : plan.reread               ? " (new actions are read on the next row)"
                                                         : " (in full)",
                             plan.ForwardsPerFrame(), needs.empty() ? "" : ", needs " + needs, entry.facts.source);
  }
}

}  // namespace

void AddDynamics(CLI::App& app) {
  const auto steps = std::make_shared<int64_t>(4);
  CLI::App* verb = app.add_subcommand("dynamics", "List training objectives, rollouts and noise paths, with what they need and cost");
  verb->add_option("--steps", *steps, "Denoising steps a frame, of the rollouts' figures")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  Example(*verb, "orrery dynamics --steps 8");
  verb->callback([steps] {
    ListObjectives();
    ListRollouts(*steps);
    std::cout << "\nNoise paths (orrery train model --path SPEC)\n";
    for (const auto& entry : NoisePaths().Entries()) {
      Print(entry.facts);
      std::cout << fmt::format("    source: {}\n", entry.facts.source);
    }
  });
}

}  // namespace orrery::cli
