// control on recordings, where the truth under other actions is not to be had: what of it the subject alone can tell.
#include "eval/causality/control.h"
#include "eval/quality/similarity.h"
#include "eval/recordings/recording.h"
#include "eval/suite/films.h"
#include "eval/suite/probe.h"

namespace orrery {

ProbeResult ControlOfRecording(const Subject& subject, const ProbePlan& plan) {
  const char* id = "causality.control.delta-psnr";
  std::vector<std::optional<double>> distance;
  std::vector<std::vector<double>> delta;
  std::string unknown;
  for (const Scenario& s : MakeScenarios(plan)) {
    const at::Tensor truth = Future(MakeTruth(s), s), made = Imagine(subject, s, 0).frames;
    distance.push_back((1 - FrameSsim(made, truth).clamp(0, 1)).mean().item<double>());
    if (!unknown.empty()) continue;
    try {
      delta.push_back(DeltaPsnr(Span(truth), Span(made), Span(Imagine(subject, AtAnotherTime(s), 0).frames)));
    } catch (const UnknownTruth& e) {
      unknown = e.what();  // a dummy that shows the truth
    }
  }
  const std::vector<Metric> missing = Missing(plan, {"causality.control.calibrated", "causality.control.normalised"},
                                              "a recording does not know what wrong actions would have shown");
  Metric after = unknown.empty() ? MetricOf(plan, id, DeltaPsnrAt(delta), "higher", {{"ignore", 0}}, "dB", "arXiv 2402.15391",
                                            "PSNR under the true actions less that under others, at frame 4.")
                                 : Missing(plan, {id}, unknown)[0];
  return {{MetricOf(plan, "causality.control.distance", MeanEstimate(distance, "no film"), "lower", {{"perfect", 0}}, "1 - SSIM",
                    "arXiv 2601.17067, eq. 9", "Distance to the true film under the same actions."),
           missing[0], missing[1], std::move(after)},
          {}};
}

}  // namespace orrery
