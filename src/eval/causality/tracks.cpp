#include "eval/causality/tracks.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.h"
#include "eval/readers/reader.h"

namespace orrery {

namespace {

constexpr int64_t kSmooth = 3, kLine = 2;  // frames on each side

// Least squares of a polynomial of `degree` <= 3 through series[low .. high] about frame `at`; value and slope (a frame) there.
std::array<double, 2> LocalFit(std::span<const double> series, int64_t low, int64_t high, int64_t degree, int64_t at) {
  const auto n = static_cast<size_t>(std::min(degree, high - low) + 1);
  std::array<std::array<double, 5>, 4> m{};  // normal equations, the right side last
  for (int64_t t = low; t <= high; ++t) {
    std::array<double, 4> power{1, 0, 0, 0};
    for (size_t i = 1; i < n; ++i) power[i] = power[i - 1] * static_cast<double>(t - at);
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < n; ++j) m[i][j] += power[i] * power[j];
      m[i][4] += power[i] * series[static_cast<size_t>(t)];
    }
  }
  for (size_t i = 0; i < n; ++i)  // positive definite: no pivoting
    for (size_t k = 0; k < n; ++k) {
      if (k == i) continue;
      const double factor = m[k][i] / m[i][i];
      for (size_t j = i; j < 5; ++j) m[k][j] -= factor * m[i][j];
    }
  return {m[0][4] / m[0][0], n > 1 ? m[1][4] / m[1][1] : 0};
}

// Calls piece(first, last) for the pieces of 0 .. count - 1.
template <class F>
void ForPieces(int64_t count, std::span<const int64_t> breaks, const F& piece) {
  int64_t first = 0;
  for (const int64_t b : breaks) {
    if (b > first) piece(first, b - 1);
    first = std::max(first, b);
  }
  if (first < count) piece(first, count - 1);
}

// Length of the second difference at frame t.
double Bend(const Track& track, int64_t t) {
  const auto i = static_cast<size_t>(t);
  return std::hypot(track.x[i + 1] - 2 * track.x[i] + track.x[i - 1], track.y[i + 1] - 2 * track.y[i] + track.y[i - 1]);
}

}  // namespace

std::optional<Track> TrackOf(const ObjectFilm& film, int64_t id) {
  Track track;
  std::vector<int64_t> seen;
  for (size_t t = 0; t < film.size(); ++t) {
    const WorldObject* object = FindObject(film[t], id);
    track.x.push_back(object ? object->x : 0);
    track.y.push_back(object ? object->y : 0);
    if (object) seen.push_back(static_cast<int64_t>(t));
  }
  if (seen.empty()) return std::nullopt;
  track.missing = track.Count() - static_cast<int64_t>(seen.size());
  for (std::vector<double>* values : {&track.x, &track.y}) {
    const auto fill = [&](int64_t from, int64_t to, const auto& value) {
      for (int64_t t = from; t < to; ++t) (*values)[static_cast<size_t>(t)] = value(t);
    };
    const auto at = [&](int64_t t) { return (*values)[static_cast<size_t>(t)]; };
    fill(0, seen.front(), [&](int64_t) { return at(seen.front()); });
    fill(seen.back() + 1, track.Count(), [&](int64_t) { return at(seen.back()); });
    for (size_t i = 1; i < seen.size(); ++i) {
      const int64_t a = seen[i - 1], b = seen[i];
      fill(a + 1, b, [&](int64_t t) { return at(a) + (at(b) - at(a)) * static_cast<double>(t - a) / static_cast<double>(b - a); });
    }
  }
  return track;
}

double Travel(const Track& track) {
  double most = 0;
  for (size_t t = 0; t < track.x.size(); ++t) most = std::max(most, std::hypot(track.x[t] - track.x[0], track.y[t] - track.y[0]));
  return most;
}

bool Discarded(std::span<const std::optional<Track>> made, std::span<const Track> truth, double least) {
  double travel = 0, true_travel = 0;
  for (const Track& track : truth) true_travel = std::max(true_travel, Travel(track));
  for (const std::optional<Track>& track : made) {
    if (!track || 5 * track->missing > track->Count()) return true;
    travel = std::max(travel, Travel(*track));
  }
  return travel <= least && true_travel > least;
}

double MedianBend(const Track& track) {
  std::vector<double> bends;
  for (int64_t t = 1; t + 1 < track.Count(); ++t) bends.push_back(Bend(track, t));
  if (bends.empty()) return 0;
  const auto middle = bends.begin() + static_cast<std::ptrdiff_t>(bends.size() / 2);
  std::nth_element(bends.begin(), middle, bends.end());
  return *middle;
}

std::vector<int64_t> VelocityBreaks(const Track& track, double least) {
  std::vector<int64_t> breaks;
  for (int64_t t = 1; t + 1 < track.Count(); ++t) {
    if (Bend(track, t) <= least) continue;
    if (breaks.empty() || breaks.back() != t) breaks.push_back(t);
    breaks.push_back(t + 1);
  }
  return breaks;
}

std::vector<std::optional<double>> Rates(std::span<const double> series, double fps, std::span<const int64_t> breaks) {
  const auto count = static_cast<int64_t>(series.size());
  std::vector<std::optional<double>> rates(series.size());
  std::vector<double> smooth(series.begin(), series.end());
  ForPieces(count, breaks, [&](int64_t first, int64_t last) {
    if (first == last) return;
    for (int64_t t = first; t <= last; ++t)
      smooth[static_cast<size_t>(t)] = LocalFit(series, std::max(first, t - kSmooth), std::min(last, t + kSmooth), 3, t)[0];
    for (int64_t t = first; t <= last; ++t) {
      const double line = LocalFit(smooth, std::max(first, t - kLine), std::min(last, t + kLine), 1, t)[1];
      const int64_t before = std::max(first, t - 1), after = std::min(last, t + 1);
      const double central =
          (smooth[static_cast<size_t>(after)] - smooth[static_cast<size_t>(before)]) / static_cast<double>(after - before);
      rates[static_cast<size_t>(t)] = fps * (0.7 * line + 0.3 * central);
    }
  });
  return rates;
}

std::vector<double> Accelerations(std::span<const double> series, double fps) {
  std::vector<double> values = {series.begin(), series.end()};
  for (int order = 0; order < 2; ++order) {
    const auto rates = Rates(values, fps);
    for (size_t t = 0; t < values.size(); ++t) values[t] = rates[t].value_or(0);
  }
  return values;
}

double Invariance(std::span<const double> series) {
  ORRERY_CHECK(!series.empty());
  const double mean = std::abs(Mean(series)), center = Mean(series);
  double square = 0;
  for (const double value : series) square += (value - center) * (value - center);
  const double deviation = std::sqrt(square / static_cast<double>(series.size()));
  if (mean > 0 && (mean >= 10 * deviation || mean >= 10)) return 1 / (1 + deviation / mean);
  return 1 / (1 + deviation);
}

std::optional<double> WindowedInvariance(std::span<const double> series, int64_t window) {
  ORRERY_CHECK(window >= 1);
  const auto count = static_cast<int64_t>(series.size()), size = std::min(window, count);
  if (count < 3) return std::nullopt;
  double sum = 0;
  for (int64_t first = 0; first + size <= count; ++first)
    sum += Invariance(series.subspan(static_cast<size_t>(first), static_cast<size_t>(size)));
  return sum / static_cast<double>(count - size + 1);
}

}  // namespace orrery
