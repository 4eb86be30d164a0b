#include "eval/persistence/survival.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"

namespace orrery {

void Lifetimes::Add(std::optional<int64_t> happened, int64_t watched) {
  frames.push_back(static_cast<double>(happened.value_or(watched)));
  ended.push_back(happened.has_value());
}

Interval SurvivalInterval(const Lifetimes& films, double time) {
  constexpr double z = 1.959963984540054;
  const double share = KaplanMeier(films.frames, films.ended).At(time);
  if (share <= 0) return Wilson(0, films.Count());
  if (share >= 1) {
    const auto watched = std::count_if(films.frames.begin(), films.frames.end(), [&](double t) { return t >= time; });
    if (watched == 0) Fail("survival: no film was watched for {} frames", time);
    return Wilson(watched, watched);
  }
  double variance = 0;  // of log S: sum of d / (n (n - d)) over the times at which films ended
  for (size_t i = 0; i < films.frames.size(); ++i) {
    const double t = films.frames[i];
    const bool first = std::find(films.frames.begin(), films.frames.begin() + static_cast<std::ptrdiff_t>(i), t) ==
                       films.frames.begin() + static_cast<std::ptrdiff_t>(i);
    if (t > time || !first) continue;
    double at_risk = 0, ended = 0;
    for (size_t j = 0; j < films.frames.size(); ++j) {
      at_risk += films.frames[j] >= t;
      ended += films.frames[j] == t && films.ended[j];
    }
    variance += ended / (at_risk * (at_risk - ended));
  }
  const double half = z * std::sqrt(variance) / std::log(share);
  return {std::pow(share, std::exp(-half)), std::pow(share, std::exp(half))};
}

MedianLife MedianLifetime(const Lifetimes& films) {
  constexpr double never = std::numeric_limits<double>::infinity();
  const Survival curve = KaplanMeier(films.frames, films.ended);
  MedianLife out{curve.Median(), {never, never}};
  for (const double t : curve.time) {
    const Interval band = SurvivalInterval(films, t);
    if (band.low <= 0.5) out.interval.low = std::min(out.interval.low, t);
    if (band.high <= 0.5) out.interval.high = std::min(out.interval.high, t);
  }
  return out;
}

}  // namespace orrery
