// Planned ways: they touch no wall, come back to the bit, and say truly which frames look alike and what was out of sight.
#include "worlds/trajectory.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "../core/error_of.h"
#include "worlds/keys.h"
#include "worlds/maze.h"
#include "worlds/occluder.h"
#include "worlds/policy.h"
#include "worlds/registry.h"

namespace orrery {
namespace {

struct Film {
  std::vector<std::string> frames;
  std::vector<Pose> poses;
};

std::string Frame(const World& world) {
  std::vector<uint8_t> rgb(static_cast<size_t>(3 * world.Facts().height * world.Facts().width));
  world.Render(rgb);
  return {rgb.begin(), rgb.end()};
}

Film Play(World& world, const ActionList& actions) {
  Film film;
  for (size_t t = 0; t <= actions.size(); ++t) {
    if (t > 0) world.Step(actions[t - 1]);
    film.frames.push_back(Frame(world));
    film.poses.push_back(world.TruePose().value_or(Pose{}));
  }
  return film;
}

bool Same(const Pose& a, const Pose& b) { return a.x == b.x && a.y == b.y && a.angle == b.angle; }

// In the maze every step forward covers a quarter of a cell (rounded to 1/64 an axis), unless a wall is in the way.
void ExpectNoBumps(const World& world, const ActionList& actions, const Film& film) {
  for (size_t t = 0; t < actions.size(); ++t) {
    const std::string& name = world.Facts().actions.names[static_cast<size_t>(actions[t][0])];
    const double moved = std::hypot(film.poses[t + 1].x - film.poses[t].x, film.poses[t + 1].y - film.poses[t].y);
    if (name.starts_with("forward"))
      ASSERT_TRUE(moved > 0.242 && moved < 0.2525) << name << ' ' << t << ' ' << moved;
    else
      ASSERT_EQ(moved, 0) << name;
  }
}

void ExpectTrueVisits(const Trajectory& trajectory, const Film& film) {
  std::vector<Visit> expected;
  for (size_t t = 1; t < film.poses.size(); ++t) {  // by the definition
    size_t last = t;
    while (last-- > 0 && !Same(film.poses[last], film.poses[t])) {
    }
    if (last < t && last + 1 < t) expected.push_back({static_cast<int64_t>(last), static_cast<int64_t>(t)});
  }
  ASSERT_EQ(trajectory.visits, expected);
  for (const Visit& v : trajectory.visits)
    ASSERT_EQ(film.frames[static_cast<size_t>(v.first)], film.frames[static_cast<size_t>(v.back)]) << v.first << ' ' << v.back;
}

struct MazeCase {
  const char* spec;
  bool returns;  // ends in the first pose
};

TEST(Trajectories, OfTheMazeReturnToTheBitAndTouchNoWall) {
  const MazeCase cases[] = {{"out-and-back(cells=3)", true},
                            {"out-and-back(cells=1, laps=3)", true},
                            {"loop(cells=8)", false},
                            {"loop(cells=12, laps=3)", false},
                            {"square-loop(side=2)", false},
                            {"square-loop(side=1, laps=4)", false},
                            {"full-turn(turns=2, again=0)", true},
                            {"look-away(degrees=90, hold=20)", true},
                            {"palindrome(frames=40)", true},
                            {"palindrome(frames=5, laps=4)", true},
                            {"mirror(path=0)", true},
                            {"mirror(path=2)", true},
                            {"mirror(path=3)", true},
                            {"mirror(path=8, frames=6)", true},
                            {"gap(frames=100, again=0)", true},
                            {"waypoints(count=5)", true},
                            {"hunt", true}};
  std::set<float> used;
  for (const MazeCase& c : cases) {
    const auto world = MakeWorld("maze(height=32, width=32)");
    for (uint64_t i = 0; i < 25; ++i) {
      const uint64_t seed = SeedWithRoom(c.spec, *world, 1000 * i);
      const std::string before = world->Snapshot();
      const Trajectory trajectory = PlanTrajectory(c.spec, *world, seed);
      EXPECT_EQ(world->Snapshot(), before) << "planning leaves the world alone";
      EXPECT_EQ(PlanTrajectory(c.spec, *world, seed).actions, trajectory.actions);
      const Film film = Play(*world, trajectory.actions);
      ASSERT_NO_FATAL_FAILURE(ExpectNoBumps(*world, trajectory.actions, film)) << c.spec << ' ' << seed;
      ASSERT_NO_FATAL_FAILURE(ExpectTrueVisits(trajectory, film)) << c.spec << ' ' << seed;
      ASSERT_FALSE(trajectory.visits.empty()) << c.spec << ' ' << seed;
      if (c.returns) {
        EXPECT_EQ(film.frames.front(), film.frames.back()) << c.spec << ' ' << seed;
        EXPECT_EQ(trajectory.visits.back().back, static_cast<int64_t>(trajectory.actions.size()));
      }
      for (const auto& action : trajectory.actions) used.insert(action[0]);
    }
  }
  EXPECT_EQ(used.size(), 6u) << "every action is used";
}

TEST(Trajectories, WaysFollowOneAnotherAndComeBack) {
  const auto world = MakeWorld("maze(height=16, width=16)");
  const std::vector<std::string> specs{"look-away(degrees=180, hold=4)", "gap(frames=40, again=0)", "loop(cells=600)"};
  for (uint64_t seed = 0; seed < 8; ++seed) {
    world->Reset(seed);
    const std::string before = world->Snapshot();
    const ActionList actions = PlanWays(specs, *world, seed, 200);
    EXPECT_EQ(world->Snapshot(), before);
    EXPECT_EQ(actions.size(), 200u);
    EXPECT_EQ(PlanWays(specs, *world, seed, 200), actions);
    int64_t far = 0;
    for (const Visit& v : Follow(*world, actions).visits) far += v.back - v.first >= 16;
    EXPECT_GE(far, 20) << seed;
  }
  EXPECT_NE(ErrorOf([&] { PlanWays({"spiral"}, *world, 0, 10); }).find("look-away"), std::string::npos);
}

TEST(Trajectories, LapsRepeatEveryFrame) {
  const auto world = MakeWorld("maze(height=16, width=16)");
  for (const char* spec : {"loop(cells=8, laps=2)", "figure-eight(laps=2)", "square-loop(laps=2)"})
    for (uint64_t i = 0; i < 10; ++i) {
      const uint64_t seed = SeedWithRoom(spec, *world, 1000 * i);
      const Trajectory trajectory = PlanTrajectory(spec, *world, seed);
      const Visit* longest = trajectory.LongestVisit();
      ASSERT_NE(longest, nullptr);
      const int64_t lap = longest->back - longest->first;
      EXPECT_GE(lap, 8 * 4);
      int64_t pairs = 0;
      for (const Visit& v : trajectory.visits) pairs += v.back - v.first == lap;
      EXPECT_GE(pairs, lap / 2) << spec << ' ' << seed << ": the second lap sees what the first saw";
    }
}

TEST(Trajectories, ALoopIsACircuitAndNotAWayBack) {
  const auto world = MakeWorld("maze(height=16, width=16)");
  for (uint64_t i = 0; i < 10; ++i) {
    const uint64_t seed = SeedWithRoom("loop(cells=8, laps=1)", *world, 1000 * i);
    const Trajectory trajectory = PlanTrajectory("loop(cells=8, laps=1)", *world, seed);
    const Film film = Play(*world, trajectory.actions);
    const Visit* loop = trajectory.LongestVisit();
    ASSERT_NE(loop, nullptr);
    std::set<std::pair<int, int>> cells;
    int entered = 0;
    for (int64_t t = loop->first + 1; t <= loop->back; ++t) {
      const Pose &a = film.poses[static_cast<size_t>(t - 1)], &b = film.poses[static_cast<size_t>(t)];
      const std::pair from{static_cast<int>(a.x), static_cast<int>(a.y)}, to{static_cast<int>(b.x), static_cast<int>(b.y)};
      entered += from != to;
      cells.insert(to);
    }
    EXPECT_GE(cells.size(), 8u);
    EXPECT_EQ(entered, static_cast<int>(cells.size())) << "no cell is entered twice";
  }
}

TEST(Trajectories, GapsAreAsLongAsAsked) {
  const auto world = MakeWorld("maze(height=16, width=16)");
  for (const int frames : {2, 7, 16, 31, 48, 64, 150, 1024})
    for (uint64_t i = 0; i < 8; ++i) {
      const std::string spec = fmt::format("gap(frames={}, again=2)", frames);
      const uint64_t seed = SeedWithRoom(spec, *world, 1000 * i);
      const Trajectory trajectory = PlanTrajectory(spec, *world, seed);
      ASSERT_EQ(trajectory.actions.size(), static_cast<size_t>(frames + 2));
      int64_t exact = 0;
      for (const Visit& v : trajectory.visits) exact += v == Visit{0, frames};
      EXPECT_EQ(exact, 1) << "the first pose is not seen in between";
      if (frames >= 64) {
        int64_t rests = 0;
        for (const auto& action : trajectory.actions) rests += action[0] == 0;
        EXPECT_LT(rests, frames / 2 + 8) << "most of the time is walked";
      }
    }
}

TEST(Trajectories, FigureEightsGoRoundBothLoopsThroughOneCell) {
  const auto world = MakeWorld("maze(size=15, height=16, width=16)");
  for (uint64_t i = 0; i < 10; ++i) {
    const uint64_t seed = SeedWithRoom("figure-eight", *world, 1000 * i);
    const Trajectory trajectory = PlanTrajectory("figure-eight", *world, seed);
    const Film film = Play(*world, trajectory.actions);
    ExpectNoBumps(*world, trajectory.actions, film);
    const Visit* eight = trajectory.LongestVisit();
    std::map<std::pair<int, int>, int> entered;
    for (int64_t t = eight->first + 1; t <= eight->back; ++t) {
      const Pose &a = film.poses[static_cast<size_t>(t - 1)], &b = film.poses[static_cast<size_t>(t)];
      if (static_cast<int>(a.x) != static_cast<int>(b.x) || static_cast<int>(a.y) != static_cast<int>(b.y))
        entered[{static_cast<int>(b.x), static_cast<int>(b.y)}]++;
    }
    int twice = 0;
    for (const auto& [cell, times] : entered) {
      EXPECT_LE(times, 2);
      twice += times == 2;
    }
    EXPECT_EQ(twice, 1) << "the crossing";
  }
}

TEST(Trajectories, HuntsFindEveryObject) {
  const auto world = MakeWorld("maze(objects=8, height=16, width=16)");
  for (uint64_t seed = 0; seed < 10; ++seed) {
    world->Reset(seed);
    Play(*world, PlanTrajectory("hunt(home=false)", *world, seed).actions);
    for (const MazeObject& o : dynamic_cast<Maze&>(*world).State().objects) EXPECT_EQ(o.found, 1) << seed;
  }
}

TEST(Trajectories, SeedsWithoutRoomAreSaidAndStepped) {
  const auto world = MakeWorld("maze(size=5, height=16, width=16)");
  EXPECT_THROW(SeedWithRoom("loop(cells=40)", *world, 0, 20), NoRoom);
  EXPECT_NE(ErrorOf([&] { SeedWithRoom("loop(cells=40)", *world, 0, 20); }).find("no loop of 40 cells"), std::string::npos);
  const auto large = MakeWorld("maze(height=16, width=16)");
  int without = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    large->Reset(seed);
    try {
      PlanTrajectory("square-loop(side=4)", *large, seed);
    } catch (const NoRoom&) {
      ++without;
      EXPECT_GT(SeedWithRoom("square-loop(side=4)", *large, seed), seed);
    }
  }
  EXPECT_GT(without, 0);
  EXPECT_LT(without, 40);
}

TEST(Trajectories, KnowWhichWorldsTheyAreFor) {
  const auto table = MakeWorld("billiards"), loose = MakeWorld("maze(step=continuous)"), grid = MakeWorld("keys");
  EXPECT_NE(ErrorOf([&] { PlanTrajectory("loop", *table, 0); }).find("knows the world maze"), std::string::npos);
  EXPECT_NE(ErrorOf([&] { PlanTrajectory("loop", *loose, 0); }).find("lattice"), std::string::npos);
  EXPECT_NE(ErrorOf([&] { PlanTrajectory("look-away", *grid, 0); }).find("view=5"), std::string::npos);
  EXPECT_NE(ErrorOf([&] { PlanTrajectory("solve", *table, 0); }).find("keys"), std::string::npos);
  EXPECT_NE(ErrorOf([&] { PlanTrajectory("hide", *table, 0); }).find("occluder"), std::string::npos);
  EXPECT_NE(ErrorOf([&] { PlanTrajectory("lop", *table, 0); }).find("did you mean 'loop'"), std::string::npos);
  EXPECT_THROW(PlanTrajectory("loop(cells=2)", *MakeWorld("maze"), 0), Error);
}

TEST(Trajectories, ScriptsAreNamesWithCounts) {
  const auto world = MakeWorld("dominoes");
  const Trajectory trajectory = PlanTrajectory("script(actions=\"none*2, push-first , push-last* 2\")", *world, 0);
  EXPECT_EQ(trajectory.actions, (ActionList{{0}, {0}, {1}, {2}, {2}}));
  for (const char* bad : {"", "none*", "none*x", "none,,none", "nothing*3", "none*-1"})
    EXPECT_THROW(PlanTrajectory(fmt::format("script(actions=\"{}\")", bad), *world, 0), Error) << bad;
}

TEST(Trajectories, PoliciesActAsTheyDoWhenRecording) {
  const auto world = MakeWorld("billiards");
  world->Reset(3);
  const Trajectory trajectory = PlanTrajectory("policy(name=\"sticky(repeat=0.5)\", frames=50)", *world, 9);
  ASSERT_EQ(trajectory.actions.size(), 50u);
  const auto policy = MakePolicy("sticky(repeat=0.5)");
  Rng rng(9, "trajectory");
  for (const auto& action : trajectory.actions) EXPECT_EQ(policy->Act(*world, rng), action);
}

TEST(Trajectories, HidingDiscsByLightScreenAndCamera) {
  for (const char* by : {"light", "screen", "camera"}) {
    int64_t spans = 0;
    for (uint64_t seed = 0; seed < 12; ++seed) {
      const auto world = MakeWorld("occluder(discs=3)");
      world->Reset(seed);
      auto& occluder = dynamic_cast<Occluder&>(*world);
      const double camera = occluder.State().camera;
      const Trajectory trajectory = PlanTrajectory(fmt::format("hide(by={}, before=20, hold=30, after=25)", by), *world, seed);
      std::vector<std::vector<double>> visible = {occluder.Visible()};
      for (const auto& action : trajectory.actions) {
        world->Step(action);
        visible.push_back(occluder.Visible());
      }
      EXPECT_EQ(occluder.State().camera, camera);
      EXPECT_EQ(occluder.State().dark, 0);
      // Spans are exactly the runs of frames in which a disc that was seen before has no visible share.
      std::vector<HiddenSpan> expected;
      for (size_t disc = 0; disc < 3; ++disc) {
        bool seen = false;
        for (size_t t = 0; t < visible.size(); ++t) {
          if (visible[t][disc] > 0) {
            seen = true;
          } else if (seen) {
            const size_t from = t;
            while (t + 1 < visible.size() && visible[t + 1][disc] == 0) ++t;
            expected.push_back({occluder.State().discs[disc].id, static_cast<int64_t>(from), static_cast<int64_t>(t + 1)});
          }
        }
      }
      std::sort(expected.begin(), expected.end(),
                [](const auto& a, const auto& b) { return std::pair(a.from, a.object) < std::pair(b.from, b.object); });
      EXPECT_EQ(trajectory.hidden, expected) << by << ' ' << seed;
      spans += static_cast<int64_t>(expected.size());
      if (std::string_view(by) == "light") {
        for (const HiddenSpan& span : trajectory.hidden)
          EXPECT_TRUE(span.to <= 21 || span.from >= 51 || (span.from <= 21 && span.to >= 51)) << span.from << ' ' << span.to;
      }
    }
    EXPECT_GT(spans, 8) << by;
  }
}

TEST(Trajectories, GridsAreSolvedByTheirRules) {
  for (const char* spec : {"keys", "keys(size=10, gate=button)", "pair", "keys(size=12, view=7)"}) {
    const auto world = MakeWorld(spec);
    for (uint64_t i = 0; i < 6; ++i) {
      const uint64_t seed = SeedWithRoom("solve", *world, 100 * i);
      const Trajectory trajectory = PlanTrajectory("solve", *world, seed);
      std::set<std::string> happened;
      for (const auto& action : trajectory.actions) {
        world->Step(action);
        for (const WorldEvent& e : world->Events()) happened.insert(e.kind);
      }
      for (const char* kind : {"pick", "unlock", "gate-open", "done"})
        EXPECT_TRUE(happened.contains(kind)) << spec << ' ' << seed << ' ' << kind;
      EXPECT_LT(trajectory.actions.size(), 150u);
    }
  }
}

TEST(Trajectories, TryRulesTriesTheWrongKeyInVainAndThenSolves) {
  const auto world = MakeWorld("keys");
  for (uint64_t i = 0; i < 3; ++i) {
    const uint64_t seed = SeedWithRoom("try-rules(frames=127)", *world, 1000 * i);
    const ActionList actions = PlanTrajectory("try-rules(frames=127)", *world, seed).actions;
    ASSERT_EQ(actions.size(), 127u);
    int in_vain = 0;
    std::map<std::string, int> happened;
    for (const auto& action : actions) {
      const KeysAgent agent = dynamic_cast<Keys&>(*world).State().agents[0];
      const auto [dx, dy] = Keys::kAhead[static_cast<size_t>(agent.heading)];
      const KeysTile ahead = dynamic_cast<Keys&>(*world).State().tiles[static_cast<size_t>((agent.y + dy) * 8 + agent.x + dx)];
      world->Step(action);
      const bool wrong = agent.carried && ahead.item == KeysTile::kDoor && !ahead.open && agent.carried != 1 + ahead.color;
      in_vain += wrong && action[0] == Keys::kToggle;
      for (const WorldEvent& e : world->Events()) ++happened[e.kind];
    }
    EXPECT_EQ(in_vain, 2) << seed;
    EXPECT_EQ(happened["unlock"], 1) << seed;
    EXPECT_EQ(happened["done"], 1) << seed;
    EXPECT_GE(happened["pick"], 2) << seed;
    EXPECT_GE(happened["drop"], 1) << seed;
  }
  EXPECT_THROW(PlanTrajectory("try-rules(frames=30)", *world, 0), NoRoom);
  EXPECT_NE(ErrorOf([] { PlanTrajectory("try-rules", *MakeWorld("pair"), 0); }).find("the world keys"), std::string::npos);
}

TEST(Trajectories, BehindTheBackTheOtherThrowsTheLever) {
  const auto world = MakeWorld("pair(view=7)");
  for (uint64_t i = 0; i < 4; ++i) {
    const char* spec = "behind-back(before=3, hold=30, after=2)";
    const uint64_t seed = SeedWithRoom(spec, *world, 1000 * i);
    const ActionList actions = PlanTrajectory(spec, *world, seed).actions;
    ASSERT_EQ(actions.size(), 3u + 2 + 30 + 2 + 2);
    ActionList idle = actions;  // B does nothing
    for (auto& action : idle) action[0] = static_cast<float>(static_cast<int>(action[0]) / Keys::kActions * Keys::kActions + Keys::kDone);
    const Film film = Play(*world, actions);
    world->Reset(seed);
    const Film without = Play(*world, idle);
    EXPECT_EQ(without.frames[0], without.frames.back());
    EXPECT_NE(film.frames.back(), without.frames.back()) << "what B did shows";
    for (size_t t = 0; t <= 35; ++t) EXPECT_EQ(film.frames[t], without.frames[t]) << "but not while the back is turned " << t;
    world->Reset(seed);
    bool thrown = false;
    for (size_t t = 0; t < actions.size(); ++t) {
      world->Step(actions[t]);
      for (const WorldEvent& e : world->Events()) thrown = thrown || (e.kind == "lever" && e.subject == 2 && t >= 5 && t < 35);
    }
    EXPECT_TRUE(thrown);
  }
  EXPECT_NE(ErrorOf([] { PlanTrajectory("behind-back", *MakeWorld("pair"), 0); }).find("view=5"), std::string::npos);
  EXPECT_THROW(PlanTrajectory("behind-back", *MakeWorld("keys(view=7)"), 0), Error);
}

TEST(Trajectories, LookingAwayInAGridComesBackToTheSameFrame) {
  const auto world = MakeWorld("pair(view=5, camera=b)");
  world->Reset(4);
  const Trajectory trajectory = PlanTrajectory("look-away(degrees=180, hold=5)", *world, 0);
  const Film film = Play(*world, trajectory.actions);
  EXPECT_EQ(trajectory.visits, (std::vector<Visit>{{1, 8}, {0, 9}}));
  EXPECT_EQ(film.frames[0], film.frames[9]);
  EXPECT_EQ(film.frames[1], film.frames[8]);
  EXPECT_NE(film.frames[0], film.frames[2]);
}

}  // namespace
}  // namespace orrery
