#include "cli/verbs.h"

#include <ATen/ATen.h>

#include <iostream>

#include "data/video.h"
#include "worlds/policy.h"
#include "worlds/registry.h"
#include "worlds/scene.h"

namespace orrery::cli {
namespace {

void List() {
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
  std::cout << "\ntrajectories\n";
  for (const auto& entry : Trajectories().Entries()) Print(entry.facts);
}

constexpr int64_t kColumns = 8, kScale = 2, kGap = 2;

// Frames of a twin that lie evenly over its time, [kColumns, H, W, 3].
at::Tensor Row(const World& world, TwinRun run) {
  const int64_t height = world.Facts().height, width = world.Facts().width, frames = static_cast<int64_t>(run.objects.size());
  const at::Tensor film = at::from_blob(run.frames.data(), {frames, height, width, 3}, at::kByte);
  return film.index_select(0, at::linspace(0, static_cast<double>(frames - 1), kColumns).round().to(at::kLong)).clone();
}

// One strip a world, from the scene that stands for it: above as it goes, below with the scene's first intervention.
void DrawPictures(const std::string& scenes, const std::filesystem::path& folder) {
  for (const Scene& scene : LoadScenes(scenes)) {
    if (!scene.picture) continue;
    const StagedScene staged = StageScene(scene, 0);
    const std::unique_ptr<World> world = StartScene(scene, staged);
    std::vector<at::Tensor> rows;
    if (staged.twins.empty()) {
      rows = {Row(*world, RunTwin(*world, {staged.trajectory.actions, "", 0}, false))};
    } else {
      TwinPair twins = RunTwins(scene, staged, 0);
      rows = {Row(*world, std::move(twins.factual)), Row(*world, std::move(twins.changed))};
    }
    const std::filesystem::path file = folder / (ParseSpec(scene.world).front().name + ".png");
    WritePng(file, FilmStrip(rows, kScale, kGap));
    std::cout << fmt::format("{}: {}, seed {}\n", file.string(), scene.name, staged.seed);
  }
}

}  // namespace

void Print(const Facts& facts) {
  std::cout << fmt::format("{}\n    {}\n", facts.name, facts.summary);
  for (const Param& p : facts.params) std::cout << fmt::format("    {} = {}: {}\n", p.name, p.value.dump(), p.doc);
}

void AddWorlds(CLI::App& app) {
  struct Options {
    std::string pictures, scenes = "scenes";
  };
  const auto o = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand(
      "worlds", "List the built-in worlds, their parameters, actions and interventions, the recording policies and the trajectories");
  verb->add_option("--pictures", o->pictures, "Instead draw a film strip of every world into this folder");
  verb->add_option("--scenes", o->scenes, "Folder of the scene files that the strips show")->capture_default_str();
  Example(*verb, "orrery worlds");
  verb->callback([o] {
    if (o->pictures.empty())
      List();
    else
      DrawPictures(o->scenes, o->pictures);
  });
}

}  // namespace orrery::cli
