// revisit on recordings: returns found in the recorded poses.
#include <ATen/ATen.h>

#include "eval/persistence/memory_gain.h"
#include "eval/quality/similarity.h"
#include "eval/recordings/revisits.h"
#include "eval/suite/films.h"
#include "eval/suite/gap_curve.h"
#include "eval/suite/probe.h"

namespace orrery {

namespace {

struct Bin {
  Estimate gain, shown;  // the way imagined; shown, dB
  double picture = 0;    // dB of the earlier picture of the place, as it was
};

Bin Look(const Subject& subject, const ProbePlan& plan, int64_t gap) {
  std::vector<ReturnFilms> films;
  std::vector<std::optional<double>> shown;
  Bin bin;
  const std::vector<RevisitScenario> revisits = RecordedRevisits(plan.world, plan.scenarios, plan.context, gap, plan.seed);
  for (const RevisitScenario& r : revisits) {
    const at::Tensor truth = MakeTruth(r.scenario).film.frames, made = Imagine(subject, r.scenario, 0).frames;
    const at::Tensor back = truth.narrow(0, r.back, 1);
    films.push_back({made.slice(0, -1), back, made.slice(0, 0, 2), truth.narrow(0, r.scenario.context, 2)});
    Scenario all = r.scenario;  // all frames up to the return are shown
    all.context = r.back;
    shown.push_back(FramePsnr(Imagine(subject, all, 0).frames, back).mean().item<double>());
    bin.picture += FramePsnr(truth.narrow(0, r.first, 1), back).mean().item<double>() / static_cast<double>(revisits.size());
  }
  const std::string none = fmt::format("fewer than two episodes come back to a place after {} to {} frames", gap, 2 * gap - 1);
  bin.gain = MemoryGain(films, none);
  bin.shown = MeanEstimate(shown, none);
  if (films.size() < 2) bin.shown.cause = none;
  return bin;
}

}  // namespace

ProbeResult RevisitOfRecording(const Subject& subject, const ProbePlan& plan) {
  const char *gain_id = "persistence.revisit.gain", *shown_id = "persistence.revisit.remembered",
             *swap_id = "persistence.revisit.swap-loss", *source = "arXiv 2504.12369; evaluation 2.5";
  if (!MakeRecording(plan.world)->Facts().has_pose)
    return {Missing(plan, {gain_id, shown_id, swap_id}, "a recording with poses is needed, to know where the viewer comes back to"), {}};
  if (plan.frames < 16) Fail("revisit: a longest gap of 16 frames or more expected, got {}", plan.frames);
  std::map<int64_t, Bin> bins;
  for (int64_t gap = 16; gap <= plan.frames; gap *= 2) bins[gap] = Look(subject, plan, gap);
  const Bin& last = bins.rbegin()->second;
  std::map<std::string, double> anchors{{"perfect", 100}};
  if (last.shown.value) anchors["earlier-picture"] = last.picture;
  Metric gain =
      MetricOf(plan, gain_id, last.gain, "higher", {{"perfect", 1}, {"random", 0}}, "1", source,
               "PSNR at the return, on a scale from that of frames made for other scenarios (0) to that of frames in sight a moment "
               "ago (1), at the longest gaps (this many frames to twice as many); the way is imagined.");
  Metric shown = MetricOf(plan, shown_id, last.shown, "higher", std::move(anchors), "dB", source,
                          "PSNR of the first frame after the return when all frames before it were true ones: memory without drift. "
                          "Recorded places are near each other, not equal; earlier-picture is what the true picture of then scores.");
  gain.highest = 1;
  shown.highest = 100;
  gain.curve = GapCurve("memory gain");
  shown.curve = GapCurve("PSNR, dB");
  for (const auto& [gap, bin] : bins) {
    AddGap(gain, gap, bin.gain);
    AddGap(shown, gap, bin.shown);
  }
  std::vector<Metric> metrics{std::move(gain), std::move(shown)};
  for (Metric& m :
       Missing(plan, {swap_id}, "recorded returns come after different numbers of frames, so that no other episode's memory fits"))
    metrics.push_back(std::move(m));
  return {std::move(metrics), {}};
}

}  // namespace orrery
