// Whether intervals cover what they say they cover.
#pragma once
#include "core/rng.h"
#include "eval/statistics.h"

namespace orrery {

// How often of `repetitions` draws the interval holds the truth.
template <class Draw>
double Coverage(int repetitions, double truth, const Draw& interval) {
  int held = 0;
  for (int i = 0; i < repetitions; ++i) {
    Rng rng(static_cast<uint64_t>(i), "coverage");
    const Interval found = interval(rng);
    held += found.low <= truth && truth <= found.high;
  }
  return static_cast<double>(held) / repetitions;
}

}  // namespace orrery
