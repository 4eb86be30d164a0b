// updated: something changes while it is out of sight; is the new state or the old one remembered? (evaluation 2.5, "updated memory")
#include <ATen/ATen.h>

#include <algorithm>

#include "eval/persistence/update.h"
#include "eval/suite/once.h"
#include "worlds/keys.h"
#include "worlds/maze.h"
#include "worlds/registry.h"
#include "worlds/trajectory.h"

namespace orrery {

namespace {

constexpr int64_t kAgain = 2;         // frames from the return on that are looked at
constexpr uint64_t kSeeds = 1000;     // tried for each scenario
constexpr int64_t kLeastObject = 24;  // pixels of a thing before and after it is moved

// One way through the same world with and without the change. Both are the same up to it, and back in the first pose from frame `back` on.
struct Updated {
  Scenario changed, unchanged;
  int64_t back = 0;
};

// Which thing of the maze can be moved to another place in sight: "move-object(...)"; none where no thing is in sight.
std::optional<std::string> MoveInSight(const Maze& maze) {
  std::vector<int32_t> ids(static_cast<size_t>(maze.Facts().height * maze.Facts().width));
  const auto pixels = [&](const Maze& world, int32_t id) {
    world.RenderIds(ids);
    return std::count(ids.begin(), ids.end(), id);
  };
  const MazeState& state = maze.State();
  int32_t thing = 0;
  int64_t most = kLeastObject - 1;
  for (size_t i = 0; i < state.objects.size(); ++i)
    if (const int64_t shown = pixels(maze, static_cast<int32_t>(2 + i)); shown > most) thing = static_cast<int32_t>(2 + i), most = shown;
  if (thing == 0) return std::nullopt;
  std::string best;
  most = kLeastObject - 1;
  for (const int32_t cell : FreeCells(state.map)) {
    const MazeObject& now = state.objects[static_cast<size_t>(thing - 2)];
    const int32_t x = cell % state.map.size, y = cell / state.map.size;
    const auto here = [&](int32_t px, int32_t py) { return px / Maze::kCell == x && py / Maze::kCell == y; };
    if (here(now.x, now.y) || here(state.x, state.y)) continue;
    const std::string spec = fmt::format("move-object(object={}, x={}, y={})", thing, x, y);
    Maze moved = maze;
    moved.Intervene(spec);
    if (const int64_t shown = pixels(moved, thing); shown > most) best = spec, most = shown;
  }
  return best.empty() ? std::nullopt : std::optional(best);
}

// A hand moves a thing behind the viewer's back; a learned model cannot be told of it and sees it happen in the last frames of its context.
std::optional<Updated> MovedByHand(const ProbePlan& plan, const Maze& maze, World& world, uint64_t seed, bool told) {
  const auto move = MoveInSight(maze);
  if (!move) return std::nullopt;
  const ActionList away = PlanTrajectory(plan.trajectory, world, seed).actions;
  const auto rest = static_cast<float>(world.Facts().actions.Index("noop"));
  Updated u;
  u.unchanged = {plan.world, seed, plan.context, ActionList(static_cast<size_t>(plan.context - 1), {rest}), "", 0, 0};
  auto& actions = u.unchanged.actions;
  actions.insert(actions.end(), away.begin(), away.end());
  u.back = u.unchanged.Last();
  actions.insert(actions.end(), static_cast<size_t>(kAgain - 1), {rest});
  u.changed = u.unchanged;
  u.changed.intervention = *move;
  u.changed.at = told ? plan.context - 1 + static_cast<int64_t>(away.size()) / 2 : std::max<int64_t>(0, plan.context - 3);
  return u;
}

// The other agent changes something behind the viewer's back; without the change it does nothing.
std::optional<Updated> MovedByOther(const ProbePlan& plan, World& world, uint64_t seed) {
  Updated u;
  u.changed = {plan.world, seed, plan.context, PlanTrajectory(plan.trajectory, world, seed).actions, "", 0, 0};
  u.back = u.changed.Last() + 1 - kAgain;
  u.unchanged = u.changed;
  for (auto& action : u.unchanged.actions)
    action[0] = static_cast<float>(static_cast<int>(action[0]) / Keys::kActions * Keys::kActions + Keys::kDone);
  return u;
}

std::optional<Updated> Try(const ProbePlan& plan, World& world, uint64_t seed, bool told) {
  world.Reset(seed);
  try {
    if (const auto* maze = dynamic_cast<const Maze*>(&world)) return MovedByHand(plan, *maze, world, seed, told);
    return MovedByOther(plan, world, seed);
  } catch (const NoRoom&) {
    return std::nullopt;
  }
}

struct Returned {
  at::Tensor changed, unchanged;  // the truths at the return
  Updated scenarios;
};

at::Tensor AtReturn(const at::Tensor& film, int64_t first, int64_t back) { return film.narrow(0, back - first, kAgain).contiguous(); }

// The first seed of scenario number i whose change can be seen at the return.
Returned Find(const ProbePlan& plan, World& world, uint64_t i, bool told) {
  for (uint64_t k = 0; k < kSeeds; ++k) {
    auto u = Try(plan, world, plan.seed + kSeeds * i + k, told);
    if (!u) continue;
    const at::Tensor changed = AtReturn(MakeTruth(u->changed).film.frames, 0, u->back);
    const at::Tensor unchanged = AtReturn(MakeTruth(u->unchanged).film.frames, 0, u->back);
    if (CompareRecall(changed, changed, unchanged)) return {changed, unchanged, *std::move(u)};
  }
  Fail("updated: none of {} seeds from {} on of {} has a change that shows at the return", kSeeds, plan.seed + kSeeds * i, plan.world);
}

}  // namespace

ProbeResult ProbeUpdated(const Subject& subject, const ProbePlan& plan) {
  const bool told = subject.Kind() != SubjectKind::kModel;
  const auto& returns = OncePerPlan<std::vector<Returned>>(plan, told ? "told" : "shown", [&] {
    const auto world = MakeWorld(plan.world);
    std::vector<Returned> all;
    for (int64_t i = 0; i < plan.scenarios; ++i) all.push_back(Find(plan, *world, static_cast<uint64_t>(i), told));
    return all;
  });
  std::vector<std::optional<double>> recent, old, preference;
  for (const Returned& r : returns) {
    const Scenario& s = r.scenarios.changed;
    const auto recall = CompareRecall(AtReturn(Imagine(subject, s, 0).frames, s.context, r.scenarios.back), r.changed, r.unchanged);
    recent.push_back(recall->recent);
    old.push_back(recall->old);
    preference.push_back(recall->preference);
  }
  const char* source = "evaluation 2.5";
  const char* how = returns.front().scenarios.changed.intervention.empty()
                        ? "The other agent made the change while the viewer's back was turned."
                    : told ? "A hand made the change while the viewer's back was turned."
                           : "A hand made the change in sight, in the last frames shown, before the viewer turned its back.";
  const auto metric = [&](const char* name, const auto& values, const char* direction, std::map<std::string, double> anchors,
                          const char* unit, const char* note) {
    Metric m = MetricOf(plan, fmt::format("persistence.updated.{}", name), MeanEstimate(values, "no film"), direction, std::move(anchors),
                        unit, source, note);
    m.notes.push_back(how);
    return m;
  };
  return {{metric("new", recent, "higher", {{"perfect", 1}, {"stale", 0}}, "of scenarios",
                  "Share of returns that show the new state, in the pixels where it differs from the old one."),
           metric("old", old, "lower", {{"perfect", 0}, {"stale", 1}}, "of scenarios", "Share of returns that show the old state."),
           metric("preference", preference, "higher", {{"perfect", 100}, {"neither", 0}}, "dB",
                  "PSNR to the new state less PSNR to the old one, in those pixels; a right picture has 100 dB to itself.")},
          {}};
}

}  // namespace orrery
