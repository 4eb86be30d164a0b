// Numbers against the gap after which one comes back to a place.
#pragma once
#include "eval/causality/estimate.h"
#include "eval/report/result.h"

namespace orrery {

inline Curve GapCurve(const char* label) { return {{}, {}, {}, {}, "gap in frames", label, true, false}; }

// The part "gap=0064" of a metric, and where it has a value a point of its curve, which must be there.
inline void AddGap(Metric& metric, int64_t gap, const Estimate& e) {
  metric.by[fmt::format("gap={:04}", gap)] = {e.value, e.interval, e.count, e.per_scenario};
  if (!e.value || !e.interval) return;
  metric.curve->x.push_back(static_cast<double>(gap));
  metric.curve->y.push_back(*e.value);
  metric.curve->low.push_back(e.interval->low);
  metric.curve->high.push_back(e.interval->high);
}

}  // namespace orrery
