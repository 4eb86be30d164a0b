// cost: processor time and bytes of a frame against the length of the history.
#include <algorithm>
#include <ctime>

#include "eval/memory/one_thread.h"
#include "eval/suite/probe.h"

namespace orrery {

namespace {

constexpr int64_t kShort = 100;  // frames of history that a long one is compared with
constexpr int64_t kPairs = 32;   // frames at either
constexpr const char* kRatio = "cost.time-ratio";

// Processor time of this thread, ms: what else runs on the machine takes none of it.
double Milliseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

// Of one step, ms.
double Timed(World& world, std::span<const float> action) {
  const double start = Milliseconds();
  world.Step(action);
  return Milliseconds() - start;
}

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

// Time of a frame after a long history over that after a short one, both taken in turns.
Metric Ratio(const ProbePlan& plan, const std::vector<double>& late, const std::vector<double>& early, int64_t history) {
  Metric m;
  m.id = kRatio;
  m.world = plan.world;
  m.direction = "lower";
  m.anchors = {{"constant", 1}};
  if (late.empty()) {
    m.cause = fmt::format("a history of {} frames or more is needed, this one ends at {}", 2 * kShort + kPairs, history);
    return m;
  }
  const auto picked = [](const std::vector<double>& v, std::span<const int64_t> rows) {
    std::vector<double> some;
    for (const int64_t row : rows) some.push_back(v[static_cast<size_t>(row)]);
    return Median(std::move(some));
  };
  m.value = Median(late) / Median(early);
  m.interval =
      Bootstrap(static_cast<int64_t>(late.size()), [&](std::span<const int64_t> rows) { return picked(late, rows) / picked(early, rows); });
  m.method = fmt::format("frame-bootstrap-{}", kResamples);
  m.count = static_cast<int64_t>(late.size());
  m.notes.push_back(fmt::format("Median processor time of a frame after {} frames of history over that after {}, two sessions in turns.",
                                history - kPairs, kShort));
  return m;
}

}  // namespace

ProbeResult ProbeCost(const Subject& subject, const ProbePlan& plan) {
  const std::vector<std::string> ids{"cost.time-exponent", "cost.bytes-exponent", kRatio};
  const OneThread one_thread;
  ProbePlan one = plan;
  one.scenarios = 1;
  const Scenario s = MakeScenarios(one)[0];
  const auto world = subject.Begin(s, 0);
  if (!subject.StateBytes(*world)) return {Missing(plan, ids, "only a learned model has a state whose cost is asked"), {}};
  const auto action = [&](int64_t t) { return std::span<const float>(s.actions[static_cast<size_t>(t)]); };
  const bool compares = plan.context <= kShort && s.Last() + 1 >= 2 * kShort + kPairs;
  const auto young = compares ? subject.Begin(s, 0) : nullptr;
  int64_t age = s.context - 1;
  for (; compares && age < kShort; ++age) young->Step(action(age));
  std::vector<double> history, time, bytes, block, late, early;
  int64_t next = plan.context;
  for (int64_t t = s.context - 1; t < s.Last(); ++t) {
    block.push_back(Timed(*world, action(t)));
    if (compares && t >= s.Last() - kPairs) {
      late.push_back(block.back());
      early.push_back(Timed(*young, action(age++)));
    }
    if (t + 1 < next * 2) continue;
    next = t + 1;
    history.push_back(static_cast<double>(t + 1));
    time.push_back(Median(block));
    bytes.push_back(static_cast<double>(*subject.StateBytes(*world)));
    block.clear();
  }
  const Metric ratio = Ratio(plan, late, early, s.Last() + 1);
  constexpr size_t kLeast = 4;  // doublings of the history
  if (history.size() < kLeast) {
    std::vector<Metric> metrics = Missing(
        plan, {ids[0], ids[1]},
        fmt::format("a history that doubles {} times from {} frames is needed, this one ends at {}", kLeast, plan.context, s.Last() + 1));
    metrics.push_back(ratio);
    return {std::move(metrics), {}};
  }
  return {{Growth(plan, ids[0].c_str(), history, time, "ms a frame",
                  "Slope of log processor time (one thread) on log history; medians between doublings of the history."),
           Growth(plan, ids[1].c_str(), history, bytes, "bytes of state", "Slope of log bytes on log history."), ratio},
          {}};
}

}  // namespace orrery
