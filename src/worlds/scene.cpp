#include "worlds/scene.h"

#include <algorithm>
#include <charconv>

#include "core/config.h"
#include "worlds/params.h"
#include "worlds/registry.h"

namespace orrery {

namespace {

bool WholeNumber(const std::string& text, int64_t& value) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failed == std::errc() && end == text.data() + text.size();
}

SceneIntervention ParseIntervention(const Json& given, std::string_view what) {
  Json json = given;
  if (json.is_object() && json.contains("at") && json["at"].is_number_integer()) json["at"] = json["at"].dump();
  CheckKeys(json, {{"do", ""}, {"at", ""}, {"object", 0}, {"delta", 1.0}, {"means_nothing", false}}, what);
  SceneIntervention i;
  i.what = json.value("do", "");
  i.at = json.value("at", i.at);
  i.object = json.value("object", i.object);
  i.delta = json.value("delta", i.delta);
  i.means_nothing = json.value("means_nothing", i.means_nothing);
  if (i.what.empty()) Fail("{}: 'do' must name an intervention", what);
  int64_t at = 0;
  const bool number = WholeNumber(i.at, at);
  if (!number && i.at != "away" && i.at != "hidden")
    Fail("{}: 'at' must be a whole number, \"away\" or \"hidden\", got \"{}\"", what, i.at);
  if (number && at < 0) Fail("{}: 'at' must be 0 or more, got {}", what, at);
  if (i.at == "hidden" && i.object <= 0) Fail("{}: 'at' \"hidden\" needs the id of an 'object'", what);
  if (!(i.delta >= 0)) Fail("{}: 'delta' must be 0 or more, got {}", what, i.delta);
  return i;
}

// Before which action of the trajectory it happens. Throws NoRoom when it has no such time.
int64_t TimeOf(const SceneIntervention& i, const Trajectory& trajectory) {
  int64_t at = 0;
  if (i.at == "away") {
    const Visit* visit = trajectory.LongestVisit();
    if (!visit) throw NoRoom("nothing is left and seen again");
    return (visit->first + visit->back) / 2;
  }
  if (i.at == "hidden") {
    for (const HiddenSpan& span : trajectory.hidden)
      if (span.object == i.object && span.to <= static_cast<int64_t>(trajectory.actions.size()))
        return span.from + (span.to - span.from) / 3;  // the middle is where what rolled out of sight may just bounce
    throw NoRoom(fmt::format("object {} is not hidden and seen again", i.object));
  }
  ORRERY_CHECK(WholeNumber(i.at, at));
  if (at > static_cast<int64_t>(trajectory.actions.size()))
    Fail("an intervention comes at {}, after all of the {} actions", at, trajectory.actions.size());
  return at;
}

std::vector<SceneTwin> PlanTwins(const Scene& scene, World& world, const Trajectory& trajectory) {
  std::vector<SceneTwin> twins;
  const std::string start = world.Snapshot();
  for (const SceneIntervention& i : scene.interventions) {
    const SceneTwin twin{{trajectory.actions, i.what, TimeOf(i, trajectory)}, i.delta, i.means_nothing};
    world.Restore(start);
    for (int64_t t = 0; t < twin.plan.at; ++t) world.Step(twin.plan.actions[static_cast<size_t>(t)]);
    const std::string before = world.Snapshot();
    try {
      world.Intervene(i.what);
    } catch (const Error& e) {
      throw NoRoom(e.what());
    }
    if (world.Snapshot() == before) throw NoRoom(fmt::format("{} changes nothing then", i.what));
    twins.push_back(twin);
  }
  return twins;
}

}  // namespace

Scene ParseScene(const Json& json, std::string_view what, std::string name) {
  const Json defaults = {{"summary", ""}, {"world", ""},      {"trajectory", ""},
                         {"context", 0},  {"first_seed", 0},  {"scenarios", 0},
                         {"takes", 0},    {"picture", false}, {"interventions", Json::array()}};
  CheckKeys(json, defaults, what);
  Scene s;
  s.name = std::move(name);
  for (const char* key : {"context", "first_seed", "scenarios", "takes"})
    if (json.contains(key) && !(json[key].is_number_integer() && json[key] >= 0))
      Fail("{}: '{}' must be a whole number of 0 or more, got {}", what, key, json[key].dump());
  s.summary = json.value("summary", "");
  s.world = json.value("world", "");
  s.trajectory = json.value("trajectory", "");
  s.context = json.value("context", s.context);
  s.first_seed = json.value("first_seed", s.first_seed);
  s.scenarios = json.value("scenarios", s.scenarios);
  s.takes = json.value("takes", s.takes);
  s.picture = json.value("picture", s.picture);
  for (const auto& [key, value] : {std::pair{"summary", s.summary}, {"world", s.world}, {"trajectory", s.trajectory}})
    if (value.empty()) Fail("{}: '{}' must be given", what, key);
  if (s.context < 1) Fail("{}: 'context' must be 1 or more, got {}", what, s.context);
  if (s.scenarios < 1) Fail("{}: 'scenarios' must be 1 or more, got {}", what, s.scenarios);
  if (json.contains("interventions"))
    for (const Json& i : json["interventions"])
      s.interventions.push_back(ParseIntervention(i, fmt::format("{}: intervention {}", what, s.interventions.size())));
  try {
    const std::unique_ptr<World> world = MakeWorld(s.world);
    Trajectories().Make(s.trajectory);
    for (const SceneIntervention& i : s.interventions) {
      std::vector<std::string> valid;
      for (const Facts& facts : world->Facts().interventions) valid.push_back(facts.name);
      const std::vector<SpecPart> parts = ParseSpec(i.what);
      const auto& facts = world->Facts().interventions;
      const auto found = std::find_if(facts.begin(), facts.end(), [&](const Facts& f) { return f.name == parts.front().name; });
      if (found == facts.end()) FailUnknown("intervention", parts.front().name, valid);
      Bind(parts.front(), *found);
    }
  } catch (const Error& e) {
    Fail("{}: {}", what, e.what());
  }
  return s;
}

Scene LoadScene(const std::filesystem::path& file) { return ParseScene(ReadJson(file), file.string(), file.stem().string()); }

std::vector<Scene> LoadScenes(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed))
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  if (failed) Fail("{}: {}", folder.string(), failed.message());
  if (files.empty()) Fail("{}: expected scene files (*.json), found none", folder.string());
  std::sort(files.begin(), files.end());
  std::vector<Scene> scenes;
  for (const auto& file : files) scenes.push_back(LoadScene(file));
  return scenes;
}

Scene BuiltInScene(std::string_view name) {
  std::vector<std::string> names;
  for (const BuiltInText& scene : BuiltInSceneTexts()) {
    if (scene.name == name) return ParseScene(ParseJson(scene.json, scene.name), fmt::format("scene {}", name), std::string(name));
    names.emplace_back(scene.name);
  }
  FailUnknown("scene", name, names);
}

StagedScene StageScene(const Scene& scene, int64_t index) {
  ORRERY_CHECK(index >= 0);
  const std::unique_ptr<World> world = MakeWorld(scene.world);
  std::string reason;
  for (uint64_t i = 0; i < kSeedsPerScenario; ++i) {
    StagedScene staged;
    staged.seed = scene.first_seed + kSeedsPerScenario * static_cast<uint64_t>(index) + i;
    world->Reset(staged.seed);
    try {
      staged.trajectory = PlanTrajectory(scene.trajectory, *world, staged.seed);
      staged.twins = PlanTwins(scene, *world, staged.trajectory);
      if (static_cast<int64_t>(staged.trajectory.actions.size()) < scene.context)
        Fail("{} actions are fewer than the context of {} frames", staged.trajectory.actions.size(), scene.context);
      return staged;
    } catch (const NoRoom& e) {
      reason = e.what();
    } catch (const Error& e) {
      Fail("scene {}: {}", scene.name, e.what());
    }
  }
  Fail("scene {}: none of {} seeds makes scenario {}; the last one: {}", scene.name, kSeedsPerScenario, index, reason);
}

std::unique_ptr<World> StartScene(const Scene& scene, const StagedScene& staged, uint64_t take) {
  std::unique_ptr<World> world = MakeWorld(scene.world);
  world->Reset(staged.seed);
  world->Perturb(take);
  return world;
}

TwinPair RunTwins(const Scene& scene, const StagedScene& staged, size_t k) {
  ORRERY_CHECK(k < staged.twins.size());
  const TwinPlan& plan = staged.twins[k].plan;
  return {RunTwin(*StartScene(scene, staged), plan, false), RunTwin(*StartScene(scene, staged), plan, true)};
}

}  // namespace orrery
