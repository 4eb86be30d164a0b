// drift: what one's own past costs (evaluation 2.1): films that run freely
// against films made from the true past frame by frame.
#include <ATen/ATen.h>

#include <algorithm>

#include "eval/quality/similarity.h"
#include "eval/suite/films.h"
#include "eval/suite/probe.h"

namespace orrery {

namespace {

constexpr int64_t kWindow = 8;   // frames of a point of the curves
constexpr int64_t kWhole = 512;  // up to so many frames every window is looked at
constexpr int64_t kEvery = 60;   // else those that end at multiples of this, 600 and 1,800 among them
constexpr int64_t kSlope = 64;   // frames over which the slope is taken
constexpr const char* kSource = "evaluation 2.1";

// First imagined frames (0: that after the context) of the windows.
std::vector<int64_t> Windows(int64_t frames) {
  std::vector<int64_t> starts;
  if (frames <= kWhole) {
    for (int64_t w = 0; (w + 1) * kWindow <= frames; ++w) starts.push_back(w * kWindow);
    return starts;
  }
  starts.push_back(0);
  for (int64_t end = kEvery; end <= frames; end += kEvery) starts.push_back(end - kWindow);
  return starts;
}

// A model is shown the whole true film, and asked in the windows alone.
std::vector<at::Tensor> AskedInWindows(const Subject& subject, const Scenario& s, const at::Tensor& truth,
                                       const std::vector<int64_t>& starts) {
  const auto world = subject.Begin(s, 0);
  std::vector<at::Tensor> films;
  size_t next = 0;
  std::vector<at::Tensor> frames;
  for (int64_t k = 0; next < starts.size(); ++k) {
    if (k >= starts[next]) {
      const std::string before = world->Snapshot();
      frames.push_back(RecordFilm(*world, s, s.context - 1 + k, s.context + k).frames);
      world->Restore(before);
      if (std::ssize(frames) == kWindow) {
        films.push_back(at::cat(frames));
        frames.clear();
        ++next;
      }
    }
    const at::Tensor frame = truth[k];
    ORRERY_CHECK(subject.Observe(*world, {frame.const_data_ptr<uint8_t>(), static_cast<size_t>(frame.numel())},
                                 s.actions[static_cast<size_t>(s.context - 1 + k)]));
  }
  return films;
}

// Of long films, frames of each window, every one made from the true past [kWindow, H, W, 3].
std::vector<at::Tensor> Forced(const Subject& subject, const Scenario& s, const at::Tensor& truth, const std::vector<int64_t>& starts) {
  std::vector<at::Tensor> films;
  if (subject.Kind() == SubjectKind::kModel) {
    films = AskedInWindows(subject, s, truth, starts);
  } else {
    for (const int64_t start : starts) {  // begun anew for every frame, in a
                                          // film that ends with the window
      Scenario part = s;
      part.context = s.context + start;
      part.actions.resize(static_cast<size_t>(part.context + kWindow - 1));
      films.push_back(Imagine(subject, part, 0, 1).frames);
    }
  }
  return films;
}

double MeanPsnr(const at::Tensor& made, const at::Tensor& truth) { return FramePsnr(made, truth).mean().item<double>(); }

// One number a scenario in every window.
using ByWindow = std::vector<std::vector<double>>;

Metric MeanOfWindows(const ProbePlan& plan, const char* id, const ByWindow& values) {
  std::vector<std::optional<double>> means(values[0].size(), 0.0);
  for (const auto& window : values)
    for (size_t i = 0; i < means.size(); ++i) *means[i] += window[i] / static_cast<double>(values.size());
  return MeanMetric(plan, id, means, "no film");
}

void AddCurve(Metric& m, const ByWindow& values, const std::vector<int64_t>& starts, const char* label) {
  Curve c;
  c.x_label = "imagined frames";
  c.y_label = label;
  for (size_t w = 0; w < values.size(); ++w) {
    const Interval band = MeanInterval(values[w]);
    c.x.push_back(static_cast<double>(starts[w]) + 0.5 * kWindow);
    c.y.push_back(Mean(values[w]));
    c.low.push_back(band.low);
    c.high.push_back(band.high);
    if (const int64_t end = starts[w] + kWindow; end == 600 || end == 1800)
      m.by[fmt::format("frame={:04}", end)] = {c.y.back(), band, std::ssize(values[w]), values[w]};
  }
  m.curve = std::move(c);
}

Metric Finish(Metric m, const char* direction, const char* unit, double perfect, const char* note) {
  m.direction = direction;
  m.unit = unit;
  m.anchors = {{"perfect", perfect}};
  m.source = kSource;
  m.notes.push_back(note);
  return m;
}

}  // namespace

ProbeResult ProbeDrift(const Subject& subject, const ProbePlan& plan) {
  if (plan.frames < 2 * kWindow) Fail("drift: at least {} imagined frames expected, got {}", 2 * kWindow, plan.frames);
  const std::vector<int64_t> starts = Windows(plan.frames);
  ByWindow free(starts.size()), forced(starts.size()), excess(starts.size());
  std::vector<std::optional<double>> slope, gap;
  const std::vector<Scenario> scenarios = MakeScenarios(plan);
  const std::vector<Film> own_films = subject.Films(scenarios, {}),
                          forced_films = plan.frames <= kWhole ? subject.Films(scenarios, {.sample = 0, .reground = 1, .foreign = {}})
                                                               : std::vector<Film>{};
  for (size_t i = 0; i < scenarios.size(); ++i) {
    const Scenario& s = scenarios[i];
    const at::Tensor truth = Future(MakeTruth(s), s), made = own_films[i].frames;
    std::vector<at::Tensor> told;
    if (forced_films.empty()) {
      told = Forced(subject, s, truth, starts);
    } else {
      for (const int64_t start : starts) told.push_back(forced_films[i].frames.narrow(0, start, kWindow));
    }
    std::vector<double> at, lost;
    for (size_t w = 0; w < starts.size(); ++w) {
      const at::Tensor real = truth.narrow(0, starts[w], kWindow);
      free[w].push_back(MeanPsnr(made.narrow(0, starts[w], kWindow), real));
      forced[w].push_back(MeanPsnr(told[w], real));
      lost.push_back(forced[w].back() - free[w].back());
      excess[w].push_back(lost.back());
      if (starts[w] + kWindow <= kSlope || w < 2) at.push_back(static_cast<double>(starts[w]) + 0.5 * kWindow);
    }
    slope.push_back(100 * TheilSen(at, std::span(lost).first(at.size())));
    gap.push_back(lost.back());
  }
  Metric last = MeanMetric(plan, "persistence.exposure-gap", gap, "no film");
  Metric own = MeanOfWindows(plan, "persistence.free.psnr", free), taught = MeanOfWindows(plan, "persistence.forced.psnr", forced);
  AddCurve(last, excess, starts, "PSNR lost to one's own past, dB");
  AddCurve(own, free, starts, "PSNR, dB");
  AddCurve(taught, forced, starts, "PSNR, dB");
  return {{Finish(std::move(last), "lower", "dB", 0, "Teacher-forced less free-running PSNR in the last window."),
           Finish(MeanMetric(plan, "persistence.exposure-slope", slope, "no film"), "lower", "dB / 100 frames", 0,
                  "Theil-Sen slope of that gap over the first 64 frames: what is lost already cannot be lost again."),
           Finish(std::move(own), "higher", "dB", 100, "PSNR of the free-running film, mean over windows of 8 frames."),
           Finish(std::move(taught), "higher", "dB", 100, "PSNR of frames made each from the true past, mean over the same windows.")},
          {}};
}

}  // namespace orrery
