// cost: milliseconds and bytes of a frame against the length of the history.
#include <algorithm>
#include <chrono>

#include "eval/suite/probe.h"

namespace orrery {

namespace {

using Clock = std::chrono::steady_clock;

double Median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

Metric Growth(const ProbePlan& plan, const char* id, const std::vector<double>& history, const std::vector<double>& y, const char* label,
              const char* note) {
  Metric m;
  m.id = id;
  m.world = plan.world;
  m.direction = "lower";
  m.anchors = {{"constant", 0}, {"linear", 1}};
  m.method = fmt::format("point-bootstrap-{}", kResamples);
  m.count = static_cast<int64_t>(history.size());
  m.notes.push_back(note);
  if (std::any_of(y.begin(), y.end(), [](double v) { return v <= 0; })) {
    m.cause = "nothing is kept";
    return m;
  }
  const PowerLaw law = FitPowerLaw(history, y);
  m.value = law.exponent;
  m.interval = law.interval;
  m.curve = Curve{history, y, {}, {}, "frames of history", label, true, true};
  return m;
}

}  // namespace

ProbeResult ProbeCost(const Subject& subject, const ProbePlan& plan) {
  const std::vector<std::string> ids{"cost.time-exponent", "cost.bytes-exponent"};
  ProbePlan one = plan;
  one.scenarios = 1;
  const Scenario s = MakeScenarios(one)[0];
  const auto world = subject.Begin(s, 0);
  if (!subject.StateBytes(*world)) return {Missing(plan, ids, "only a learned model has a state whose cost is asked"), {}};
  std::vector<double> history, time, bytes, block;
  int64_t next = plan.context;
  for (int64_t t = s.context - 1; t < s.Last(); ++t) {
    const auto start = Clock::now();
    world->Step(s.actions[static_cast<size_t>(t)]);
    block.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
    if (t + 1 < next * 2) continue;
    next = t + 1;
    history.push_back(static_cast<double>(t + 1));
    time.push_back(Median(block));
    bytes.push_back(static_cast<double>(*subject.StateBytes(*world)));
    block.clear();
  }
  constexpr size_t kLeast = 4;  // doublings of the history
  if (history.size() < kLeast)
    return {Missing(plan, ids,
                    fmt::format("a history that doubles {} times from {} frames is needed, this one ends at {}", kLeast, plan.context,
                                s.Last() + 1)),
            {}};
  return {{Growth(plan, "cost.time-exponent", history, time, "ms a frame",
                  "Slope of log time on log history; medians between doublings of the history."),
           Growth(plan, "cost.bytes-exponent", history, bytes, "bytes of state", "Slope of log bytes on log history.")},
          {}};
}

}  // namespace orrery
