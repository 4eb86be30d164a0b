// Scene files: families of scenarios that evaluation runs, one JSON file each (scenes/*.json). A scenario is a world at a seed, the
// actions, and twins in which something else happens.
#pragma once
#include <filesystem>

#include "worlds/trajectory.h"
#include "worlds/twins.h"

namespace orrery {

struct SceneIntervention {
  std::string what;      // what World::Intervene takes
  std::string at = "0";  // before which action: a whole number; "away": in the middle of the longest visit's gap; "hidden": a third into
                         // the first span in which `object` is out of sight
  int64_t object = 0;    // for "hidden"
  double delta = 1;      // from which distance on an object counts as changed (twins.h), in its own units
  bool means_nothing = false;  // nothing but the thing's look changes: the true effect is empty
};

struct Scene {
  std::string name;        // that of the file
  std::string summary;     // one line
  std::string world;       // spec
  std::string trajectory;  // spec
  int64_t context = 16;    // frames that a model is shown before it goes on by itself, 1 or more
  uint64_t first_seed = 0;
  int64_t scenarios = 64;  // how many there are meant to be
  int64_t takes = 0;       // second takes of each (World::Perturb), for the spread that physics itself has
  bool picture = false;    // stands for its world in the documents
  std::vector<SceneIntervention> interventions;
};

struct SceneTwin {
  TwinPlan plan;
  double delta = 1;
  bool means_nothing = false;
};

struct StagedScene {
  uint64_t seed = 0;
  Trajectory trajectory;
  std::vector<SceneTwin> twins;  // one for each intervention of the scene
};

// Throws Error in one line that names the file (`what`) and the key.
Scene ParseScene(const Json& json, std::string_view what, std::string name);
Scene LoadScene(const std::filesystem::path& file);
// Every *.json of a folder, by name. Throws Error when there is none.
std::vector<Scene> LoadScenes(const std::filesystem::path& folder);

// The scene files that were there when the program was built.
struct BuiltInText {
  std::string_view name, json;
};
const std::vector<BuiltInText>& BuiltInSceneTexts();
// Throws Error that lists the names.
Scene BuiltInScene(std::string_view name);

// Seeds of scenario i are tried from first_seed + kSeedsPerScenario * i on, until one has room for the trajectory and is changed by every
// intervention at its time; scenarios do not depend on each other. Throws Error with the last reason when none does.
constexpr uint64_t kSeedsPerScenario = 1000;
StagedScene StageScene(const Scene& scene, int64_t index);

// The world at the beginning of a scenario; take 0: as it is.
std::unique_ptr<World> StartScene(const Scene& scene, const StagedScene& staged, uint64_t take = 0);

// Both twins of twin k: as it goes, and with the intervention.
struct TwinPair {
  TwinRun factual, changed;
};
TwinPair RunTwins(const Scene& scene, const StagedScene& staged, size_t k);

}  // namespace orrery
