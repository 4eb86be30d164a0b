// How many films last how long, as a metric.
#pragma once
#include "eval/persistence/survival.h"
#include "eval/suite/probe.h"

namespace orrery {

// Share of films that last all plan.frames (Kaplan-Meier), with the curve over time at up to some 64 points.
Metric SurvivalMetric(const ProbePlan& plan, std::string id, const Lifetimes& films, const char* source, const char* curve_label,
                      const char* note);

}  // namespace orrery
