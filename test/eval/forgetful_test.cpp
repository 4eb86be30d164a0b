// Dummies that lose what is out of sight: forget and stale.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "scenes.h"
#include "worlds/keys.h"

namespace orrery {
namespace {

Film Of(const char* dummy, const Scenario& s, uint64_t sample = 0) { return Imagine(*Judged(std::string("dummy:") + dummy), s, sample); }

// Turns away, stands `wait` frames, turns back.
Scenario LookAway(const std::string& world, uint64_t seed, int wait) {
  return {world, seed, 2, Runs({{0, 1}, {3, 12}, {0, wait}, {2, 12}, {0, 1}}), "", 0, 0};
}

TEST(Dummies, ForgetDrawsAnewWhatWasOutOfSightForTooLong) {
  for (uint64_t seed = 0; seed < 5; ++seed) {
    const Scenario brief = LookAway("maze", seed, 4), late = LookAway("maze", seed, 40);
    const Film truth = MakeTruth(late).film, film = Of("forget", late);
    EXPECT_TRUE(at::equal(truth.frames[-1], truth.frames[0])) << "the way back is exact";
    EXPECT_TRUE(at::equal(Of("forget", brief).frames[-1], truth.frames[0])) << "28 frames are remembered";
    EXPECT_FALSE(at::equal(film.frames[-1], truth.frames[0])) << seed;
    for (size_t t = 0; t < film.poses.size(); ++t) {
      ASSERT_EQ(film.poses[t].x, truth.poses[t + 2].x);
      ASSERT_EQ(film.poses[t].angle, truth.poses[t + 2].angle);
    }
    EXPECT_TRUE(at::equal(Imagine(*Judged("dummy:forget(frames=100)"), late, 0).frames[-1], truth.frames[0]));
    EXPECT_FALSE(at::equal(Of("forget", late, 1).frames[-1], film.frames[-1])) << "samples differ";
  }
}

TEST(Dummies, ForgetNeverChangesWhatIsInSight) {
  // While nothing has been forgotten of what was seen, what comes into sight for the first time is not the truth; once in sight it stays.
  const Scenario s{"maze", 2, 2, Runs({{0, 1}, {3, 12}, {0, 50}}), "", 0, 0};
  const at::Tensor frames = Of("forget", s).frames;
  for (int64_t t = 13; t < frames.size(0); ++t) ASSERT_TRUE(at::equal(frames[t], frames[12])) << t;
}

TEST(Dummies, ForgetOfDiscsLosesTheirIdentity) {
  int changed = 0, hidden = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Scenario s{"occluder(discs=3)", seed, 2, Runs({{0, 1}, {5, 1}, {0, 40}, {5, 1}, {0, 1}}), "", 0, 0};  // 41 frames of darkness
    const Film truth = MakeTruth(s).film, film = Of("forget", s);
    for (size_t i = 0; i < 3; ++i) {
      ++hidden;
      changed += film.objects.back()[i].more != truth.objects.back()[i].more;
    }
    Scenario brief = s;
    brief.actions = Runs({{0, 1}, {5, 1}, {0, 20}, {5, 1}, {0, 1}});
    const at::Tensor shown = Of("forget(frames=200)", brief).frames;
    EXPECT_TRUE(at::equal(shown[0], MakeTruth(brief).film.frames[2]));
  }
  // By chance one of 24 looks is the old one.
  EXPECT_NEAR(static_cast<double>(changed) / hidden, 23.0 / 24, 0.1);
}

TEST(Dummies, ForgetOfTilesKeepsWallsAndDoorsInPlace) {
  int moved = 0;
  for (uint64_t seed = 0; seed < 6; ++seed) {
    const Scenario s = PolicyScenario("keys(view=5, size=12)", seed, 6, 60, "random");
    const auto world = Judged("dummy:forget")->Begin(s, 0);
    RecordFilm(*world, s, 5, 60);
    const auto truth = ContextEnd(s);
    RecordFilm(*truth, s, 5, 60);
    const auto tiles = world->TrueState()[1].values, real = truth->TrueState()[1].values;
    ASSERT_EQ(tiles.size(), real.size());
    for (size_t i = 0; i < tiles.size(); i += 4) {
      const bool fixed = real[i + 1] == KeysTile::kWall || real[i + 1] == KeysTile::kDoor || real[i + 1] == KeysTile::kGate;
      if (fixed) {
        EXPECT_EQ(tiles[i + 1], real[i + 1]);
      }
      moved += tiles[i + 1] != real[i + 1];
    }
    std::multiset<double> items, real_items;
    for (size_t i = 1; i < tiles.size(); i += 4) items.insert(tiles[i]), real_items.insert(real[i]);
    EXPECT_EQ(items.count(KeysTile::kLever), real_items.count(KeysTile::kLever)) << "dealt out, not lost";
    EXPECT_EQ(items.count(KeysTile::kBox), 1u);
  }
  EXPECT_GT(moved, 12);
}

TEST(Dummies, StaleObjectsOfTheMazeReturnWhereTheyWere) {
  int tested = 0;
  for (uint64_t seed = 0; seed < 40 && tested < 3; ++seed) {
    Scenario s = LookAway("maze", seed, 10);
    const auto world = StartWorld(s);
    std::vector<int32_t> ids(64 * 64);
    world->RenderIds(ids);
    const int32_t id = *std::max_element(ids.begin(), ids.end());
    if (id < 2) continue;
    ++tested;
    const WorldObject agent = ObjectOf(world->Objects(), 1);
    s.intervention = fmt::format("move-object(object={}, x={}, y={})", id, static_cast<int>(agent.x), static_cast<int>(agent.y));
    s.at = 18;
    const Film truth = MakeTruth(s).film, film = Of("stale", s);
    EXPECT_EQ(ObjectOf(film.objects.back(), id).x, ObjectOf(truth.objects.front(), id).x);
    EXPECT_NE(ObjectOf(truth.objects.back(), id), ObjectOf(truth.objects.front(), id));
    EXPECT_TRUE(at::equal(film.frames[-1], truth.frames[0])) << "R_old = 1";
    EXPECT_FALSE(at::equal(film.frames[-1], truth.frames[-1])) << "R_new = 0";
    s.at = 1;  // in sight: it is noticed
    EXPECT_TRUE(at::equal(Of("stale", s).frames, Future(s)));
  }
  EXPECT_EQ(tested, 3);
}

TEST(Dummies, StaleDiscsPauseWhileHidden) {
  int64_t paused = 0, truly = 0;
  for (uint64_t seed = 0; seed < 6; ++seed) {
    const Scenario s{"occluder(discs=4)", seed, 4, Runs({{0, 30}, {5, 1}, {0, 20}, {5, 1}, {0, 40}}), "", 0, 0};
    const auto world = Judged("dummy:stale")->Begin(s, 0), truth = ContextEnd(s);
    std::vector<int32_t> ids(64 * 64);
    for (size_t t = 3; t < s.actions.size(); ++t) {
      world->RenderIds(ids);
      const std::set<int64_t> seen(ids.begin(), ids.end());
      const std::vector<WorldObject> before = world->Objects(), real = truth->Objects();
      world->Step(s.actions[t]);
      truth->Step(s.actions[t]);
      for (size_t i = 0; i < before.size(); ++i) {
        if (seen.contains(before[i].id)) {
          EXPECT_NE(world->Objects()[i].x, before[i].x) << "in sight they roll";
          continue;
        }
        ++paused;
        EXPECT_EQ(world->Objects()[i].x, before[i].x);
        truly += truth->Objects()[i].x != real[i].x;
      }
    }
  }
  EXPECT_GT(paused, 100);
  EXPECT_EQ(truly, paused);
}

TEST(Dummies, StaleDoorsOutOfSightStayShut) {
  int ignored = 0, taken = 0;
  for (uint64_t seed = 0; seed < 30; ++seed) {
    Scenario s{"keys(view=5)", seed, 2, Runs({{6, 6}}), "open-door", 3, 0};
    const auto start = ContextEnd(s);
    std::vector<int32_t> ids(40 * 40);
    start->RenderIds(ids);
    int64_t door = 0;
    for (const WorldObject& object : start->Objects())
      if (object.kind == "door") door = object.id;
    const bool seen = std::find(ids.begin(), ids.end(), static_cast<int32_t>(door)) != ids.end();
    const Film film = Of("stale", s);
    EXPECT_EQ(ObjectOf(film.objects.back(), door).more[0], seen ? 1 : 0) << seed;
    EXPECT_EQ(ObjectOf(MakeTruth(s).film.objects.back(), door).more[0], 1);
    (seen ? taken : ignored) += 1;
  }
  EXPECT_GT(ignored, 3);
  EXPECT_GT(taken, 3);
}

}  // namespace
}  // namespace orrery
