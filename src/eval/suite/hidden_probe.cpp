// hidden: do things go on while nobody sees them? (evaluation 2.9; after STEVO-Bench, arXiv 2603.13215)
#include <algorithm>

#include "eval/causality/instances.h"
#include "eval/persistence/occlusion.h"
#include "eval/suite/films.h"
#include "eval/suite/once.h"
#include "eval/suite/seen_objects.h"
#include "worlds/trajectory.h"

namespace orrery {

namespace {

constexpr int64_t kShortest = 4;  // frames out of sight

// Parameters of the plan's trajectory hide(...).
Json HideOf(const ProbePlan& plan) {
  const std::vector<SpecPart> parts = plan.trajectory.empty() ? std::vector<SpecPart>() : ParseSpec(plan.trajectory);
  if (parts.size() != 1 || parts[0].name != "hide")
    Fail("hidden: a plan with the trajectory hide(...) expected, got \"{}\"", plan.trajectory);
  return Bind(parts[0], Trajectories().Find("hide").facts);
}

// The same plan with things out of sight for `hold` frames.
ProbePlan Held(ProbePlan plan, int64_t hold) {
  Json params = HideOf(plan);
  plan.frames -= params["hold"].get<int64_t>() - hold;
  params["hold"] = hold;
  plan.trajectory = FormatSpec("hide", params);
  return plan;
}

// Things that go out of sight after the context and stay away for most of `hold` frames.
std::vector<Occlusion> OcclusionsOf(const Scenario& s, int64_t hold) {
  const auto world = StartWorld(s);
  const std::vector<int32_t> ids = RecordIds(*world, {s.actions, "", 0}, false);
  std::vector<Occlusion> occlusions = FindOcclusions(ids, s.Last() + 1);
  std::erase_if(occlusions, [&](const Occlusion& o) { return o.seen < s.context - 1 || 2 * o.length < hold; });
  return occlusions;
}

// What is so of a scenario, whoever is judged.
struct HiddenScene {
  Scenario scenario;
  std::vector<Occlusion> occlusions;
  ObjectFilm truth, take;  // of a second take
};

const std::vector<HiddenScene>& Scenes(const ProbePlan& plan, int64_t hold) {
  return OncePerPlan<std::vector<HiddenScene>>(plan, fmt::format("hidden {}", hold), [&] {
    std::vector<HiddenScene> scenes;
    for (const Scenario& s : MakeScenarios(Held(plan, hold))) {
      Scenario second = s;
      second.take = s.take + 1;
      scenes.push_back({s, OcclusionsOf(s, hold), MakeTruth(s).film.objects, MakeTruth(second).film.objects});
    }
    return scenes;
  });
}

struct Returns {
  std::vector<ReturnSums> films;  // one a scenario
  std::vector<SeenObjects> seen;
  std::string cause;  // why there are none
};

Returns Watch(const Subject& subject, const ProbePlan& plan, int64_t hold) {
  Returns returns;
  for (const HiddenScene& scene : Scenes(plan, hold)) {
    const Film made = Imagine(subject, scene.scenario, 0);
    returns.seen.push_back(ObjectsIn(made, scene.scenario));
    const SeenObjects& seen = returns.seen.back();
    if (seen.objects.empty()) {
      returns.cause = seen.cause;
      return returns;
    }
    returns.films.push_back(CompareReturns(scene.occlusions, scene.truth, scene.take, seen.objects, scene.scenario.context));
  }
  return returns;
}

struct Score {
  const char *name, *direction;
  std::map<std::string, double> anchors;
  const char *unit, *cause, *note;
  std::function<double(const ReturnSums&)> above, below;
};

std::vector<Score> Scores() {
  const auto things = [](const ReturnSums& r) { return static_cast<double>(r.things); };
  return {{"progress",
           "higher",
           {{"perfect", 1}, {"paused", 0}},
           "1",
           "nothing that was hidden moved",
           "How far things have gone along their true way while out of sight; below 0 they went back.",
           [](const ReturnSums& r) { return r.product; },
           [](const ReturnSums& r) { return r.square; }},
          {"identity",
           "higher",
           {{"perfect", 1}},
           "of things",
           "nothing was hidden",
           "Share of things that come back with their kind, colour and shape.",
           [](const ReturnSums& r) { return static_cast<double>(r.same); },
           things},
          {"error",
           "lower",
           {{"perfect", 0}, {"take2", 1}},
           "of a second take's error",
           "a second take is the first",
           "Distance from the true place at the return over that of a second take.",
           [](const ReturnSums& r) { return r.error; },
           [](const ReturnSums& r) { return r.take_error; }},
          {"paused",
           "lower",
           {{"perfect", 0}, {"paused", 1}},
           "of things",
           "nothing that was hidden moved",
           "Share of things that stood still (progress within +-0.2) though the true ones moved.",
           [](const ReturnSums& r) { return static_cast<double>(r.paused); },
           [](const ReturnSums& r) { return static_cast<double>(r.moved); }}};
}

Estimate EstimateScore(const Returns& returns, const Score& score, int64_t scenarios) {
  std::vector<double> above, below;
  for (const ReturnSums& film : returns.films) {
    above.push_back(score.above(film));
    below.push_back(score.below(film));
  }
  Estimate e;
  e.cause = returns.cause;
  e.count = e.failed = scenarios;
  return returns.cause.empty() ? RatioEstimate(above, below, score.cause) : e;
}

}  // namespace

ProbeResult ProbeHidden(const Subject& subject, const ProbePlan& plan) {
  const int64_t longest = HideOf(plan)["hold"];
  std::map<int64_t, Returns> by_hold;
  for (int64_t hold = longest; hold >= kShortest; hold /= 4) by_hold[hold] = Watch(subject, plan, hold);
  const Scenario& first = Scenes(plan, longest).front().scenario;
  const std::string reading = ReadingNote(by_hold.at(longest).seen, first, Future(MakeTruth(first), first));
  ProbeResult result;
  for (const Score& score : Scores()) {
    Metric m = MetricOf(plan, fmt::format("persistence.hidden.{}", score.name), EstimateScore(by_hold.at(longest), score, plan.scenarios),
                        score.direction, score.anchors, score.unit, "arXiv 2603.13215; evaluation 2.9", score.note);
    m.notes.push_back(fmt::format("The number is that after {} frames out of sight.", longest));
    if (m.value && !reading.empty()) m.notes.push_back(reading);
    Curve c;
    c.x_label = "frames out of sight";
    c.y_label = score.name;
    c.log_x = true;
    for (const auto& [hold, returns] : by_hold) {
      const Estimate e = EstimateScore(returns, score, plan.scenarios);
      m.by[fmt::format("hidden={:03}", hold)] = {e.value, e.interval, e.count};
      if (!e.value || !e.interval) continue;
      c.x.push_back(static_cast<double>(hold));
      c.y.push_back(*e.value);
      c.low.push_back(e.interval->low);
      c.high.push_back(e.interval->high);
    }
    if (!c.x.empty()) m.curve = std::move(c);
    result.metrics.push_back(std::move(m));
  }
  return result;
}

}  // namespace orrery
