#include "eval/suite/probe.h"

#include <algorithm>

#include "eval/causality/estimate.h"
#include "worlds/registry.h"
#include "worlds/trajectory.h"

namespace orrery {

namespace {

using Run = ProbeResult (*)(const Subject&, const ProbePlan&);

Registry<ProbeResult, const Subject&, const ProbePlan&>::Entry Entry(const char* name, const char* summary, const char* source, Run run) {
  return {{name, summary, source, {}}, [run](const Json&, const Subject& subject, const ProbePlan& plan) { return run(subject, plan); }};
}

}  // namespace

std::string ProbePlan::Name() const {
  std::string name = fmt::format("{}-{}", probe, world);
  if (!interventions.empty()) name += fmt::format("-{}", ParseSpec(interventions[0])[0].name);
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '.') c = '_';
  return name;
}

const Registry<ProbeResult, const Subject&, const ProbePlan&>& Probes() {
  static const Registry<ProbeResult, const Subject&, const ProbePlan&> probes(
      "probe", {Entry("similarity", "frames against the truth of the same actions", "evaluation of pixels", ProbeSimilarity),
                Entry("drift", "free-running against teacher-forced error over time", "arXiv 2601.17067", ProbeDrift),
                Entry("revisit", "the picture at a pose that was left and is come back to", "arXiv 2504.12369", ProbeRevisit),
                Entry("physics-iq", "where, when and how much the picture moves", "arXiv 2501.09038", ProbePhysicsIq),
                Entry("twins", "what an intervention changes, in pixels and objects", "own", ProbeTwins),
                Entry("control", "how much actions matter", "arXiv 2402.15391, 2601.17067", ProbeControl),
                Entry("cost", "time and bytes against history", "own", ProbeCost)});
  return probes;
}

std::vector<Scenario> MakeScenarios(const ProbePlan& plan) {
  constexpr uint64_t kSeeds = 1000;  // tried for each
  const int64_t wanted = plan.context + plan.frames - 1;
  const std::string spec = plan.trajectory.empty() ? fmt::format("policy(explore, frames={})", wanted) : plan.trajectory;
  std::vector<Scenario> scenarios;
  for (int64_t i = 0; i < plan.scenarios; ++i) {
    const auto world = MakeWorld(plan.world);
    Scenario s;
    s.world = plan.world;
    s.context = plan.context;
    s.seed = SeedWithRoom(spec, *world, plan.seed + kSeeds * static_cast<uint64_t>(i), kSeeds);
    s.actions = PlanTrajectory(spec, *world, s.seed).actions;
    if (static_cast<int64_t>(s.actions.size()) < wanted)
      Fail("{}: the trajectory {} has {} actions, {} context and {} imagined frames need {}", plan.Name(), spec, s.actions.size(),
           plan.context, plan.frames, wanted);
    s.actions.resize(static_cast<size_t>(wanted));
    scenarios.push_back(std::move(s));
  }
  return scenarios;
}

Metric MeanMetric(const ProbePlan& plan, std::string id, const std::vector<std::optional<double>>& values, const std::string& cause) {
  const Estimate e = MeanEstimate(values, cause);
  Metric m;
  m.id = std::move(id);
  m.world = plan.world;
  m.count = e.count;
  m.failed = e.failed;
  m.method = fmt::format("scenario-bootstrap-{}", kResamples);
  if (e.value && e.interval) {
    m.value = e.value;
    m.interval = e.interval;
    m.per_scenario = e.per_scenario;
  } else {
    m.cause = e.cause.empty() ? cause : e.cause;
  }
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
