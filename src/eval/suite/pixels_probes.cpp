// similarity, control: films against the truth of the same actions.
#include <ATen/ATen.h>

#include "data/video.h"
#include "eval/causality/control.h"
#include "eval/quality/diagnostics.h"
#include "eval/quality/similarity.h"
#include "eval/recordings/recording.h"
#include "eval/suite/films.h"
#include "eval/suite/once.h"
#include "eval/suite/probe.h"
#include "worlds/registry.h"

namespace orrery {

namespace {

using Values = std::vector<std::optional<double>>;

Metric Finish(Metric m, const char* direction, std::map<std::string, double> anchors, const char* unit, const char* source,
              const char* note) {
  m.direction = direction;
  m.anchors = std::move(anchors);
  m.unit = unit;
  m.source = source;
  m.notes.push_back(note);
  return m;
}

// Truth above, imagination below, every n-th frame.
Strip MakeStrip(const Scenario& s, const char* why, const at::Tensor& truth, const at::Tensor& made) {
  const int64_t every = std::max<int64_t>(1, truth.size(0) / 10);
  const auto thin = [&](const at::Tensor& film) { return film.slice(0, 0, film.size(0), every).contiguous(); };
  return {fmt::format("{}, seed {}", s.world, s.seed), why, EncodePng(FilmStrip({thin(truth), thin(made)}, 1, 2))};
}

struct Film2 {
  Scenario scenario;
  at::Tensor truth, made;
  double psnr = 0;
};

// Worst, median and best by PSNR.
std::vector<Strip> ChooseStrips(std::vector<Film2> films) {
  std::sort(films.begin(), films.end(), [](const Film2& a, const Film2& b) { return a.psnr < b.psnr; });
  std::vector<Strip> strips;
  const auto add = [&](size_t i, const char* why) { strips.push_back(MakeStrip(films[i].scenario, why, films[i].truth, films[i].made)); };
  add(0, "worst");
  if (films.size() > 2) add(films.size() / 2, "median");
  if (films.size() > 1) add(films.size() - 1, "best");
  return strips;
}

// SSIM of a film that stands still.
double FrozenSsim(const ProbePlan& plan) {
  return OncePerPlan<double>(plan, "frozen SSIM", [&] {
    double sum = 0;
    for (const Scenario& s : MakeScenarios(plan)) {
      const Truth truth = MakeTruth(s);
      const at::Tensor future = Future(truth, s);
      sum +=
          FrameSsim(LastShown(truth, s).expand_as(future).contiguous(), future).mean().item<double>() / static_cast<double>(plan.scenarios);
    }
    return sum;
  });
}

}  // namespace

ProbeResult ProbeSimilarity(const Subject& subject, const ProbePlan& plan) {
  Values psnr, ssim, sharpness, motion, duplicates, flicker;
  std::vector<Film2> films;
  for (const Scenario& s : MakeScenarios(plan)) {
    const at::Tensor truth = Future(MakeTruth(s), s);
    double mean = 0, structure = 0;
    for (int64_t k = 0; k < plan.samples; ++k) {
      const at::Tensor made = Imagine(subject, s, static_cast<uint64_t>(k)).frames;
      const double p = SummarizePsnr(made, truth).mean_of_frames;
      mean += p / static_cast<double>(plan.samples);
      structure += FrameSsim(made, truth).mean().item<double>() / static_cast<double>(plan.samples);
      if (k > 0) continue;
      sharpness.push_back(SharpnessRatio(made, truth).value);
      motion.push_back(MotionRatio(made, truth).value);
      duplicates.push_back(DuplicateRate(made, truth).value);
      flicker.push_back(TemporalFlickering(made));
      films.push_back({s, truth, made, p});
    }
    psnr.push_back(mean);
    ssim.push_back(structure);
  }
  ProbeResult result;
  result.metrics = {
      Finish(MeanMetric(plan, "quality.psnr", psnr, "no film"), "higher", {{"perfect", 100}}, "dB", "evaluation 1.1",
             "Mean over imagined frames, context left out; at most 100 dB."),
      Finish(MeanMetric(plan, "quality.ssim", ssim, "no film"), "higher", {{"perfect", 1}, {"frozen", FrozenSsim(plan)}}, "1",
             "Wang et al. 2004", "Gaussian window 11x11, border reflected."),
      Finish(MeanMetric(plan, "quality.sharpness-ratio", sharpness, "the true film has no edge"), "neither", {{"real", 1}}, "1", "own",
             "Laplacian variance, imagined by real; below 1 is blurred."),
      Finish(MeanMetric(plan, "quality.motion-ratio", motion, "the true film stands still"), "neither", {{"real", 1}, {"frozen", 0}}, "1",
             "own", "Mean absolute frame difference, imagined by real."),
      Finish(MeanMetric(plan, "quality.duplicate-rate", duplicates, "the true film never moves"), "lower", {{"real", 0}, {"frozen", 1}},
             "1", "own", "Share of frames that repeat their predecessor while the truth moves."),
      Finish(MeanMetric(plan, "quality.flicker", flicker, "no film"), "neither", {{"frozen", 1}}, "1", "arXiv 2311.17982",
             "VBench's temporal flickering; a frozen film has 1, so read it beside the motion ratio.")};
  result.strips = ChooseStrips(std::move(films));
  return result;
}

ProbeResult ProbeControl(const Subject& subject, const ProbePlan& plan) {
  if (IsRecording(plan.world)) return ControlOfRecording(subject, plan);
  const auto wrong = MakeSubjects("dummy:wrongact");
  const std::vector<std::string> ids{"causality.control.distance", "causality.control.calibrated", "causality.control.normalised",
                                     "causality.control.delta-psnr"};
  const std::vector<Scenario> scenarios = MakeScenarios(plan);
  if (MakeWorld(plan.world)->Facts().actions.Width() == 0) return {Missing(plan, ids, "this world takes no actions"), {}};
  Distances model, worst;
  std::vector<std::vector<double>> delta;
  for (const Scenario& s : scenarios) {
    const at::Tensor truth = Future(MakeTruth(s), s);
    const auto distance = [&](const at::Tensor& film) {
      const at::Tensor d = 1 - FrameSsim(film, truth).clamp(0, 1);
      return std::vector<double>(d.const_data_ptr<double>(), d.const_data_ptr<double>() + d.numel());
    };
    const at::Tensor made = Imagine(subject, s, 0).frames;
    model.push_back(distance(made));
    worst.push_back(distance(Imagine(*wrong[0], s, 0).frames));
    delta.push_back(DeltaPsnr(Span(truth), Span(made), Span(Imagine(subject, AtAnotherTime(s), 0).frames)));
  }
  const ControlScores scores = ScoreControl(model, worst);
  return {{MetricOf(plan, "causality.control.distance", scores.distance, "lower", {{"perfect", 0}}, "1 - SSIM", "arXiv 2601.17067, eq. 9",
                    "Distance to the true film under the same actions."),
           MetricOf(plan, "causality.control.calibrated", scores.calibrated, "higher", {{"perfect", 1}, {"wrongact", 0.1}}, "1",
                    "arXiv 2601.17067, eq. 9", "exp(-lambda D), lambda such that wrong actions score 0.1."),
           MetricOf(plan, "causality.control.normalised", scores.normalised, "higher", {{"perfect", 1}, {"wrongact", 0}}, "1", "own",
                    "1 - D / D(wrong actions)."),
           MetricOf(plan, "causality.control.delta-psnr", DeltaPsnrAt(delta), "higher", {{"ignore", 0}}, "dB", "arXiv 2402.15391",
                    "PSNR under the true actions less that under others, at frame 4.")},
          {}};
}

}  // namespace orrery
