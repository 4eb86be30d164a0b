// endurance: how long does a film last that nobody corrects? (evaluation 2.1; long horizons after arXiv 2403.14773, 2504.12626)
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "eval/persistence/health.h"
#include "eval/quality/diagnostics.h"
#include "eval/suite/films.h"
#include "eval/suite/once.h"
#include "eval/suite/seen_objects.h"
#include "eval/suite/survival_metric.h"

namespace orrery {

namespace {

constexpr int64_t kWindow = 16;  // frames of a point of the curve of predictability

// Of frames context .. T of one film.
struct LongFilm {
  FilmSigns signs;
  at::Tensor motion;                    // FrameMotion from the last true frame on
  double sharpness = 0, deviation = 0;  // StartEndContrast of the signs
  std::vector<double> error;            // a frame: sum over things of their distance to the truth; empty where nobody knows
};

// What is so of a scenario, whoever is judged.
struct RealFilm {
  Scenario scenario;
  at::Tensor before;  // the last true frame, [1, H, W, 3]
  LongFilm film;      // its error is that of a second take
  ObjectFilm objects;
};

// Distance of the true things to where a film has them, at most `most`, which also counts for a missing one.
double ObjectError(const std::vector<WorldObject>& truth, const std::vector<WorldObject>& made, double most) {
  double sum = 0;
  for (const WorldObject& real : truth) {
    const auto found = std::find_if(made.begin(), made.end(), [&](const WorldObject& o) { return o.id == real.id; });
    sum += found == made.end() ? most : std::min(most, std::hypot(found->x - real.x, found->y - real.y));
  }
  return sum;
}

LongFilm Look(const at::Tensor& before, const at::Tensor& frames, const ObjectFilm& made, const ObjectFilm& truth) {
  LongFilm film;
  film.signs = SignsOf(frames);
  film.motion = FrameMotion(at::cat({before, frames}));
  film.sharpness = StartEndContrast(frames, [](const at::Tensor& part) { return FrameSharpness(part).mean().item<double>(); });
  film.deviation = StartEndContrast(frames, [](const at::Tensor& part) { return FrameColors(part).deviation.mean().item<double>(); });
  if (made.empty()) return film;
  const double most = static_cast<double>(before.size(2)) / 2;
  for (size_t i = 0; i < truth.size(); ++i) film.error.push_back(ObjectError(truth[i], made[i], most));
  return film;
}

RealFilm Real(const Scenario& s) {
  const Truth truth = MakeTruth(s);
  const auto tail = [&](const ObjectFilm& film) { return ObjectFilm(film.begin() + s.context, film.end()); };
  Scenario second = s;
  second.take = s.take + 1;
  RealFilm real{s, truth.film.frames.narrow(0, s.context - 1, 1).clone(), {}, tail(truth.film.objects)};
  real.film = Look(real.before, Future(truth, s), tail(MakeTruth(second).film.objects), real.objects);
  return real;
}

const std::vector<RealFilm>& RealFilms(const ProbePlan& plan) {
  return OncePerPlan<std::vector<RealFilm>>(plan, "endurance", [&] {
    std::vector<RealFilm> films;
    for (const Scenario& s : MakeScenarios(plan)) films.push_back(Real(s));
    return films;
  });
}

Metric SurvivalOf(const ProbePlan& plan, const char* name, const Lifetimes& films, const char* note) {
  const int64_t horizon = plan.frames;
  Metric m = SurvivalMetric(plan, fmt::format("persistence.{}.survival", name), films, "arXiv 2601.17067; evaluation 2.1",
                            "share of films that last", note);
  m.lowest = 0;
  m.highest = 1;
  m.notes.push_back(fmt::format("The horizon is {} frames{}.", horizon,
                                horizon >= 1800  ? ""
                                : horizon >= 600 ? ", which says nothing of 1,800"
                                                 : ", which says nothing of 600 and 1,800"));
  const Survival curve = KaplanMeier(films.frames, films.ended);
  for (const int64_t frame : {600, 1800}) {
    const auto t = static_cast<double>(frame);
    if (frame <= horizon) m.by[fmt::format("frame={:04}", frame)] = {curve.At(t), SurvivalInterval(films, t), m.count};
  }
  return m;
}

// Null where more than half of the films outlast the horizon.
Metric MedianOf(const ProbePlan& plan, const char* name, const Lifetimes& films, const char* note) {
  const auto horizon = static_cast<double>(plan.frames);
  const MedianLife life = MedianLifetime(films);
  Estimate e;
  e.count = films.Count();
  e.method = "kaplan-meier, brookmeyer-crowley";
  if (life.median <= horizon) {
    e.value = life.median;
    e.interval = Interval{std::min(life.interval.low, horizon), std::min(life.interval.high, horizon)};
  } else {
    e.cause = fmt::format("censored: more than half of the films last all {} frames", plan.frames);
  }
  Metric m = MetricOf(plan, fmt::format("persistence.{}.median", name), e, "higher", {{"at once", 0}, {"horizon", horizon}}, "frames",
                      "evaluation 2.1", note);
  if (e.value && life.interval.high > horizon) m.notes.push_back("The interval's upper end is not reached within the horizon.");
  return m;
}

// In units of the truth's mean sign, so that worlds compare.
Metric ContrastOf(const ProbePlan& plan, const char* name, const std::vector<RealFilm>& truths, const std::vector<LongFilm>& films,
                  at::Tensor FilmSigns::*sign, double LongFilm::*contrast) {
  std::vector<std::optional<double>> values;
  double scale = 0, real = 0;
  for (const RealFilm& truth : truths) scale += (truth.film.signs.*sign).mean().item<double>();
  scale /= static_cast<double>(truths.size());
  for (const LongFilm& film : films) values.push_back(scale > 0 ? std::optional(film.*contrast / scale) : std::nullopt);
  for (const RealFilm& truth : truths) real += scale > 0 ? truth.film.*contrast / scale / static_cast<double>(truths.size()) : 0;
  return MetricOf(plan, fmt::format("persistence.start-end.{}", name), MeanEstimate(values, "the true films are uniform"), "lower",
                  {{"real", real}, {"constant", 0}}, "of the real mean", "arXiv 2504.12626",
                  "Difference between the first and the last 15 % of a film; real films have some, a frozen one none.");
}

Metric Predictability(const ProbePlan& plan, const std::vector<RealFilm>& truths, const std::vector<LongFilm>& films,
                      const std::vector<SeenObjects>& seen) {
  const auto sum = [](const std::vector<double>& errors) { return std::accumulate(errors.begin(), errors.end(), 0.0); };
  std::vector<double> error, take_error;
  for (size_t i = 0; i < films.size(); ++i) {
    if (films[i].error.empty()) continue;
    error.push_back(sum(films[i].error));
    take_error.push_back(sum(truths[i].film.error));
  }
  Estimate e = RatioEstimate(error, take_error, "a second take of this world is the first: there is nothing to nudge");
  if (error.empty()) e.cause = seen.front().cause;
  e.count = plan.scenarios;
  Metric m = MetricOf(plan, "persistence.predictability", e, "lower", {{"perfect", 0}, {"take2", 1}}, "of a second take's error",
                      "evaluation 2.1", "Distance of things from their true places over that of a second take; chaos alone gives 1.");
  if (!m.value) return m;
  const Scenario& first = truths.front().scenario;
  if (const std::string note = ReadingNote(seen, first, Future(MakeTruth(first), first)); !note.empty()) m.notes.push_back(note);
  Curve c;
  c.x_label = "imagined frames";
  c.y_label = "error over a second take's";
  for (int64_t w = 0; (w + 1) * kWindow <= plan.frames; ++w) {
    double above = 0, below = 0;
    for (size_t i = 0; i < films.size(); ++i)
      for (size_t t = static_cast<size_t>(w * kWindow); t < static_cast<size_t>((w + 1) * kWindow) && t < films[i].error.size(); ++t) {
        above += films[i].error[t];
        below += truths[i].film.error[t];
      }
    if (below == 0) continue;
    c.x.push_back((static_cast<double>(w) + 0.5) * kWindow);
    c.y.push_back(above / below);
  }
  m.curve = std::move(c);
  return m;
}

}  // namespace

ProbeResult ProbeEndurance(const Subject& subject, const ProbePlan& plan) {
  if (plan.frames < kStagnationFrames) Fail("endurance: at least {} imagined frames expected, got {}", kStagnationFrames, plan.frames);
  const std::vector<RealFilm>& truths = RealFilms(plan);
  std::vector<FilmSigns> real;
  double usual = 0;
  for (const RealFilm& truth : truths) {
    real.push_back(truth.film.signs);
    usual += truth.film.motion.mean().item<double>() / static_cast<double>(truths.size());
  }
  const Healthy healthy = HealthyRange(real);
  std::vector<LongFilm> films;
  std::vector<SeenObjects> seen;
  Lifetimes healthy_for, moving_for;
  std::vector<Scenario> scenarios;
  for (const RealFilm& truth : truths) scenarios.push_back(truth.scenario);
  const std::vector<Film> made_films = subject.Films(scenarios, {});
  for (size_t i = 0; i < truths.size(); ++i) {
    const RealFilm& truth = truths[i];
    const Film& made = made_films[i];
    seen.push_back(ObjectsIn(made, truth.scenario));
    films.push_back(Look(truth.before, made.frames, seen.back().objects, truth.objects));
    healthy_for.Add(CollapseFrame(films.back().signs, healthy), plan.frames);
    moving_for.Add(StagnationFrame(films.back().motion, truth.film.motion, usual), plan.frames);
  }
  Metric collapse =
      SurvivalOf(plan, "collapse", healthy_for,
                 "Share of films that never leave, for 16 frames in a row, what frames of real films of this world look like: "
                 "their sharpness and spread of colours.");
  collapse.notes.push_back(
      fmt::format("Healthy: sharpness {:.4g} to {:.4g}, colour deviation {:.3f} to {:.3f} (percentile {:.3g} of {} real "
                  "frames, with a margin).",
                  healthy.sharpness.low, healthy.sharpness.high, healthy.deviation.low, healthy.deviation.high, healthy.percentile,
                  plan.frames * static_cast<int64_t>(films.size())));
  return {
      {std::move(collapse), MedianOf(plan, "collapse", healthy_for, "Frames until half of the films have collapsed."),
       SurvivalOf(plan, "stagnation", moving_for,
                  "Share of films that never stand still for 32 frames (less than a tenth of the true motion) while the truth moves."),
       MedianOf(plan, "stagnation", moving_for, "Frames until half of the films stand still."),
       ContrastOf(plan, "sharpness", truths, films, &FilmSigns::sharpness, &LongFilm::sharpness),
       ContrastOf(plan, "colour", truths, films, &FilmSigns::deviation, &LongFilm::deviation), Predictability(plan, truths, films, seen)},
      {}};
}

}  // namespace orrery
