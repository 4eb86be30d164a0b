// wcs: are things kept, do they stay where they should be, does what happens have its causes, does the background hold still?
// (evaluation 2.4; after arXiv 2508.00144)
#include <algorithm>

#include "eval/persistence/consistency.h"
#include "eval/suite/films.h"
#include "eval/suite/once.h"
#include "eval/suite/probe.h"
#include "eval/suite/seen_objects.h"
#include "worlds/billiards.h"
#include "worlds/billiards_view.h"
#include "worlds/dominoes.h"

namespace orrery {

namespace {

constexpr double kReach = 9;  // px: nothing of a body is further from its middle in a frame of 64 (a tile, a ball and its shadow, a domino)

// What is so of a scenario, whoever is judged. Frames 0 .. T.
struct WcsScene {
  Scenario scenario;
  Film film;
  std::vector<ShownThings> shown;
  EventEyes eyes;
  std::vector<SeenEvent> events;
};

EventEyes EyesFor(const World& world) {
  EventEyes eyes;
  if (const auto* table = dynamic_cast<const Billiards*>(&world)) {
    const BallView view(table->TableHeight(), table->Facts().height, table->Facts().width);
    eyes.contact = 2 * table->Balls().front().radius * view.Scale();
  }
  if (const auto* chain = dynamic_cast<const Dominoes*>(&world))
    eyes.lean = 0.35 * chain->Bodies().front().half_height * chain->Scale();  // an angle of 20 degrees, as the world's own topple
  return eyes;
}

std::vector<ShownThings> ShownIn(const Scenario& s, const ObjectFilm& objects, bool tiles) {
  const auto world = StartWorld(s);
  std::vector<std::map<int64_t, int64_t>> pixels = {PixelsShown(*world)};
  for (const auto& action : s.actions) {
    world->Step(action);
    pixels.push_back(PixelsShown(*world));
  }
  std::map<int64_t, int64_t> most;
  for (const auto& frame : pixels)
    for (const auto& [id, count] : frame) most[id] = std::max(most[id], count);
  std::vector<ShownThings> shown(pixels.size());
  for (size_t t = 0; t < pixels.size(); ++t)
    for (const WorldObject& o : objects[t]) {
      const int64_t count = pixels[t][o.id];
      if (count == 0) shown[t].hidden.insert(o.id);
      if (count > 0 && (tiles || 2 * count >= most[o.id])) shown[t].shown.insert(o.id);
    }
  return shown;
}

// Discs that leave the frame would make every fault one of permanence: scenarios in which none does, and none begins out of sight.
bool StayInFrame(const WcsScene& scene) {
  const ShownThings& told = scene.shown[static_cast<size_t>(scene.scenario.context - 1)];
  const double width = static_cast<double>(scene.film.frames.size(2));
  for (const auto& frame : scene.film.objects)
    for (const WorldObject& o : frame)
      if (o.kind == "disc" && (!told.shown.contains(o.id) || o.x < 4 || o.x > width - 4)) return false;
  return true;
}

WcsScene MakeScene(const Scenario& s) {
  WcsScene scene;
  scene.scenario = s;
  scene.film = MakeTruth(s).film;
  const auto world = StartWorld(s);
  const auto reader = MakeReader(*world);
  if (!reader) Fail("wcs: a world that has a reader expected, got {}", s.world);
  scene.shown = ShownIn(s, scene.film.objects, reader->Name() == "tiles");
  scene.eyes = EyesFor(*world);
  scene.events = SeeEvents(scene.film.objects, scene.eyes);
  return scene;
}

const std::vector<WcsScene>& Scenes(const ProbePlan& plan) {
  return OncePerPlan<std::vector<WcsScene>>(plan, "wcs", [&] {
    constexpr int64_t kTries = 200;  // scenarios for each that is wanted
    std::vector<WcsScene> scenes;
    ProbePlan one = plan;
    one.scenarios = 1;
    for (uint64_t i = 0; static_cast<int64_t>(scenes.size()) < plan.scenarios; ++i) {
      if (static_cast<int64_t>(i) >= kTries * plan.scenarios)
        Fail("wcs: only {} of {} scenarios of {} keep everything in the frame", scenes.size(), i, plan.world);
      one.seed = plan.seed + 1000 * i;
      WcsScene scene = MakeScene(MakeScenarios(one)[0]);
      if (StayInFrame(scene)) scenes.push_back(std::move(scene));
    }
    return scenes;
  });
}

// Numbers of each scenario, one list a metric.
struct Terms {
  std::vector<std::optional<double>> permanence, relations, causes, flicker, whole, judged;
  std::vector<SeenObjects> seen;
};

void Judge(const WcsScene& scene, const Film& made, Terms& terms) {
  const Scenario& s = scene.scenario;
  auto read = ReadFilm(s, made.frames);
  ORRERY_CHECK(read);
  const auto tail = [&](const auto& all) { return std::vector(all.begin() + s.context, all.end()); };
  const ObjectFilm truth = tail(scene.film.objects);
  const std::vector<ShownThings> shown = tail(scene.shown);
  ObjectFilm whole(scene.film.objects.begin(), scene.film.objects.begin() + s.context);  // what leads up to events
  whole.insert(whole.end(), read->objects.begin(), read->objects.end());
  const EventMatch match = MatchEvents(scene.events, SeeEvents(whole, scene.eyes), s.context);
  // After something went wrong all places are: that is one fault and not two. What is wrong from the beginning is judged whole.
  const auto frames = static_cast<int64_t>(truth.size());
  const int64_t before = match.first_wrong - kWindow - s.context;
  const int64_t until = match.first_wrong < 0 || before <= 0 ? frames : before;
  const double permanence = ComparePermanence(truth, shown, read->objects).Value(), causes = match.F1();
  const auto relations = RelationStability(truth, shown, read->objects, until);
  const at::Tensor future = scene.film.frames.narrow(0, s.context, frames).contiguous();
  const auto flicker = FlickerPenalty(Span(future), Span(made.frames), read->objects, kReach, s.seed);
  terms.permanence.push_back(permanence);
  terms.causes.push_back(causes);
  terms.relations.push_back(relations);
  terms.flicker.push_back(flicker);
  terms.judged.push_back(match.first_wrong >= 0 && before <= 0 ? 0 : static_cast<double>(until) / static_cast<double>(frames));
  // Without two things in sight there are no relations to keep.
  terms.whole.push_back(WorldConsistency(permanence, relations.value_or(0), causes, flicker.value_or(0)));
  terms.seen.push_back({{}, "", read->reader, read->asked, read->abstained});
}

}  // namespace

ProbeResult ProbeWcs(const Subject& subject, const ProbePlan& plan) {
  const std::vector<WcsScene>& scenes = Scenes(plan);
  Terms terms;
  for (const WcsScene& scene : scenes) Judge(scene, Imagine(subject, scene.scenario, 0), terms);
  const char* source = "own, after arXiv 2508.00144";
  const auto metric = [&](const char* name, const std::vector<std::optional<double>>& values, const char* direction, double perfect,
                          const char* note) {
    return MetricOf(plan, fmt::format("persistence.wcs.{}", name), MeanEstimate(values, "no film has two things in sight that were read"),
                    direction, {{"perfect", perfect}}, "1", source, note);
  };
  ProbeResult result;
  result.metrics = {
      metric("score", terms.whole, "higher", 1, "WCS-S: (permanence + relations + causes) / 3 - flicker / 4."),
      metric("permanence", terms.permanence, "higher", 1,
             "One less missed, spurious and changed things over things in sight, frame by frame."),
      metric("relations", terms.relations, "higher", 1,
             "Distances of things that are what they should be, and who is left and above, up to the first wrong event."),
      metric("causes", terms.causes, "higher", 1, "F1 of events (kicks, topples, what happens to keys and doors) against those required."),
      metric("flicker", terms.flicker, "lower", 0, "Change of the background that should hold still, over that of shuffled true frames."),
      metric("judged", terms.judged, "higher", 1, "Share of frames before the first wrong event: those in which relations are judged.")};
  const WcsScene& last = scenes.back();
  const int64_t from = last.scenario.context;
  const std::string note =
      ReadingNote(terms.seen, last.scenario, last.film.frames.narrow(0, from, last.film.frames.size(0) - from).contiguous());
  for (Metric& m : result.metrics)
    if (!note.empty() && (m.id.ends_with("score") || m.id.ends_with("permanence"))) m.notes.push_back(note);
  return result;
}

}  // namespace orrery
