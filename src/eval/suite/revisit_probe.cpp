// revisit: is a place still what it was when one comes back? (after WorldMem, arXiv 2504.12369, on poses that return to the bit)
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "eval/causality/estimate.h"
#include "eval/quality/similarity.h"
#include "eval/suite/probe.h"

namespace orrery {

namespace {

constexpr int64_t kAgain = 4;  // frames from the return on that are scored
constexpr double kKnows = 3;   // dB above another scenario's frames: the least that fresh frames are taken to be worth

// dB of one scenario, means over the frames in question.
struct Returned {
  double seen = 0;    // at the return
  double recent = 0;  // in the first imagined frames, whose places were in sight a moment ago
  double other = 0;   // of another scenario's truth at the same frames: what knowing nothing scores
};

double MeanPsnr(const at::Tensor& a, const at::Tensor& b) { return FramePsnr(a, b).mean().item<double>(); }

// (seen - other) / (recent - other) of means over scenarios: 1 nothing is lost, 0 nothing is known. The divisor is at least kKnows, so a
// subject that knows nothing even of what it just saw scores about 0.
Estimate Gain(const std::vector<Returned>& all) {
  return EstimateOf(
      static_cast<int64_t>(all.size()),
      [&](std::span<const int64_t> rows) {
        double seen = 0, recent = 0;
        for (const int64_t r : rows) {
          seen += all[r].seen - all[r].other;
          recent += all[r].recent - all[r].other;
        }
        return seen / std::max(recent, kKnows * static_cast<double>(rows.size()));
      },
      "no film");
}

std::vector<Returned> Return(const Subject& subject, const ProbePlan& plan, int64_t gap, bool remembered) {
  ProbePlan part = plan;
  part.trajectory = fmt::format("gap(frames={}, again={})", gap, std::max(plan.context, kAgain));
  part.frames = gap + kAgain - part.context;
  std::vector<Scenario> scenarios = MakeScenarios(part);
  std::vector<at::Tensor> truths;
  for (const Scenario& s : scenarios) truths.push_back(MakeTruth(s).film.frames.narrow(0, gap, kAgain));
  std::vector<Returned> all;
  for (size_t i = 0; i < scenarios.size(); ++i) {
    Scenario s = scenarios[i];
    if (remembered) s.context = gap;  // everything up to the return is shown
    const at::Tensor made = Imagine(subject, s, 0).frames;
    const at::Tensor near = MakeTruth(s).film.frames.narrow(0, s.context, 2);
    Returned r;
    r.seen = MeanPsnr(made.narrow(0, gap - s.context, kAgain), truths[i]);
    r.other = MeanPsnr(truths[(i + 1) % truths.size()], truths[i]);
    r.recent = remembered ? r.seen : MeanPsnr(made.narrow(0, 0, 2), near);
    all.push_back(r);
  }
  return all;
}

}  // namespace

ProbeResult ProbeRevisit(const Subject& subject, const ProbePlan& plan) {
  Metric m;
  m.id = "persistence.revisit.gain";
  m.world = plan.world;
  m.highest = 1;
  m.anchors = {{"perfect", 1}, {"random", 0}};
  m.method = fmt::format("scenario-bootstrap-{}-bca", kResamples);
  m.source = "arXiv 2504.12369; evaluation 2.5";
  m.notes.push_back(
      "PSNR at the return, on a scale from another scenario's (0) to that of places in sight a moment ago (1), at the longest gap; "
      "the way is imagined.");
  Metric kept = m;
  kept.id = "persistence.revisit.remembered";
  kept.unit = "dB";
  kept.highest = 100;
  kept.anchors = {{"perfect", 100}};
  kept.notes = {"PSNR of the first frames after the return when all frames before it were true ones: memory without drift."};
  Curve curve{{}, {}, {}, {}, "gap in frames", "memory gain", true, false},
      kept_curve{{}, {}, {}, {}, "gap in frames", "PSNR, dB", true, false};
  for (int64_t gap = 16; gap <= plan.frames; gap *= 2) {
    const auto put = [&](Metric& metric, Curve& c, const Estimate& e) {
      metric.by[fmt::format("gap={:04}", gap)] = {e.value, e.interval, e.count};
      metric.count = e.count;
      metric.value = e.value && e.interval ? e.value : std::nullopt;
      metric.interval = e.interval;
      metric.cause = metric.value ? "" : e.cause;
      if (!metric.value) return;
      c.x.push_back(static_cast<double>(gap));
      c.y.push_back(*e.value);
      c.low.push_back(e.interval->low);
      c.high.push_back(e.interval->high);
    };
    put(m, curve, Gain(Return(subject, plan, gap, false)));
    std::vector<std::optional<double>> seen;
    for (const Returned& r : Return(subject, plan, gap, true)) seen.push_back(r.seen);
    put(kept, kept_curve, MeanEstimate(seen, "no film"));
  }
  m.curve = std::move(curve);
  kept.curve = std::move(kept_curve);
  return {{std::move(m), std::move(kept)}, {}};
}

}  // namespace orrery
