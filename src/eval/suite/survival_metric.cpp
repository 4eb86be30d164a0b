#include "eval/suite/survival_metric.h"

#include <algorithm>
#include <cmath>

namespace orrery {

Metric SurvivalMetric(const ProbePlan& plan, std::string id, const Lifetimes& films, const char* source, const char* curve_label,
                      const char* note) {
  const auto horizon = static_cast<double>(plan.frames);
  const Survival curve = KaplanMeier(films.frames, films.ended);
  Estimate e;
  e.count = films.Count();
  e.value = curve.At(horizon);
  e.interval = SurvivalInterval(films, horizon);
  e.per_scenario = films.frames;
  e.method = "kaplan-meier, greenwood (log-log); wilson at 0 and 1";
  Metric m = MetricOf(plan, std::move(id), e, "higher", {{"perfect", 1}, {"worst", 0}}, "of films", source, note);
  Curve c;
  c.x_label = "imagined frames";
  c.y_label = curve_label;
  for (double t = 0; t <= horizon; t += std::max(1.0, std::floor(horizon / 64))) {
    const Interval band = SurvivalInterval(films, t);
    c.x.push_back(t);
    c.y.push_back(curve.At(t));
    c.low.push_back(band.low);
    c.high.push_back(band.high);
  }
  m.curve = std::move(c);
  return m;
}

}  // namespace orrery
