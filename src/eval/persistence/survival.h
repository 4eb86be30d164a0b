// How long films last: intervals of Kaplan-Meier curves (the curves are those of eval/statistics.h).
#pragma once
#include <optional>

#include "eval/statistics.h"

namespace orrery {

// Films that were watched until something happened to them or until they ended without it.
struct Lifetimes {
  std::vector<double> frames;  // imagined before it happened, or all of them
  std::vector<bool> ended;     // it happened

  void Add(std::optional<int64_t> happened, int64_t watched);  // `watched` frames without it when there is none
  int64_t Count() const { return static_cast<int64_t>(frames.size()); }
};

// 95 % interval of the share that survives beyond `time`: Greenwood's variance on the scale of log(-log S), which stays within (0, 1)
// (Kalbfleisch & Prentice 1980; SciPy's and lifelines' "log-log"). Where the share is 1 or 0, that variance says nothing; there the
// interval is Wilson's, of the films still watched at `time` (of all of them where none survives).
Interval SurvivalInterval(const Lifetimes& films, double time);

// Time by which half of the films have ended, with the times at which the upper and the lower end of SurvivalInterval pass a half
// (Brookmeyer & Crowley, Biometrics 1982). Infinite where that is never reached.
struct MedianLife {
  double median = 0;
  Interval interval;
};
MedianLife MedianLifetime(const Lifetimes& films);

}  // namespace orrery
