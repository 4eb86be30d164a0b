// Probes: what a suite asks of a subject on a world. A probe makes scenarios, lets the subject imagine them, and gives metrics.
#pragma once
#include "core/registry.h"
#include "eval/causality/estimate.h"
#include "eval/report/result.h"
#include "eval/subject.h"

namespace orrery {

// One question: a probe, a world, and how much of it.
struct ProbePlan {
  std::string probe;                       // name in Probes()
  std::string world;                       // spec
  int64_t scenarios = 16;                  // test seeds; their bootstrap is the interval
  int64_t context = 8;                     // true frames shown
  int64_t frames = 32;                     // imagined; 0: to the end of the trajectory
  int64_t samples = 1;                     // of the subject a scenario
  std::string trajectory;                  // spec (worlds/trajectory.h) of at least context + frames - 1 actions; empty: policy(explore)
  std::vector<std::string> interventions;  // of probes that intervene, all of one name: scenario i takes the i-th, round and round
  uint64_t seed = 1'000'000;               // of the first scenario: no training set reaches these
  std::string scene;                       // scene file (worlds/scene.h) that world, trajectory, context and seed come from; empty: none

  std::string Name() const;  // "twins-dominoes-remove": file name of the cell
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ProbePlan, probe, world, scenarios, context, frames, samples, trajectory, interventions,
                                                seed, scene)

struct ProbeResult {
  std::vector<Metric> metrics;
  std::vector<Strip> strips;
};

struct Probe {
  int64_t version = 1;  // raised whenever its numbers change: cells of another version are done again
  ProbeResult (*run)(const Subject&, const ProbePlan&) = nullptr;
};

const Registry<Probe>& Probes();

// A plan of `scenarios` scenarios of a built-in scene. Throws Error when there is no such scene.
ProbePlan ScenePlan(std::string probe, const std::string& scene, int64_t scenarios, int64_t frames);

// Scenarios of a plan, with context + frames - 1 actions each. Made once a program; they do not depend on each other. Thread-safe.
std::vector<Scenario> MakeScenarios(const ProbePlan& plan);

// A metric of an estimate with all that is needed to read it; without a value when the estimate has none, or no interval.
Metric MetricOf(const ProbePlan& plan, std::string id, const Estimate& estimate, const char* direction,
                std::map<std::string, double> anchors, const char* unit, const char* source, const char* note);

// A metric of one number a scenario (none where it failed), with a bootstrap interval over them.
Metric MeanMetric(const ProbePlan& plan, std::string id, const std::vector<std::optional<double>>& values, const std::string& cause);

// A cause that begins so is no fault of the subject, the truth itself has no such number from this plan. Sanity rules pass it over.
constexpr const char* kOfNoSubject = "of no subject here: ";

// Why none of a plan's numbers can be had from a subject: metrics with that cause.
std::vector<Metric> Missing(const ProbePlan& plan, const std::vector<std::string>& ids, const std::string& cause);

ProbeResult ProbeSimilarity(const Subject& subject, const ProbePlan& plan);
ProbeResult ProbeDrift(const Subject& subject, const ProbePlan& plan);
ProbeResult ProbeRevisit(const Subject& subject, const ProbePlan& plan);
ProbeResult ProbeRecall(const Subject& subject, const ProbePlan& plan);
ProbeResult ProbeSelfConsistency(const Subject& subject, const ProbePlan& plan);
ProbeResult ProbePhysicsIq(const Subject& subject, const ProbePlan& plan);
ProbeResult ProbeTwins(const Subject& subject, const ProbePlan& plan);
ProbeResult ProbeDose(const Subject& subject, const ProbePlan& plan);
ProbeResult ProbeOrder(const Subject& subject, const ProbePlan& plan);
ProbeResult ProbeAttribution(const Subject& subject, const ProbePlan& plan);
ProbeResult ProbeFutureLeak(const Subject& subject, const ProbePlan& plan);
ProbeResult ProbeControl(const Subject& subject, const ProbePlan& plan);
ProbeResult ProbeCost(const Subject& subject, const ProbePlan& plan);
ProbeResult ProbeEndurance(const Subject& subject, const ProbePlan& plan);
ProbeResult ProbeHidden(const Subject& subject, const ProbePlan& plan);
ProbeResult ProbeUpdated(const Subject& subject, const ProbePlan& plan);
ProbeResult ProbeSurprise(const Subject& subject, const ProbePlan& plan);
ProbeResult ProbeMemory(const Subject& subject, const ProbePlan& plan);
ProbeResult ProbeMemoryDeep(const Subject& subject, const ProbePlan& plan);
ProbeResult ProbeWcs(const Subject& subject, const ProbePlan& plan);
ProbeResult ProbeSolve(const Subject& subject, const ProbePlan& plan);
ProbeResult ProbeLaws(const Subject& subject, const ProbePlan& plan);
ProbeResult ProbeFollowing(const Subject& subject, const ProbePlan& plan);
ProbeResult ProbeRules(const Subject& subject, const ProbePlan& plan);
ProbeResult ProbeDistribution(const Subject& subject, const ProbePlan& plan);
ProbeResult ProbeMotion(const Subject& subject, const ProbePlan& plan);
ProbeResult ProbeRecordedTwins(const Subject& subject, const ProbePlan& plan);
ProbeResult ControlOfRecording(const Subject& subject, const ProbePlan& plan);  // of ProbeControl
ProbeResult RevisitOfRecording(const Subject& subject, const ProbePlan& plan);  // of ProbeRevisit

}  // namespace orrery
