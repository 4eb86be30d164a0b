// Every scene file of the repository makes its scenarios, and its twins differ by what the intervention says and by nothing else.
#include "worlds/scene.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "../core/error_of.h"
#include "core/config.h"
#include "worlds/registry.h"

namespace orrery {
namespace {

TEST(SceneFiles, MakeScenariosThatRepeat) {
  for (const Scene& scene : LoadScenes("scenes")) {
    SCOPED_TRACE(scene.name);
    std::set<uint64_t> seeds;
    for (int64_t i = 0; i < 3; ++i) {
      const StagedScene staged = StageScene(scene, i), again = StageScene(scene, i);
      EXPECT_EQ(staged.seed, again.seed);
      EXPECT_EQ(staged.trajectory.actions, again.trajectory.actions);
      EXPECT_TRUE(seeds.insert(staged.seed).second);
      EXPECT_GT(static_cast<int64_t>(staged.trajectory.actions.size()), scene.context) << "something is left to tell";
      EXPECT_EQ(staged.twins.size(), scene.interventions.size());
      const auto world = StartScene(scene, staged);
      for (const auto& action : staged.trajectory.actions) world->Step(action);
      for (int64_t take = 1; take <= scene.takes; ++take) {
        const auto nudged = StartScene(scene, staged, static_cast<uint64_t>(take));
        EXPECT_NE(nudged->Snapshot(), StartScene(scene, staged)->Snapshot());
      }
    }
  }
}

TEST(SceneFiles, RealInterventionsHaveEffectsAndOthersNone) {
  for (const Scene& scene : LoadScenes("scenes")) {
    SCOPED_TRACE(scene.name);
    for (int64_t i = 0; i < 2; ++i) {
      const StagedScene staged = StageScene(scene, i);
      for (size_t k = 0; k < staged.twins.size(); ++k) {
        const SceneTwin& twin = staged.twins[k];
        const auto [factual, changed] = RunTwins(scene, staged, k);
        EXPECT_TRUE(CausalSet(factual, changed, 0, twin.plan.at).empty()) << twin.plan.intervention << ": nothing differs before";
        const std::set<int64_t> effect = CausalSet(factual, changed, twin.delta);
        if (twin.means_nothing)
          EXPECT_TRUE(effect.empty()) << twin.plan.intervention << ' ' << staged.seed;
        else
          EXPECT_FALSE(effect.empty()) << twin.plan.intervention << ' ' << staged.seed;
      }
    }
  }
}

TEST(Scenes, EveryWorldHasOneAndOnePicture) {
  std::map<std::string, int> pictures;
  for (const Scene& scene : LoadScenes("scenes")) pictures[ParseSpec(scene.world).front().name] += scene.picture;
  for (const std::string& name : Worlds().Names()) EXPECT_EQ(pictures[name], 1) << name;
}

TEST(Scenes, ADominoTakenAwayChangesASuffixOnly) {
  const Scene scene = LoadScene("scenes/dominoes-remove.json");
  const StagedScene staged = StageScene(scene, 0);
  const auto [factual, changed] = RunTwins(scene, staged, 0);
  const std::set<int64_t> effect = CausalSet(factual, changed, scene.interventions[0].delta);
  for (int64_t id = 6; id <= 10; ++id) EXPECT_TRUE(effect.contains(id)) << id;
  EXPECT_FALSE(effect.contains(1));
}

TEST(Scenes, AnObjectMovesOnlyWhileItIsOutOfSight) {
  const Scene scene = LoadScene("scenes/maze-moved-object.json");
  for (int64_t i = 0; i < 4; ++i) {
    const StagedScene staged = StageScene(scene, i);
    const auto world = StartScene(scene, staged);
    std::vector<int32_t> ids(static_cast<size_t>(world->Facts().height * world->Facts().width));
    const auto shown = [&] {
      world->RenderIds(ids);
      return std::count(ids.begin(), ids.end(), 2) > 0;
    };
    bool before = shown();
    for (int64_t t = 0; t < staged.twins[0].plan.at; ++t) {
      world->Step(staged.twins[0].plan.actions[static_cast<size_t>(t)]);
      before |= shown();
    }
    EXPECT_TRUE(before);
    EXPECT_FALSE(shown());
  }
}

TEST(Scenes, FaultsAreOneLineThatNamesFileAndKey) {
  const Json good = {{"summary", "s"}, {"world", "dominoes"}, {"trajectory", "script(actions=\"none*20\")"}};
  EXPECT_EQ(ErrorOf([&] { ParseScene(good, "x.json", "x"); }), "no error");
  const auto error = [&](const char* key, const Json& value) {
    Json bad = good;
    bad[key] = value;
    const std::string message = ErrorOf([&] { ParseScene(bad, "x.json", "x"); });
    EXPECT_EQ(message.find('\n'), std::string::npos);
    EXPECT_NE(message.find("x.json"), std::string::npos) << message;
    return message;
  };
  EXPECT_NE(error("wrld", "maze").find("did you mean 'world'"), std::string::npos);
  EXPECT_NE(error("world", 3).find("'world' must be a string"), std::string::npos);
  EXPECT_NE(error("world", "domino").find("did you mean 'dominoes'"), std::string::npos);
  EXPECT_NE(error("world", "").find("'world' must be given"), std::string::npos);
  EXPECT_NE(error("trajectory", "spiral").find("trajectory"), std::string::npos);
  EXPECT_NE(error("context", 0).find("'context'"), std::string::npos);
  EXPECT_NE(error("scenarios", 1.5).find("'scenarios'"), std::string::npos);
  EXPECT_NE(error("first_seed", -1).find("'first_seed'"), std::string::npos);
  const auto intervention = [&](const Json& value) { return error("interventions", Json::array({value})); };
  EXPECT_NE(intervention({{"do", "explode"}}).find("unknown intervention 'explode'"), std::string::npos);
  EXPECT_NE(intervention({{"do", "remove(piece=3)"}}).find("piece"), std::string::npos);
  EXPECT_NE(intervention({{"at", 3}}).find("'do'"), std::string::npos);
  EXPECT_NE(intervention({{"do", "remove(3)"}, {"at", "later"}}).find("\"away\" or \"hidden\""), std::string::npos);
  EXPECT_NE(intervention({{"do", "remove(3)"}, {"at", "hidden"}}).find("'object'"), std::string::npos);
  EXPECT_NE(intervention({{"do", "remove(3)"}, {"when", 3}}).find("when"), std::string::npos);
  EXPECT_NE(intervention(Json(3)).find("object"), std::string::npos);
  EXPECT_THROW(LoadScenes("no-such-folder"), Error);
}

TEST(Scenes, WhatNeverWorksIsRefusedWithTheReason) {
  const Json late = {{"summary", "s"},
                     {"world", "dominoes"},
                     {"trajectory", "script(actions=\"none*20\")"},
                     {"interventions", Json::array({{{"do", "remove(domino=99)"}, {"at", 3}}})}};
  const std::string message = ErrorOf([&] { StageScene(ParseScene(late, "x.json", "x"), 0); });
  EXPECT_NE(message.find("scene x"), std::string::npos);
  EXPECT_NE(message.find("99"), std::string::npos) << message;
  Json wrong = late;
  wrong["trajectory"] = "loop";
  EXPECT_EQ(ErrorOf([&] { StageScene(ParseScene(wrong, "x.json", "x"), 0); }).find("scene x: trajectory loop: knows the world maze"), 0u);
  Json brief = late;
  brief["context"] = 21;
  brief["interventions"] = Json::array();
  EXPECT_NE(ErrorOf([&] { StageScene(ParseScene(brief, "x.json", "x"), 0); }).find("context of 21 frames"), std::string::npos);
}

}  // namespace
}  // namespace orrery
