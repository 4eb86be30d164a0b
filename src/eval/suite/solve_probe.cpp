// solve: under the actions of a shortest solution, is the way through the rooms the true one? (evaluation 2.7)
#include <cmath>

#include "eval/persistence/solving.h"
#include "eval/suite/films.h"
#include "eval/suite/once.h"
#include "eval/suite/probe.h"
#include "eval/suite/seen_objects.h"
#include "worlds/keys.h"
#include "worlds/registry.h"
#include "worlds/trajectory.h"

namespace orrery {

namespace {

constexpr int64_t kSolver = 1;  // object id of the agent that goes to the goal
constexpr const char* kSource = "arXiv 2511.15065";

// What is so of a scenario, whoever is judged.
struct SolveScene {
  Scenario scenario;
  KeysState start;               // at the end of the context
  std::vector<Point> way;        // of the truth, from there on
  Point goal;                    // its middle, shares of the picture
  std::vector<uint8_t> changes;  // [H * W] 1: the truth changes the pixel after the context
  std::vector<uint8_t> first;    // the context's last frame
  double redundancy = 0;         // of the solution
};

std::vector<float> Rest(const World& world) {
  for (const char* name : {"done", "done/done"})
    for (size_t i = 0; i < world.Facts().actions.names.size(); ++i)
      if (world.Facts().actions.names[i] == name) return {static_cast<float>(i)};
  Fail("solve: {} has no action that rests", world.Facts().spec);
}

// The context rests; then comes the solution, of at most plan.frames steps.
std::optional<Scenario> SolvedScenario(const ProbePlan& plan, uint64_t seed) {
  const auto world = MakeWorld(plan.world);
  world->Reset(seed);
  Scenario s;
  s.world = plan.world;
  s.seed = seed;
  s.context = plan.context;
  s.actions.assign(static_cast<size_t>(plan.context - 1), Rest(*world));
  try {
    const ActionList solution = SolveKeys(*world);
    if (static_cast<int64_t>(solution.size()) > plan.frames) return std::nullopt;
    s.actions.insert(s.actions.end(), solution.begin(), solution.end());
  } catch (const NoRoom&) {
    return std::nullopt;
  }
  return s;
}

Point Share(const WorldObject& object, int64_t side) {
  return {object.x / static_cast<double>(side), object.y / static_cast<double>(side)};
}

Cell CellOf(Point share, const KeysState& state) {
  const auto tiles = static_cast<double>(std::lround(std::sqrt(static_cast<double>(state.tiles.size()))));
  return {static_cast<int32_t>(share.x * tiles), static_cast<int32_t>(share.y * tiles)};
}

// Whether the film, as read, lets somebody enter a cell between its frames t and t + 1. Frame 0 is the context's last.
bool Enters(const KeysState& start, const ObjectFilm& read, size_t t, Cell cell) {
  const auto side = static_cast<int32_t>(std::lround(std::sqrt(static_cast<double>(start.tiles.size()))));
  if (cell.x < 0 || cell.y < 0 || cell.x >= side || cell.y >= side) return false;
  if (start.tiles[static_cast<size_t>(cell.y * side + cell.x)].item == KeysTile::kWall) return false;
  const auto here = [&](const WorldObject& o) {
    return static_cast<int32_t>(o.x / Keys::kTilePixels) == cell.x && static_cast<int32_t>(o.y / Keys::kTilePixels) == cell.y;
  };
  for (const WorldObject& o : read[t]) {
    if (o.id == kSolver || o.kind == "agent" || !here(o)) continue;
    if ((o.kind == "door" || o.kind == "gate") && o.more[0] != 0) continue;
    if (o.kind == "box") {  // pushed on
      const WorldObject* after = FindObject(read[t + 1], o.id);
      if (after && !here(*after)) continue;
    }
    return false;
  }
  return true;
}

MoveCheck CheckFilm(const KeysState& start, const ObjectFilm& read, std::span<const Point> way) {
  std::vector<Cell> cells;
  for (const Point& p : way) cells.push_back(CellOf(p, start));
  const auto side = static_cast<size_t>(std::lround(std::sqrt(static_cast<double>(start.tiles.size()))));
  return CheckMoves(
      cells, [&](size_t t, Cell cell) { return Enters(start, read, t, cell); },
      [&](Cell cell) { return start.tiles[static_cast<size_t>(cell.y) * side + static_cast<size_t>(cell.x)].floor == KeysTile::kIce; });
}

SolveScene MakeScene(Scenario scenario) {
  SolveScene scene;
  const Truth truth = MakeTruth(scenario);
  const auto world = ContextEnd(scenario);
  const auto* keys = dynamic_cast<const Keys*>(world.get());
  if (!keys || keys->View() != 0) Fail("solve: keys or pair seen whole (view=0) expected, got {}", scenario.world);
  scene.start = keys->State();
  const FrameSpan film = Span(truth.film.frames);
  const auto begin = static_cast<size_t>(scenario.context - 1);
  const ObjectFilm read(truth.film.objects.begin() + static_cast<std::ptrdiff_t>(begin), truth.film.objects.end());
  for (const auto& objects : read) scene.way.push_back(Share(*FindObject(objects, kSolver), film.height));
  const auto tiles = static_cast<size_t>(film.height / Keys::kTilePixels);
  for (size_t i = 0; i < scene.start.tiles.size(); ++i)
    if (scene.start.tiles[i].floor == KeysTile::kGoal)
      scene.goal = {(static_cast<double>(i % tiles) + 0.5) / static_cast<double>(tiles),
                    (static_cast<double>(i / tiles) + 0.5) / static_cast<double>(tiles)};
  const auto first = film.At(static_cast<int64_t>(begin));
  scene.first.assign(first.begin(), first.end());
  scene.changes.assign(static_cast<size_t>(film.Pixels()), 0);
  for (int64_t t = scenario.context; t < film.frames; ++t)
    for (size_t p = 0; p < scene.changes.size(); ++p)
      for (size_t c = 0; c < 3; ++c) scene.changes[p] |= film.At(t)[3 * p + c] != first[3 * p + c];
  scene.redundancy = CheckFilm(scene.start, read, scene.way).redundancy;
  scene.scenario = std::move(scenario);
  return scene;
}

const std::vector<SolveScene>& Scenes(const ProbePlan& plan) {
  return OncePerPlan<std::vector<SolveScene>>(plan, "solve", [&] {
    constexpr uint64_t kSeeds = 1000;  // tried for each
    std::vector<SolveScene> scenes;
    for (uint64_t i = 0; i < static_cast<uint64_t>(plan.scenarios); ++i) {
      std::optional<Scenario> s;
      for (uint64_t k = 0; k < kSeeds && !s; ++k) s = SolvedScenario(plan, plan.seed + kSeeds * i + k);
      if (!s) Fail("solve: none of {} seeds of {} has a solution of at most {} steps", kSeeds, plan.world, plan.frames);
      scenes.push_back(MakeScene(std::move(*s)));
    }
    return scenes;
  });
}

// Numbers of each scenario, one list a metric.
struct SolveSums {
  std::vector<std::optional<double>> progress, deviation, map, violations, redundancy, unseen;
  int64_t reached = 0, arrived = 0, exact = 0;
  SeenObjects seen;
};

void Judge(const SolveScene& scene, const Film& made, SolveSums& sums) {
  const FrameSpan film = Span(made.frames);
  auto out = ReadFilm(scene.scenario, made.frames);
  ORRERY_CHECK(out);
  const auto world = ContextEnd(scene.scenario);
  ObjectFilm read = {world->Objects()};
  std::vector<Point> way = {scene.way.front()};
  Masks masks(film.frames, film.height, film.width);
  for (int64_t t = 0; t < film.frames; ++t) std::copy(scene.changes.begin(), scene.changes.end(), masks.At(t).begin());
  bool lost = false;  // what comes after a frame without the agent proves nothing: it may be another one
  int64_t unseen = 0;
  for (int64_t t = 0; t < film.frames; ++t) {
    const auto& objects = out->objects[static_cast<size_t>(t)];
    const WorldObject* agent = FindObject(objects, kSolver);
    unseen += !agent;
    lost = lost || !agent;
    if (!lost) {
      read.push_back(objects);
      way.push_back(Share(*agent, film.height));
    }
    if (!agent) continue;
    const auto x = static_cast<int64_t>(agent->x) / Keys::kTilePixels, y = static_cast<int64_t>(agent->y) / Keys::kTilePixels;
    for (int64_t v = y * Keys::kTilePixels; v < (y + 1) * Keys::kTilePixels; ++v)
      for (int64_t u = x * Keys::kTilePixels; u < (x + 1) * Keys::kTilePixels; ++u)
        masks.At(t)[static_cast<size_t>(v * film.width + u)] = 1;
  }
  const double half = 0.5 * static_cast<double>(Keys::kTilePixels) / static_cast<double>(film.width);
  WayScore score = ScoreWay(way, scene.way, scene.goal, half);
  score.arrived = score.arrived && !lost;
  sums.progress.push_back(score.progress);
  sums.deviation.push_back(score.deviation);
  sums.reached += score.reached;
  sums.arrived += score.arrived;
  sums.exact += score.exact && !lost;
  sums.map.push_back(MapFidelity(scene.first, film, masks));
  const MoveCheck moves = CheckFilm(scene.start, read, way);
  sums.violations.push_back(moves.moves ? std::optional(static_cast<double>(moves.violations) / static_cast<double>(moves.moves))
                                        : std::nullopt);
  sums.redundancy.push_back(moves.redundancy);
  sums.unseen.push_back(static_cast<double>(unseen) / static_cast<double>(film.frames));
  sums.seen.asked += out->asked;
  sums.seen.abstained += out->abstained;
  sums.seen.reader = out->reader;
}

Estimate Rate(int64_t successes, int64_t trials) {
  Estimate e;
  e.value = static_cast<double>(successes) / static_cast<double>(trials);
  e.interval = Wilson(successes, trials);
  e.count = trials;
  e.method = "wilson";
  return e;
}

}  // namespace

ProbeResult ProbeSolve(const Subject& subject, const ProbePlan& plan) {
  SolveSums sums;
  const std::vector<SolveScene>& scenes = Scenes(plan);
  double solution = 0;
  for (const SolveScene& scene : scenes) {
    Judge(scene, Imagine(subject, scene.scenario, 0), sums);
    solution += scene.redundancy / static_cast<double>(scenes.size());
  }
  const auto n = static_cast<int64_t>(scenes.size());
  const auto mean = [&](const std::vector<std::optional<double>>& values, const char* cause) { return MeanEstimate(values, cause); };
  const auto metric = [&](const char* name, const Estimate& e, const char* direction, std::map<std::string, double> anchors,
                          const char* source, const char* note) {
    return MetricOf(plan, fmt::format("persistence.solve.{}", name), e, direction, std::move(anchors), "1", source, note);
  };
  ProbeResult result;
  result.metrics = {
      metric("progress", mean(sums.progress, "no film"), "higher", {{"perfect", 1}}, kSource,
             "PR: share of the shortest way before the agent first leaves it by 1 % of the picture."),
      metric("reached", Rate(sums.reached, n), "higher", {{"perfect", 1}}, kSource, "SR: the agent is in the goal at some time."),
      metric("arrived", Rate(sums.arrived, n), "higher", {{"perfect", 1}}, "own", "The agent is in the goal at the end."),
      metric("deviation", mean(sums.deviation, "the goal was reached in no film"), "lower", {{"perfect", 0}}, kSource,
             "SD: how much longer the way is than the shortest, where the goal was reached."),
      metric("exact", Rate(sums.exact, n), "higher", {{"perfect", 1}}, kSource,
             "EM: reached, on 98 % of the shortest way, at most a tenth longer."),
      metric("map", mean(sums.map, "everything changes in the truth"), "higher", {{"perfect", 1}}, kSource,
             "MF: share of pixels that stay as they were, of those that the truth never changes."),
      metric("violations", mean(sums.violations, "the agent moves in no film"), "lower", {{"perfect", 0}}, "own",
             "Share of moves through walls, shut doors and things, or over several tiles at once."),
      metric("redundancy", mean(sums.redundancy, "no film"), "neither", {{"solution", solution}}, "own",
             "One less different tiles over tiles entered; fetching the key costs the solution some too."),
      metric("unseen", mean(sums.unseen, "no film"), "lower", {{"perfect", 0}}, "own",
             "Share of frames in which the agent is not to be seen once; a way ends with the first of them.")};
  for (Metric& m : result.metrics)
    if (m.id.ends_with("redundancy") && m.value) m.by["over-solution"] = {*m.value - solution, std::nullopt, n};
  const SolveScene& last = scenes.back();
  const std::string note = ReadingNote(std::span(&sums.seen, 1), last.scenario, Future(MakeTruth(last.scenario), last.scenario));
  if (!note.empty()) result.metrics[0].notes.push_back(note);
  return result;
}

}  // namespace orrery
