// laws: what trajectories conserve, and the laws of motion that fit them (evaluation 3.2).
#include <algorithm>
#include <cmath>

#include "eval/causality/disc_laws.h"
#include "eval/causality/pendulum_laws.h"
#include "eval/suite/films.h"
#include "eval/suite/once.h"
#include "eval/suite/probe.h"
#include "eval/suite/seen_objects.h"
#include "worlds/registry.h"

namespace orrery {

namespace {

constexpr double kLeastTravel = 4;  // px that something must go in truth: a scenario at rest tells no law
constexpr double kDeep = 2;         // px by which discs may lie in each other
constexpr int64_t kEdge = 3;        // frames at both ends whose rates lean on one side
const char* const kMorpheus = "arXiv 2504.02918";
const char* const kPhyWorld = "arXiv 2411.02385";

using Values = std::vector<std::optional<double>>;  // one a scenario

struct RealMotion {
  Scenario scenario;
  std::vector<int64_t> ids;
  std::vector<Track> tracks;  // frames context .. T
  std::vector<int64_t> hit;   // first frame after a collision with another disc
  bool moves = true;
};

ObjectFilm Tail(const ObjectFilm& film, const Scenario& s) { return {film.begin() + s.context, film.end()}; }

RealMotion Watch(const Scenario& s) {
  RealMotion real{s, {}, {}, {}, false};
  const Film film = MakeTruth(s).film;
  const ObjectFilm objects = Tail(film.objects, s);
  for (const WorldObject& o : film.objects[static_cast<size_t>(s.context - 1)]) {
    const std::optional<Track> track = TrackOf(objects, o.id);
    ORRERY_CHECK(track);
    real.ids.push_back(o.id);
    real.tracks.push_back(*track);
    real.moves = real.moves || Travel(*track) >= kLeastTravel;
    const auto hits = [&](const std::vector<WorldEvent>& events) {
      return std::any_of(events.begin(), events.end(),
                         [&](const WorldEvent& e) { return e.kind == "collision" && (e.subject == o.id || e.object == o.id); });
    };
    real.hit.push_back(std::find_if(film.events.begin() + s.context, film.events.end(), hits) - film.events.begin() - s.context);
  }
  return real;
}

const std::vector<RealMotion>& RealMotions(const ProbePlan& plan, bool learned) {
  return OncePerPlan<std::vector<RealMotion>>(plan, learned ? "laws-seen" : "laws-told", [&] {
    std::vector<RealMotion> all;
    for (Scenario s : MakeScenarios(plan)) {
      // A simulator can be told; a learned model must see it happen, in the last frames of its context.
      s.at = learned ? std::max<int64_t>(0, s.context - 3) : s.context;
      if (!plan.interventions.empty()) s.intervention = plan.interventions[all.size() % plan.interventions.size()];
      all.push_back(Watch(s));
    }
    return all;
  });
}

// Numbers of all scenarios by name; every scenario adds one to each, none where it says nothing.
class Table {
 public:
  void Add(const std::string& name, std::optional<double> value) { values_[name].push_back(value); }
  const Values& At(const std::string& name) const { return values_.at(name); }

 private:
  std::map<std::string, Values> values_;
};

std::optional<double> MeanOf(const Values& values) {
  double sum = 0;
  int64_t count = 0;
  for (const auto& value : values)
    if (value) sum += *value, ++count;
  return count ? std::optional(sum / static_cast<double>(count)) : std::nullopt;
}

// The tracks of a film that is of use; nothing when it is discarded.
std::optional<std::vector<Track>> Kept(const RealMotion& real, const ObjectFilm& made) {
  std::vector<std::optional<Track>> tracks;
  for (const int64_t id : real.ids) tracks.push_back(TrackOf(made, id));
  if (Discarded(tracks, real.tracks)) return std::nullopt;
  std::vector<Track> kept;
  for (const auto& track : tracks) kept.push_back(*track);
  return kept;
}

int64_t Window(size_t frames) { return std::max<int64_t>(3, static_cast<int64_t>(frames) / 4); }

void JudgeDiscs(Table& table, const RealMotion& real, const ObjectFilm& objects) {
  const DiscTable view = *ViewTable(*ContextEnd(real.scenario));
  const DiscFilm truth = ReadDiscs(real.tracks, view);
  std::optional<double> energy, momentum, dynamics, restitution, before, after, deep;
  const bool collides = FitCollisions(truth, view).stretches > 0;
  if (const auto tracks = Kept(real, objects)) {
    const DiscFilm made = ReadDiscs(*tracks, view);
    const int64_t window = Window(objects.size());
    energy = WindowedInvariance(DiscEnergy(made), window).value_or(0);
    Values runs;
    for (const std::vector<double>& run : DiscMomenta(made, view)) runs.push_back(WindowedInvariance(run, window));
    momentum = MeanOf(runs);
    const CollisionFit fit = FitCollisions(made, view);
    if (collides) dynamics = fit.stretches ? 1 - fit.nmse : 0;
    if (collides) restitution = fit.stretches ? std::abs(fit.restitution - view.restitution) / view.restitution : 1;
    const VelocityError error = CompareVelocities(truth, made, real.hit);
    before = error.before;
    after = error.after;
    deep = PenetrationRate(made, view, kDeep / view.scale);
  } else if (collides) {
    dynamics = 0;
    restitution = 1;
  }
  table.Add("energy", energy);
  table.Add("momentum", momentum);
  table.Add("invariance", energy ? MeanOf({energy, momentum}) : 0);
  table.Add("discarded", energy ? 0 : 1);
  table.Add("dynamics", dynamics);
  table.Add("restitution-error", restitution);
  table.Add("velocity-before", before);
  table.Add("velocity-after", after);
  table.Add("penetration", deep);
}

void JudgeSwing(Table& table, const RealMotion& real, const ObjectFilm& objects) {
  const PendulumView view = *ViewPendulum(*ContextEnd(real.scenario));
  const auto tracks = Kept(real, objects);
  std::optional<double> length, energy, period, dynamics, gravity, damping;
  if (tracks) {
    const Swing swing = ReadSwing(tracks->front(), view);
    const int64_t window = Window(objects.size());
    length = WindowedInvariance(swing.length, window);
    if (view.damping == 0) {
      const std::vector<double> all = SwingEnergy(swing, view.fps), halves = HalfPeriods(swing, view.fps);
      energy = WindowedInvariance(std::span(all).subspan(kEdge, all.size() - 2 * kEdge), window);
      if (halves.size() >= 2) period = Invariance(halves);
    }
    const SwingFit fit = FitSwing(swing.angle, Mean(swing.length), view.fps);
    dynamics = 1 - fit.nmse;
    gravity = std::min(1.0, std::abs(fit.gravity - kStandardGravity) / kStandardGravity);
    if (view.damping > 0) damping = std::min(2.0, std::abs(fit.damping - view.damping) / view.damping);
  }
  table.Add("string", length);
  table.Add("energy", energy);
  table.Add("period", period);
  table.Add("invariance", tracks ? MeanOf({length, energy, period}) : 0);
  table.Add("discarded", tracks ? 0 : 1);
  table.Add("dynamics", dynamics.value_or(0));
  table.Add("gravity-error", gravity.value_or(1));
  table.Add("damping-error", view.damping > 0 ? std::optional(damping.value_or(2)) : std::nullopt);
}

void JudgeFall(Table& table, const RealMotion& real, const ObjectFilm& objects) {
  Scenario whole = real.scenario;
  whole.intervention.clear();
  const auto world = ContextEnd(whole);
  const PendulumView view = *ViewPendulum(*world);
  const auto edge = static_cast<double>(world->Facts().height) - kLeastTravel;
  const auto inside = [&](double x, double y) { return x > kLeastTravel && x < edge && y > kLeastTravel && y < edge; };
  const Track& truth = real.tracks.front();
  size_t frames = 0;
  while (frames < truth.x.size() && inside(truth.x[frames], truth.y[frames])) ++frames;
  std::optional<double> error;
  if (frames >= 5) {
    std::vector<double> down;
    if (const auto track = TrackOf({objects.begin(), objects.begin() + static_cast<std::ptrdiff_t>(frames)}, real.ids.front()))
      for (size_t t = 0; t < frames && 5 * track->missing <= track->Count(); ++t) down.push_back((track->y[t] - view.pivot_y) / view.scale);
    error = std::min(1.0, std::abs(FitFall(down, view.fps).value_or(0) - kStandardGravity) / kStandardGravity);
  }
  table.Add("fall-gravity-error", error);
}

// Parts of the invariance, each over the films that are kept.
void AddParts(Metric& m, const Table& table, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const Estimate e = MeanEstimate(table.At(name), "not so here");
    if (e.value) m.by[fmt::format("invariant={}", name)] = {e.value, e.interval, e.count - e.failed};
  }
}

enum class Law { kDiscs, kSwing, kFall };

Law LawOf(const ProbePlan& plan) {
  const auto world = MakeWorld(plan.world);
  if (ViewTable(*world)) return Law::kDiscs;
  if (ViewPendulum(*world)) return plan.interventions.empty() ? Law::kSwing : Law::kFall;
  Fail("laws: knows billiards with friction=0 and a single pendulum (whose string may be cut), got {}", plan.world);
}

struct Row {
  const char *name, *direction;
  std::map<std::string, double> anchors;
  const char *unit, *source, *note;
};

std::vector<Row> Rows(Law law, bool damped) {
  if (law == Law::kFall)
    return {{"fall-gravity-error",
             "lower",
             {{"perfect", 0}, {"still", 1}},
             "1",
             kMorpheus,
             "Error of g, relative, from the flight of a bob whose string was cut, at most 1."}};
  std::vector<Row> rows = {
      {"invariance",
       "higher",
       {{"perfect", 1}, {"discarded", 0}},
       "1",
       kMorpheus,
       "Physical Invariance Score of what is conserved, over windows of a quarter of the film; discarded films count 0."},
      {"discarded",
       "lower",
       {{"perfect", 0}},
       "of films",
       kMorpheus,
       "A thing is missing in more than a fifth of the frames, or all stand still."},
      {"dynamics",
       "higher",
       {{"perfect", 1}, {"discarded", 0}},
       "1",
       kMorpheus,
       law == Law::kDiscs
           ? "1 - NMSE of exact collisions, 8 frames ahead, from the film's own places and velocities; discarded films count 0."
           : "1 - NMSE of the fitted equation of motion; discarded films count 0."}};
  if (law == Law::kDiscs) {
    rows.push_back(
        {"restitution-error", "lower", {{"perfect", 0}, {"discarded", 1}}, "1", "own", "Error of the fitted restitution, relative."});
    rows.push_back(
        {"velocity-before", "lower", {{"perfect", 0}}, "m/s", kPhyWorld, "Error of velocities before a disc's first collision."});
    rows.push_back({"velocity-after", "lower", {{"perfect", 0}}, "m/s", kPhyWorld, "The same after it."});
    rows.push_back({"penetration", "lower", {{"perfect", 0}}, "of frames", "own", "Two discs lie in each other by more than 2 px."});
  } else {
    rows.push_back(
        {"gravity-error", "lower", {{"perfect", 0}, {"discarded", 1}}, "1", "own", "Error of the fitted g, relative, at most 1."});
    if (damped)
      rows.push_back({"damping-error",
                      "lower",
                      {{"perfect", 0}, {"reverse", 2}},
                      "1",
                      "own",
                      "Error of the fitted damping, relative, at most 2: time that runs backwards has 2."});
  }
  return rows;
}

}  // namespace

ProbeResult ProbeLaws(const Subject& subject, const ProbePlan& plan) {
  const Law law = LawOf(plan);
  const bool damped = law == Law::kSwing && ViewPendulum(*MakeWorld(plan.world))->damping > 0;
  const std::vector<Row> rows = Rows(law, damped);
  Table table;
  std::string cause, reading;
  for (const RealMotion& real : RealMotions(plan, subject.Kind() == SubjectKind::kModel)) {
    if (!real.moves) {
      for (const char* name : {"energy", "momentum", "string", "period"}) table.Add(name, std::nullopt);
      for (const Row& row : rows) table.Add(row.name, std::nullopt);
      continue;
    }
    SeenObjects seen = ObjectsIn(Imagine(subject, real.scenario, 0), real.scenario);
    if (!(cause = seen.cause).empty()) break;
    const ObjectFilm& objects = seen.objects;
    law == Law::kDiscs   ? JudgeDiscs(table, real, objects)
    : law == Law::kSwing ? JudgeSwing(table, real, objects)
                         : JudgeFall(table, real, objects);
    if (!seen.reader.empty() && reading.empty())
      reading = ReadingNote(std::span(&seen, 1), real.scenario, Future(MakeTruth(real.scenario), real.scenario));
  }
  ProbeResult result;
  const auto id = [](const Row& row) { return fmt::format("causality.laws.{}", row.name); };
  for (const Row& row : rows) {
    if (!cause.empty()) {
      result.metrics.push_back(Missing(plan, {id(row)}, cause)[0]);
      continue;
    }
    const Estimate e = MeanEstimate(table.At(row.name), "no film of use: all are discarded, or nothing of the kind happens in truth");
    result.metrics.push_back(MetricOf(plan, id(row), e, row.direction, row.anchors, row.unit, row.source, row.note));
    Metric& m = result.metrics.back();
    if (!reading.empty()) m.notes.push_back(reading);
    if (m.id != "causality.laws.invariance") continue;
    if (law == Law::kDiscs) AddParts(m, table, {"energy", "momentum"});
    if (law == Law::kSwing) AddParts(m, table, {"string", "energy", "period"});
  }
  return result;
}

}  // namespace orrery
