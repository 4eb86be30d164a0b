#include "worlds/trajectory.h"

#include <algorithm>
#include <map>
#include <set>

#include "worlds/keys.h"
#include "worlds/occluder.h"
#include "worlds/params.h"
#include "worlds/policy.h"

namespace orrery {

namespace {

// Where the viewer is, when the view moves: frames of the same place look alike.
std::vector<double> Viewpoint(const World& world) {
  if (const auto pose = world.TruePose()) return {pose->x, pose->y, pose->angle};
  if (const auto* keys = dynamic_cast<const Keys*>(&world); keys && keys->View())
    return {static_cast<double>(keys->Eye().x), static_cast<double>(keys->Eye().y), static_cast<double>(keys->Eye().heading)};
  return {};
}

class Visits {
 public:
  explicit Visits(std::vector<Visit>& visits) : visits_(visits) {}
  void Look(const World& world, int64_t t) {
    const std::vector<double> here = Viewpoint(world);
    if (here.empty()) return;
    const auto seen = last_.find(here);
    if (seen != last_.end() && seen->second != t - 1) visits_.push_back({seen->second, t});
    last_[here] = t;
  }

 private:
  std::vector<Visit>& visits_;
  std::map<std::vector<double>, int64_t> last_;
};

class Sightings {
 public:
  explicit Sightings(std::vector<HiddenSpan>& hidden) : hidden_(hidden) {}
  void Look(const World& world, int64_t t) {
    if (!world.Facts().has_ids) return;
    ids_.resize(static_cast<size_t>(world.Facts().height * world.Facts().width));
    world.RenderIds(ids_);
    const std::set<int32_t> shown(ids_.begin(), ids_.end());
    for (const WorldObject& o : world.Objects()) {
      if (shown.contains(static_cast<int32_t>(o.id))) {
        End(o.id, t);
        seen_.insert(o.id);
      } else if (seen_.contains(o.id)) {
        since_.try_emplace(o.id, t);
      }
    }
  }
  void Finish(int64_t frames) {
    while (!since_.empty()) End(since_.begin()->first, frames);
    std::sort(hidden_.begin(), hidden_.end(),
              [](const HiddenSpan& a, const HiddenSpan& b) { return std::pair(a.from, a.object) < std::pair(b.from, b.object); });
  }

 private:
  void End(int64_t id, int64_t t) {
    const auto open = since_.find(id);
    if (open == since_.end()) return;
    hidden_.push_back({id, open->second, t});
    since_.erase(open);
  }

  std::vector<HiddenSpan>& hidden_;
  std::vector<int32_t> ids_;
  std::set<int64_t> seen_;
  std::map<int64_t, int64_t> since_;
};

// "none*10, push-first, none*80": names or indices, each with how often.
ActionList Script(const World& world, std::string_view text) {
  const ActionSpace& space = world.Facts().actions;
  if (!space.Discrete()) Fail("trajectory script: {} has no named actions", world.Facts().spec);
  ActionList actions;
  const auto trimmed = [](std::string_view part) {
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    return part;
  };
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view part = text.substr(begin, end - begin);
    const size_t star = part.find('*');
    int64_t times = 1;
    if (star != std::string_view::npos) {
      const std::string count(trimmed(part.substr(star + 1)));
      if (count.empty() || count.size() > 6 || count.find_first_not_of("0123456789") != std::string::npos)
        Fail("trajectory script: \"{}\": expected a whole number after '*'", part);
      times = std::stoll(count);
    }
    const auto action = static_cast<float>(space.Index(trimmed(part.substr(0, star))));
    actions.insert(actions.end(), static_cast<size_t>(times), {action});
    begin = end + 1;
  }
  return actions;
}

ActionList FollowPolicy(World& world, Rng& rng, const std::string& name, int64_t frames) {
  RequireRange<int64_t>("trajectory policy", "frames", frames, 1, 1000000);
  const std::unique_ptr<Policy> policy = MakePolicy(name);
  ActionList actions;
  for (int64_t t = 0; t < frames; ++t) {
    actions.push_back(policy->Act(world, rng));
    world.Step(actions.back());
  }
  return actions;
}

// Shows the discs, hides them, shows them again.
ActionList Hide(World& world, const Json& params) {
  const auto* occluder = dynamic_cast<const Occluder*>(&world);
  if (!occluder) Fail("trajectory hide: knows the world occluder, got {}; use policy(...) or script(...)", world.Facts().spec);
  const std::string by = params["by"];
  const int64_t before = params["before"], hold = params["hold"], after = params["after"];
  for (const char* name : {"before", "hold", "after"}) RequireRange<int64_t>("trajectory hide", name, params[name], 1, 100000);
  ActionList actions;
  const auto act = [&](const char* name, int64_t times = 1) {
    const auto index = static_cast<float>(world.Facts().actions.Index(name));
    actions.insert(actions.end(), static_cast<size_t>(times), {index});
  };
  if (by == "light") {
    act("none", before), act("light"), act("none", hold - 1), act("light"), act("none", after - 1);
  } else if (by == "screen") {
    act("screen-down"), act("none", before - 1), act("screen-up"), act("none", hold - 1), act("screen-down"), act("none", after - 1);
  } else if (by == "camera") {
    int64_t pans = 0;
    for (double camera = -1; camera != occluder->State().camera; ++pans) {
      camera = occluder->State().camera;
      world.Step(std::vector<float>{static_cast<float>(world.Facts().actions.Index("left"))});
    }
    --pans;  // the last one moved nothing
    act("none", before), act("left", pans), act("none", hold), act("right", pans), act("none", after);
  } else {
    FailUnknown("trajectory hide by", by, std::vector<std::string>{"light", "screen", "camera"});
  }
  return actions;
}

}  // namespace

const Visit* Trajectory::LongestVisit() const {
  const auto longest =
      std::max_element(visits.begin(), visits.end(), [](const Visit& a, const Visit& b) { return a.back - a.first < b.back - b.first; });
  return longest == visits.end() ? nullptr : &*longest;
}

const Registry<Planner>& Trajectories() {
  static const Registry<Planner> trajectories = [] {
    std::vector<Registry<Planner>::Entry> entries = MazeTrajectories();
    entries.push_back({{"look-away",
                        "turns away, holds, turns back the same way (maze, keys, pair)",
                        "own",
                        {{"degrees", 180, "of a turn to the left; maze: in steps of 15, keys: of 90"}, {"hold", 16, "frames, 0 or more"}}},
                       [](const Json& p) { return [p](World& world, Rng&) { return LookAway(world, p["degrees"], p["hold"]); }; }});
    entries.push_back({{"solve", "fetches the key, opens door and gate, ends on the goal (keys, pair)", "own", {}},
                       [](const Json&) { return [](World& world, Rng&) { return SolveKeys(world); }; }});
    entries.push_back({{"try-rules",
                        "acts at random, tries the wrong key on the door, then solves the rooms (keys)",
                        "own",
                        {{"frames", 127, "how many; rests at the end"}}},
                       [](const Json& p) { return [p](World& world, Rng& rng) { return TryRules(world, p["frames"], rng); }; }});
    entries.push_back(
        {{"behind-back",
          "turns its back while the other agent throws the lever, and turns round again (pair)",
          "own",
          {{"before", 7, "frames at rest first"}, {"hold", 24, "frames with the back turned"}, {"after", 2, "frames at the end"}}},
         [](const Json& p) { return [p](World& world, Rng&) { return BehindBack(world, p["before"], p["hold"], p["after"]); }; }});
    entries.push_back({{"hide",
                        "shows the discs, hides them, shows them again (occluder)",
                        "own",
                        {{"by", "light", "light, screen or camera"},
                         {"before", 16, "frames in sight"},
                         {"hold", 32, "frames out of sight"},
                         {"after", 16, "frames in sight again"}}},
                       [](const Json& p) { return [p](World& world, Rng&) { return Hide(world, p); }; }});
    entries.push_back({{"script", "named actions in a row", "own", {{"actions", "", "\"none*10, push-first, none*80\""}}},
                       [](const Json& p) { return [p](World& world, Rng&) { return Script(world, p["actions"].get<std::string>()); }; }});
    entries.push_back(
        {{"policy", "what a recording policy does", "own", {{"name", "explore", "its spec"}, {"frames", 128, "how many"}}},
         [](const Json& p) { return [p](World& world, Rng& rng) { return FollowPolicy(world, rng, p["name"], p["frames"]); }; }});
    return Registry<Planner>("trajectory", std::move(entries));
  }();
  return trajectories;
}

Trajectory Follow(World& world, ActionList actions) {
  Trajectory trajectory;
  Visits visits(trajectory.visits);
  Sightings sightings(trajectory.hidden);
  const std::string start = world.Snapshot();
  for (int64_t t = 0; t <= static_cast<int64_t>(actions.size()); ++t) {
    if (t > 0) world.Step(actions[static_cast<size_t>(t - 1)]);
    visits.Look(world, t);
    sightings.Look(world, t);
  }
  sightings.Finish(static_cast<int64_t>(actions.size()) + 1);
  world.Restore(start);
  trajectory.actions = std::move(actions);
  return trajectory;
}

Trajectory PlanTrajectory(std::string_view spec, World& world, uint64_t seed) {
  const Planner plan = Trajectories().Make(spec);
  Rng rng(seed, "trajectory");
  const std::string start = world.Snapshot();
  ActionList actions;
  try {
    actions = plan(world, rng);
  } catch (...) {
    world.Restore(start);
    throw;
  }
  world.Restore(start);
  return Follow(world, std::move(actions));
}

ActionList PlanWays(const std::vector<std::string>& specs, World& world, uint64_t seed, int64_t frames) {
  if (specs.empty()) Fail("ways: one trajectory or more expected, got none");
  std::vector<Planner> planners;
  for (const std::string& spec : specs) planners.push_back(Trajectories().Make(spec));
  Rng rng(seed, "ways");
  const std::string start = world.Snapshot();
  ActionList actions;
  const auto take = [&](const ActionList& way) {
    for (const std::vector<float>& action : way) {
      world.Step(action);
      actions.push_back(action);
    }
  };
  while (static_cast<int64_t>(actions.size()) < frames) {
    const std::string here = world.Snapshot();
    const auto drawn = static_cast<size_t>(rng.Below(static_cast<int64_t>(planners.size())));
    for (size_t i = 0; i < planners.size(); ++i) {  // the one that was drawn, or the next that has room
      ActionList way;
      std::optional<NoRoom> full;
      try {
        way = planners[(drawn + i) % planners.size()](world, rng);
      } catch (const NoRoom& e) {
        full = e;
      }
      world.Restore(here);
      if (!full) {
        take(way);
        break;
      }
      if (i + 1 == planners.size()) {
        world.Restore(start);
        throw *full;
      }
    }
  }
  world.Restore(start);
  actions.resize(static_cast<size_t>(frames));
  return actions;
}

uint64_t SeedWithRoom(std::string_view spec, World& world, uint64_t first, int64_t tries) {
  const Planner plan = Trajectories().Make(spec);
  std::string reason;
  for (int64_t i = 0; i < tries; ++i) {
    const uint64_t seed = first + static_cast<uint64_t>(i);
    world.Reset(seed);
    try {
      Rng rng(seed, "trajectory");
      plan(world, rng);
      world.Reset(seed);
      return seed;
    } catch (const NoRoom& e) {
      reason = e.what();
    }
  }
  throw NoRoom(fmt::format("no seed from {} to {} has room for it: {}", first, first + static_cast<uint64_t>(tries) - 1, reason));
}

}  // namespace orrery
