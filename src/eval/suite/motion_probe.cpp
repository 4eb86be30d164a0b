// motion: how do imagined films move, beside real ones? (evaluation 1.9 to 1.11, 2.3)
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "eval/motion/cuts.h"
#include "eval/motion/degree.h"
#include "eval/motion/fvmd.h"
#include "eval/motion/smoothness.h"
#include "eval/motion/true_flow.h"
#include "eval/quality/diagnostics.h"
#include "eval/quality/feature_sets.h"
#include "eval/suite/appearance.h"
#include "eval/suite/films.h"
#include "eval/suite/once.h"
#include "eval/suite/probe.h"
#include "worlds/registry.h"

namespace orrery {

namespace {

constexpr int64_t kPart = 17;    // frames in the middle of a film in which flow is found everywhere; odd, so that backwards is alike
constexpr int64_t kWindow = 16;  // frames of a point of a curve
constexpr int64_t kEvery = 4;    // frames between two whose spectrum and colours are looked at

struct FilmMotion {
  at::Tensor motion;    // FrameMotion, [T - 1]
  at::Tensor features;  // FVMD's, a row a clip of 16 frames, one after the other: [T / 16, 1024]
  at::Tensor slopes;    // FrameSpectrumSlope of every fourth frame
  ColorStatistics colors;
  bool dynamic = false, still = false;
  double blend = 0, warp = 0;       // smoothness
  double warp_error = 0, mawe = 0;  // of the middle part
  double cuts = 0;                  // a hundred steps
};

struct RealMotion {
  Scenario scenario;
  FilmMotion film;
  FilmLooks looks;
};

double TopSpeedBetween(const FlowFrame& a, const FlowFrame& b, double share) { return TopSpeed(FlowField(a, b), share); }

void LookAtFlow(const at::Tensor& part, double fps, std::span<const FlowFrame> frames, FilmMotion& out) {
  std::vector<at::Tensor> flows;
  std::vector<double> slow, fast;
  const size_t last = frames.size() - 1, stride = static_cast<size_t>(DynamicStride(fps));
  for (size_t t = 0; t < last; ++t) {
    flows.push_back(FlowField(frames[t], frames[t + 1]));
    slow.push_back(TopSpeed(flows.back(), kStaticShare));
  }
  for (size_t t = 0; t + stride <= last; t += stride) fast.push_back(TopSpeedBetween(frames[t], frames[t + stride], kDynamicShare));
  const int64_t side = std::min(part.size(1), part.size(2));
  out.dynamic = IsDynamic(fast, side, std::ssize(fast) + 1);
  out.still = IsStatic(slow, TopSpeedBetween(frames[0], frames[last], kStaticShare), TopSpeedBetween(frames[last], frames[0], kStaticShare),
                       side, std::ssize(frames));
  const WarpErrors errors = MeasureWarp(part, flows);
  out.warp_error = errors.back.mean().item<double>();
  out.mawe = Mawe(errors);
  out.blend = BlendSmoothness(part);
  out.warp = WarpSmoothness(part, frames);
}

FilmMotion Look(const at::Tensor& film, double fps) {
  const int64_t T = film.size(0);
  const std::vector<FlowFrame> frames = FlowFrames(film);
  FilmMotion out;
  out.motion = FrameMotion(film);
  const at::Tensor thin = film.slice(0, 0, T, kEvery).contiguous();
  out.slopes = FrameSpectrumSlope(thin);
  out.colors = FrameColors(thin);
  out.cuts = 100 * static_cast<double>(CountCuts(film)) / static_cast<double>(T - 1);
  std::vector<at::Tensor> tracks;
  for (int64_t t = 0; t + kFvmdFrames <= T; t += kFvmdFrames)
    tracks.push_back(FvmdTracks(std::span(frames).subspan(static_cast<size_t>(t), kFvmdFrames)));
  out.features = FvmdFeatures(at::stack(tracks));
  const int64_t first = (T - kPart) / 2;
  LookAtFlow(film.narrow(0, first, kPart), fps, std::span(frames).subspan(static_cast<size_t>(first), kPart), out);
  return out;
}

double Fps(const ProbePlan& plan) { return StartWorld(MakeScenarios(plan).front())->Facts().fps; }

const std::vector<RealMotion>& RealFilms(const ProbePlan& plan) {
  return OncePerPlan<std::vector<RealMotion>>(plan, "motion", [&] {
    std::vector<RealMotion> films;
    const double fps = Fps(plan);
    for (const Scenario& s : MakeScenarios(plan)) {
      const Film truth = MakeTruth(s).film,
                 film{truth.frames.slice(0, s.context).contiguous(), {truth.objects.begin() + s.context, truth.objects.end()}, {}, {}};
      films.push_back({s, Look(film.frames, fps), LookAtAppearance(film, s)});
    }
    return films;
  });
}

const std::string& FlowNote(const ProbePlan& plan) {
  return OncePerPlan<std::string>(plan, "flow", [&]() -> std::string {
    const std::optional<FlowFloor> floor = MeasureFlow(MakeScenarios(plan).front());
    if (!floor)
      return "Flow is found by pyramidal Lucas-Kanade; what is true of it is "
             "not known here.";
    return fmt::format(
        "Flow is found by pyramidal Lucas-Kanade; where true frames of this "
        "world move (by {:.2g} px a frame in the median), it is off by "
        "{:.2g} px in the median, nine tenths by less than {:.2g}.",
        floor->speed, floor->median, floor->ninth);
  });
}

using Films = std::vector<FilmMotion>;

FeatureSet FeaturesOf(const std::vector<const FilmMotion*>& films, bool pooled) {
  FeatureSet set;
  std::vector<at::Tensor> rows;
  for (size_t i = 0; i < films.size(); ++i) {
    rows.push_back(pooled ? PooledFvmd(films[i]->features) : films[i]->features);
    set.video.insert(set.video.end(), static_cast<size_t>(rows.back().size(0)), static_cast<int64_t>(i));
  }
  set.rows = at::cat(rows);
  return set;
}

// The movements of the imagined films against those of the true films of the same actions.
Metric Fvmd(const ProbePlan& plan, const std::vector<RealMotion>& truths, const Films& films, bool pooled) {
  const int64_t width = pooled ? 64 : 1024;
  const int resamples = pooled ? 100 : 40;  // a distance of 1,024 features takes seconds
  std::vector<const FilmMotion*> real, made;
  for (const RealMotion& truth : truths) real.push_back(&truth.film);
  for (const FilmMotion& film : films) made.push_back(&film);
  const FeatureSet a = FeaturesOf(real, pooled), b = FeaturesOf(made, pooled);
  const int64_t half = a.rows.size(0) / 2;
  Estimate e;
  e.count = plan.scenarios;
  e.method = fmt::format("half-sampling-{}", resamples);
  if (half <= width) {
    e.cause = fmt::format("{}needs {} clips of 16 frames in half of the films, has {}", kOfNoSubject, width + 1, half);
  } else {
    e.value = Frechet(a.rows, b.rows);
    e.interval = FrechetInterval(a, b, {Target::kThisSize, resamples});
  }
  Metric m =
      MetricOf(plan, pooled ? "quality.motion.fvmd-64" : "quality.motion.fvmd", e, "lower", {{"perfect", 0}}, "1", "arXiv 2407.16124",
               pooled ? "Frechet distance of histograms of velocities and "
                        "accelerations, the places of the picture pooled, to the true "
                        "films of the same actions; not to be compared with published "
                        "numbers."
                      : "Frechet distance of histograms of velocities and accelerations "
                        "by place, to the true films of the same "
                        "actions; points are tracked by another tracker than the "
                        "published ones.");
  m.notes.push_back(FlowNote(plan));
  return m;
}

Metric ShareOf(const ProbePlan& plan, const char* id, const std::vector<RealMotion>& truths, const Films& films, bool FilmMotion::*which,
               std::map<std::string, double> anchors, const char* note) {
  Estimate e;
  e.count = std::ssize(films);
  int64_t yes = 0, real = 0;
  for (const FilmMotion& film : films) {
    yes += film.*which;
    e.per_scenario.push_back(film.*which ? 1 : 0);
  }
  for (const RealMotion& truth : truths) real += truth.film.*which;
  e.value = static_cast<double>(yes) / static_cast<double>(e.count);
  e.interval = Wilson(yes, e.count);
  e.method = "wilson";
  anchors["real"] = static_cast<double>(real) / static_cast<double>(truths.size());
  Metric m = MetricOf(plan, id, e, "neither", std::move(anchors), "of films", "arXiv 2311.17982", note);
  m.lowest = 0;
  m.highest = 1;
  return m;
}

// A number of each film by itself, beside that of the true films.
Metric OwnNumber(const ProbePlan& plan, const char* id, const std::vector<RealMotion>& truths, const Films& films,
                 double FilmMotion::*number, const char* direction, std::map<std::string, double> anchors, const char* unit,
                 const char* source, const char* note) {
  std::vector<std::optional<double>> values;
  std::vector<double> real;
  for (const FilmMotion& film : films) values.emplace_back(film.*number);
  for (const RealMotion& truth : truths) real.push_back(truth.film.*number);
  anchors["real"] = Mean(real);
  return MetricOf(plan, id, MeanEstimate(values, "no film"), direction, std::move(anchors), unit, source, note);
}

Metric StillFlicker(const ProbePlan& plan, const std::vector<RealMotion>& truths, const Films& films) {
  std::vector<std::optional<double>> values;
  for (size_t i = 0; i < films.size(); ++i) {
    const at::Tensor steps = films[i].motion.masked_select(truths[i].film.motion == 0);
    values.push_back(steps.numel() ? std::optional((255 - steps.mean().item<double>()) / 255) : std::nullopt);
  }
  return MetricOf(plan, "quality.motion.still-flicker",
                  MeanEstimate(values, std::string(kOfNoSubject) + "the true films never stand still"), "higher",
                  {{"perfect", 1}, {"frozen", 1}}, "1", "arXiv 2311.17982",
                  "VBench's temporal flickering over the steps in which "
                  "neither camera nor things truly move.");
}

Metric Ratio(const ProbePlan& plan, const std::vector<RealMotion>& truths, const Films& films) {
  std::vector<std::optional<double>> values;
  for (size_t i = 0; i < films.size(); ++i) {
    const double real = truths[i].film.motion.mean().item<double>();
    values.push_back(real > 0 ? std::optional(films[i].motion.mean().item<double>() / real) : std::nullopt);
  }
  return MetricOf(plan, "quality.motion.ratio", MeanEstimate(values, std::string(kOfNoSubject) + "the true films stand still"), "neither",
                  {{"real", 1}, {"frozen", 0}}, "1", "own",
                  "Mean absolute frame difference, imagined by real, on these "
                  "films: a frozen film is perfect in most of the "
                  "numbers beside this one.");
}

// values of every fourth frame of a film -> their mean, with a curve over windows of frames.
Metric OverTime(const ProbePlan& plan, const char* id, const std::vector<at::Tensor>& values, const char* unit, const char* label,
                const char* note) {
  std::vector<std::optional<double>> means;
  for (const at::Tensor& v : values) means.emplace_back(v.mean().item<double>());
  Metric m = MetricOf(plan, id, MeanEstimate(means, "no film"), "lower", {{"perfect", 0}}, unit, "own", note);
  Curve c;
  c.x_label = "imagined frames";
  c.y_label = label;
  for (int64_t first = 0; first + kWindow / kEvery <= values.front().size(0); first += kWindow / kEvery) {
    std::vector<double> window;
    for (const at::Tensor& v : values) window.push_back(v.narrow(0, first, kWindow / kEvery).mean().item<double>());
    const Interval band = MeanInterval(window);
    c.x.push_back(static_cast<double>(kEvery * first) + 0.5 * kWindow);
    c.y.push_back(Mean(window));
    c.low.push_back(band.low);
    c.high.push_back(band.high);
  }
  m.curve = std::move(c);
  return m;
}

}  // namespace

ProbeResult ProbeMotion(const Subject& subject, const ProbePlan& plan) {
  if (plan.frames < kPart) Fail("motion: at least {} imagined frames expected, got {}", kPart, plan.frames);
  const std::vector<RealMotion>& truths = RealFilms(plan);
  const double fps = Fps(plan);
  Films films;
  std::vector<FilmLooks> looks, real_looks;
  std::vector<at::Tensor> slopes, colors;
  for (const RealMotion& truth : truths) {
    const Film film = Imagine(subject, truth.scenario, 0);
    films.push_back(Look(film.frames, fps));
    looks.push_back(LookAtAppearance(film, truth.scenario));
    real_looks.push_back(truth.looks);
    slopes.push_back((films.back().slopes - truth.film.slopes).abs());
    colors.push_back((films.back().colors.mean - truth.film.colors.mean).abs().mean(1));
  }
  const auto own = [&](const char* id, double FilmMotion::*number, const char* direction, std::map<std::string, double> anchors,
                       const char* unit, const char* source, const char* note) {
    return OwnNumber(plan, id, truths, films, number, direction, std::move(anchors), unit, source, note);
  };
  ProbeResult result{
      {Fvmd(plan, truths, films, true), Fvmd(plan, truths, films, false),
       ShareOf(plan, "quality.motion.dynamic-degree", truths, films, &FilmMotion::dynamic, {{"frozen", 0}},
               "VBench's dynamic degree: films in which the fastest twentieth "
               "of the picture moves by more than 6 / 256 of its side in an "
               "eighth of a second, in a quarter of the steps."),
       ShareOf(plan, "quality.motion.static", truths, films, &FilmMotion::still, {{"frozen", 1}},
               "Films that pass VBench's filter for static ones."),
       Ratio(plan, truths, films), StillFlicker(plan, truths, films),
       own("quality.motion.smoothness-blend", &FilmMotion::blend, "neither", {{"frozen", 1}}, "1", "arXiv 2311.17982",
           "VBench's motion smoothness with a blend of the neighbours in the "
           "place of every second frame."),
       own("quality.motion.smoothness-warp", &FilmMotion::warp, "neither", {{"frozen", 1}}, "1", "arXiv 2311.17982",
           "The same with the neighbours moved half way along the flow."),
       own("quality.motion.warp-error", &FilmMotion::warp_error, "lower", {{"frozen", 0}}, "grey levels", "own",
           "Mean absolute difference of a frame and the next one brought back "
           "along the flow; what comes into sight counts as well, so real "
           "films have some."),
       own("persistence.mawe", &FilmMotion::mawe, "lower", {{"frozen", 0}}, "squared grey levels a pixel", "arXiv 2403.14773",
           "Motion-aware warp error: that of pixels moved on along the flow by "
           "the mean length of the flow, at least 0.1 px; without the "
           "paper's constant."),
       own("persistence.cuts", &FilmMotion::cuts, "lower", {{"frozen", 0}}, "a hundred frames", "arXiv 2403.14773",
           "Frames that differ from the one before by 27 levels of hue, "
           "saturation and value in the mean; quick turns are such, too."),
       OverTime(plan, "quality.spectrum-error", slopes, "1", "error of the exponent of the power spectrum",
                "How far the exponent of a frame's power spectrum is from that "
                "of the true frame: blur raises it, noise lowers it."),
       OverTime(plan, "quality.colour-drift", colors, "of the range", "difference of mean colour",
                "Difference of a frame's mean colour from that of the true "
                "frame, mean over red, green and blue.")},
      {}};
  for (Metric& m : AppearanceMetrics(plan, looks, real_looks)) result.metrics.push_back(std::move(m));
  return result;
}

}  // namespace orrery
