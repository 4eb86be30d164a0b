#include "eval/suite/probe.h"

#include <map>
#include <mutex>

#include "eval/recordings/windows.h"
#include "eval/suite/planning_probe.h"
#include "worlds/registry.h"
#include "worlds/scene.h"

namespace orrery {

namespace {

Registry<Probe>::Entry Entry(const char* name, const char* summary, const char* source,
                             ProbeResult (*run)(const Subject&, const ProbePlan&), int64_t version = 1) {
  return {{name, summary, source, {}}, [=](const Json&) { return Probe{version, run}; }};
}

Scenario MakeScenario(const ProbePlan& plan, size_t index) {
  int64_t wanted = plan.context + plan.frames - 1;
  const std::string spec = plan.trajectory.empty() ? fmt::format("policy(explore, frames={})", wanted) : plan.trajectory;
  const auto world = MakeWorld(plan.world);
  Scenario s;
  s.world = plan.world;
  s.context = plan.context;
  s.seed = SeedWithRoom(spec, *world, plan.seed + kSeedsPerScenario * index, kSeedsPerScenario);
  s.actions = PlanTrajectory(spec, *world, s.seed).actions;
  if (plan.frames == 0) wanted = std::max(std::ssize(s.actions), plan.context);
  if (static_cast<int64_t>(s.actions.size()) < wanted)
    Fail("{}: the trajectory {} has {} actions, {} context and {} imagined frames need {}", plan.Name(), spec, s.actions.size(),
         plan.context, plan.frames, wanted);
  s.actions.resize(static_cast<size_t>(wanted));
  return s;
}

void Fill(Metric& m, const Estimate& e, const std::string& cause) {
  m.count = e.count;
  m.failed = e.failed;
  m.method = e.method.empty() ? fmt::format("scenario-bootstrap-{}", kResamples) : e.method;
  if (e.value && e.interval) {
    m.value = e.value;
    m.interval = e.interval;
    m.per_scenario = e.per_scenario;
  } else {
    m.cause = e.cause.empty() ? cause : e.cause;
  }
}

}  // namespace

std::string ProbePlan::Name() const {
  std::string name = fmt::format("{}-{}", probe, scene.empty() ? world : scene);
  if (!interventions.empty()) name += fmt::format("-{}", ParseSpec(interventions[0])[0].name);
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '.') c = '_';
  return name;
}

const Registry<Probe>& Probes() {
  static const Registry<Probe> probes(
      "probe",
      {Entry("similarity", "frames against the truth of the same actions", "evaluation of pixels", ProbeSimilarity, 2),
       Entry("distribution", "whether sets of films look like sets of real films", "arXiv 1706.08500, 1801.01401, 1812.01717",
             ProbeDistribution, 2),
       Entry("motion", "how films move, beside real ones", "arXiv 2407.16124, 2311.17982, 2403.14773", ProbeMotion, 2),
       Entry("drift", "free-running against teacher-forced error over time", "arXiv 2601.17067", ProbeDrift, 3),
       Entry("recall", "the picture that one turned away from, when one turns back", "arXiv 2504.12369", ProbeRecall, 2),
       Entry("revisit", "the picture at a pose that was left and is come back to", "arXiv 2504.12369", ProbeRevisit, 4),
       Entry("self-consistency", "whether imagined places look alike when one comes back", "arXiv 2602.08025", ProbeSelfConsistency),
       Entry("physics-iq", "where, when and how much the picture moves", "arXiv 2501.09038", ProbePhysicsIq, 2),
       Entry("twins", "what an intervention changes, in pixels and objects", "own", ProbeTwins, 4),
       Entry("dose", "whether a stronger hand does more", "own", ProbeDose),
       Entry("order", "whether films run forward and things happen in their order", "own, arXiv 2406.18522", ProbeOrder),
       Entry("attribution", "whether it is the agent who acts otherwise that changes", "own", ProbeAttribution),
       Entry("future-leak", "whether frames depend on actions that come later", "own", ProbeFutureLeak),
       Entry("control", "how much actions matter", "arXiv 2402.15391, 2601.17067", ProbeControl),
       Entry("recorded-twins", "what other actions change, on recorded pairs", "own", ProbeRecordedTwins),
       Entry("endurance", "how long an uncorrected film lasts", "arXiv 2601.17067, 2403.14773", ProbeEndurance, 2),
       Entry("hidden", "whether things go on while nobody sees them", "arXiv 2603.13215", ProbeHidden),
       Entry("updated", "whether what changed out of sight is remembered as it is now", "own", ProbeUpdated),
       Entry("surprise", "whether the impossible is less expected than the possible", "arXiv 1803.07616", ProbeSurprise),
       Entry("memory-probe", "what can be read off what is remembered", "arXiv 2210.13383", ProbeMemory, 2),
       Entry("memory-mlp", "the same by four layers", "arXiv 2210.13383", ProbeMemoryDeep),
       Entry("wcs", "things, their places, causes and background, each by itself", "own, after arXiv 2508.00144", ProbeWcs),
       Entry("solve", "whether the way to the goal is the shortest one", "arXiv 2511.15065", ProbeSolve),
       Entry("planning", "what it is worth to plan in", "own", ProbePlanning, 2),
       Entry("laws", "what trajectories conserve, and the laws of motion that fit them", "arXiv 2504.02918, 2411.02385", ProbeLaws),
       Entry("following", "whether the actions can be read off the film", "arXiv 2601.17067, 2602.08025", ProbeFollowing, 2),
       Entry("rules", "whether every step is one that the rules allow", "own", ProbeRules),
       Entry("cost", "time and bytes against history", "own", ProbeCost, 2)});
  return probes;
}

ProbePlan ScenePlan(std::string probe, const std::string& scene, int64_t scenarios, int64_t frames) {
  const Scene from = BuiltInScene(scene);
  ProbePlan plan;
  plan.probe = std::move(probe);
  plan.scene = scene;
  plan.world = from.world;
  plan.trajectory = from.trajectory;
  plan.context = from.context;
  plan.seed = from.first_seed;
  plan.scenarios = scenarios;
  plan.frames = frames;
  return plan;
}

std::vector<Scenario> MakeScenarios(const ProbePlan& plan) {
  if (IsRecording(plan.world)) return RecordedScenarios(plan.world, plan.scenarios, plan.context, plan.frames, plan.seed);
  static std::mutex mutex;
  static std::map<std::string, std::vector<Scenario>> made;
  const std::lock_guard lock(mutex);
  std::vector<Scenario>& all = made[Json::array({plan.world, plan.trajectory, plan.context, plan.frames, plan.seed}).dump()];
  const auto count = static_cast<size_t>(plan.scenarios);
  while (all.size() < count) all.push_back(MakeScenario(plan, all.size()));
  return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count)};
}

Metric MetricOf(const ProbePlan& plan, std::string id, const Estimate& estimate, const char* direction,
                std::map<std::string, double> anchors, const char* unit, const char* source, const char* note) {
  Metric m;
  m.id = std::move(id);
  m.world = plan.world;
  m.direction = direction;
  m.anchors = std::move(anchors);
  m.unit = unit;
  m.source = source;
  m.notes.push_back(note);
  Fill(m, estimate, "undefined for these scenarios");
  return m;
}

Metric MeanMetric(const ProbePlan& plan, std::string id, const std::vector<std::optional<double>>& values, const std::string& cause) {
  Metric m;
  m.id = std::move(id);
  m.world = plan.world;
  Fill(m, MeanEstimate(values, cause), cause);
  return m;
}

std::vector<Metric> Missing(const ProbePlan& plan, const std::vector<std::string>& ids, const std::string& cause) {
  std::vector<Metric> metrics;
  for (const std::string& id : ids) {
    Metric m;
    m.id = id;
    m.world = plan.world;
    m.cause = cause;
    metrics.push_back(std::move(m));
  }
  return metrics;
}

}  // namespace orrery
