#include "eval/causality/disc_laws.h"

#include <algorithm>
#include <cmath>

#include "worlds/billiards.h"
#include "worlds/billiards_view.h"
#include "worlds/hard_discs.h"

namespace orrery {

namespace {

// A second difference of more px than the greater of these is a collision: at least, and medians of the track (what a reader's errors
// bend).
constexpr double kLeastJump = 0.05, kMedians = 5;
constexpr double kNear = 0.15;             // m: discs so near to a cushion may touch it between two frames
constexpr int64_t kEvery = 4, kAhead = 8;  // frames

struct Stretch {
  std::vector<HardDisc> begin;
  std::vector<std::array<double, 2>> end;
};

std::vector<HardDisc> At(const DiscFilm& film, const DiscTable& table, int64_t t) {
  std::vector<HardDisc> discs;
  for (int64_t i = 0; i < film.Discs(); ++i) {
    const auto& v = film.speed[static_cast<size_t>(i)][static_cast<size_t>(t)];
    if (!v[0] || !v[1]) return {};
    const Track& track = film.place[static_cast<size_t>(i)];
    const double x = track.x[static_cast<size_t>(t)], y = track.y[static_cast<size_t>(t)], r = table.radius;
    discs.push_back({std::clamp(x, r, table.width - r), std::clamp(y, r, table.height - r), *v[0], *v[1], r, 1});
  }
  return discs;
}

bool Overlapping(std::span<const HardDisc> discs) {
  for (size_t i = 0; i < discs.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (std::hypot(discs[i].x - discs[j].x, discs[i].y - discs[j].y) < 1.9 * discs[i].radius) return true;
  return false;
}

std::vector<Stretch> Stretches(const DiscFilm& film, const DiscTable& table) {
  std::vector<Stretch> stretches;
  const double seconds = static_cast<double>(kAhead) / table.fps;
  for (int64_t t = 0; t + kAhead < film.Frames(); t += kEvery) {
    Stretch s{At(film, table, t), {}};
    if (s.begin.empty() || Overlapping(s.begin)) continue;
    std::vector<HardDisc> trial = s.begin;
    if (MoveHardDiscs({table.width, table.height, 1}, trial, seconds).empty()) continue;
    for (const Track& track : film.place)
      s.end.push_back({track.x[static_cast<size_t>(t + kAhead)], track.y[static_cast<size_t>(t + kAhead)]});
    stretches.push_back(std::move(s));
  }
  return stretches;
}

// Squared error of the ends, m^2.
double ErrorOf(std::span<const Stretch> stretches, const DiscTable& table, double restitution) {
  double sum = 0;
  for (const Stretch& s : stretches) {
    std::vector<HardDisc> discs = s.begin;
    MoveHardDiscs({table.width, table.height, restitution}, discs, static_cast<double>(kAhead) / table.fps);
    for (size_t i = 0; i < discs.size(); ++i) sum += std::pow(discs[i].x - s.end[i][0], 2) + std::pow(discs[i].y - s.end[i][1], 2);
  }
  return sum;
}

}  // namespace

std::optional<DiscTable> ViewTable(const World& world) {
  const auto* billiards = dynamic_cast<const Billiards*>(&world);
  if (!billiards) return std::nullopt;
  const Json params = Bind(ParseSpec(world.Facts().spec)[0], Billiards::Describe());
  if (params.at("friction").get<double>() != 0) return std::nullopt;
  const BallView view(billiards->TableHeight(), world.Facts().height, world.Facts().width);
  const Point corner = view.Pixel(0, 0);
  return DiscTable{billiards->TableWidth(),
                   billiards->TableHeight(),
                   billiards->Balls().front().radius,
                   view.Scale(),
                   corner.x,
                   corner.y,
                   params.at("restitution").get<double>(),
                   world.Facts().fps};
}

DiscFilm ReadDiscs(std::span<const Track> tracks, const DiscTable& table) {
  DiscFilm film;
  for (const Track& px : tracks) {
    const std::vector<int64_t> breaks = VelocityBreaks(px, std::max(kLeastJump, kMedians * MedianBend(px)));
    Track m = px;
    for (double& x : m.x) x = (x - table.corner_x) / table.scale;
    for (double& y : m.y) y = (table.corner_y - y) / table.scale;
    const auto vx = Rates(m.x, table.fps, breaks), vy = Rates(m.y, table.fps, breaks);
    std::vector<std::array<std::optional<double>, 2>> speed;
    for (size_t t = 0; t < vx.size(); ++t) speed.push_back({vx[t], vy[t]});
    film.place.push_back(std::move(m));
    film.speed.push_back(std::move(speed));
  }
  return film;
}

std::vector<double> DiscEnergy(const DiscFilm& film) {
  std::vector<double> energy;
  for (int64_t t = 0; t < film.Frames(); ++t) {
    double sum = 0;
    bool whole = true;
    for (const auto& disc : film.speed) {
      const auto& v = disc[static_cast<size_t>(t)];
      whole = whole && v[0] && v[1];
      if (whole) sum += 0.5 * (*v[0] * *v[0] + *v[1] * *v[1]);
    }
    if (whole) energy.push_back(sum);
  }
  return energy;
}

std::vector<std::vector<double>> DiscMomenta(const DiscFilm& film, const DiscTable& table) {
  std::vector<std::vector<double>> runs;
  std::array<std::vector<double>, 2> now;
  const auto end = [&] {
    for (std::vector<double>& run : now) {
      if (run.size() >= 3) runs.push_back(run);
      run.clear();
    }
  };
  const double reach = table.radius + kNear;
  for (int64_t t = 0; t < film.Frames(); ++t) {
    bool cushion = false, whole = true;
    std::array<double, 2> sum{};
    for (size_t i = 0; i < film.place.size(); ++i) {
      const double x = film.place[i].x[static_cast<size_t>(t)], y = film.place[i].y[static_cast<size_t>(t)];
      cushion = cushion || x < reach || y < reach || x > table.width - reach || y > table.height - reach;
      const auto& v = film.speed[i][static_cast<size_t>(t)];
      whole = whole && v[0] && v[1];
      if (whole) sum[0] += *v[0], sum[1] += *v[1];
    }
    if (cushion)
      end();
    else if (whole)
      for (size_t axis = 0; axis < 2; ++axis) now[axis].push_back(sum[axis]);
  }
  end();
  return runs;
}

VelocityError CompareVelocities(const DiscFilm& truth, const DiscFilm& made, std::span<const int64_t> hit) {
  ORRERY_CHECK(truth.Frames() == made.Frames() && truth.Discs() == made.Discs() && hit.size() == truth.place.size());
  std::array<double, 2> sum{};
  std::array<int64_t, 2> count{};
  for (size_t i = 0; i < hit.size(); ++i)
    for (int64_t t = 0; t < truth.Frames(); ++t) {
      const auto &v = truth.speed[i][static_cast<size_t>(t)], &w = made.speed[i][static_cast<size_t>(t)];
      if (!v[0] || !v[1] || !w[0] || !w[1] || t == hit[i]) continue;
      const auto side = static_cast<size_t>(t > hit[i]);
      sum[side] += std::hypot(*v[0] - *w[0], *v[1] - *w[1]);
      ++count[side];
    }
  const auto mean = [&](size_t side) { return count[side] ? std::optional(sum[side] / static_cast<double>(count[side])) : std::nullopt; };
  return {mean(0), mean(1)};
}

double PenetrationRate(const DiscFilm& film, const DiscTable& table, double depth) {
  int64_t frames = 0;
  for (int64_t t = 0; t < film.Frames(); ++t) {
    bool deep = false;
    for (size_t i = 0; i < film.place.size(); ++i)
      for (size_t j = 0; j < i; ++j) {
        const Track &a = film.place[i], &b = film.place[j];
        const auto k = static_cast<size_t>(t);
        deep = deep || 2 * table.radius - std::hypot(a.x[k] - b.x[k], a.y[k] - b.y[k]) > depth;
      }
    frames += deep;
  }
  return film.Frames() ? static_cast<double>(frames) / static_cast<double>(film.Frames()) : 0;
}

CollisionFit FitCollisions(const DiscFilm& film, const DiscTable& table) {
  const std::vector<Stretch> stretches = Stretches(film, table);
  CollisionFit fit;
  fit.stretches = static_cast<int64_t>(stretches.size());
  if (stretches.empty()) return fit;
  double least = ErrorOf(stretches, table, 1), way = 0;
  fit.restitution = 1;
  const auto look = [&](double restitution) {
    const double error = ErrorOf(stretches, table, restitution);
    if (error < least) least = error, fit.restitution = restitution;
  };
  for (int i = 0; i < 20; ++i) look(0.05 * i);
  for (double step = 0.025; step > 1e-4; step /= 2) {
    const double middle = fit.restitution;
    for (const double side : {-step, step}) look(std::clamp(middle + side, 0.0, 1.0));
  }
  for (const Stretch& s : stretches)
    for (size_t i = 0; i < s.begin.size(); ++i) way += std::pow(s.end[i][0] - s.begin[i].x, 2) + std::pow(s.end[i][1] - s.begin[i].y, 2);
  fit.nmse = way > 0 ? std::min(1.0, least / way) : 1;
  return fit;
}

}  // namespace orrery
