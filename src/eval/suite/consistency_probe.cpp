// self-consistency: does an imagined place look as it did when it was imagined before? (MIND's generated scene consistency, on closed ways)
#include <ATen/ATen.h>

#include "eval/quality/diagnostics.h"
#include "eval/quality/similarity.h"
#include "eval/suite/films.h"
#include "eval/suite/once.h"
#include "eval/suite/probe.h"
#include "worlds/trajectory.h"

namespace orrery {

namespace {

struct ClosedWay {
  Scenario scenario;
  at::Tensor future;          // the truth of the frames to be imagined
  at::Tensor earlier, later;  // [pairs] of those frames, the same pose twice
};

// Pairs of which both frames are imagined; ways without one are left out.
std::vector<ClosedWay> ClosedWays(const ProbePlan& plan) {
  return OncePerPlan<std::vector<ClosedWay>>(plan, "closed ways", [&] {
    std::vector<ClosedWay> ways;
    for (Scenario& s : MakeScenarios(plan)) {
      std::vector<int64_t> earlier, later;
      for (const Visit& v : Follow(*StartWorld(s), s.actions).visits)
        if (v.first >= s.context) earlier.push_back(v.first - s.context), later.push_back(v.back - s.context);
      if (earlier.empty()) continue;
      at::Tensor future = Future(MakeTruth(s), s);
      ways.push_back({std::move(s), std::move(future), at::tensor(earlier), at::tensor(later)});
    }
    return ways;
  });
}

}  // namespace

ProbeResult ProbeSelfConsistency(const Subject& subject, const ProbePlan& plan) {
  const std::vector<ClosedWay> ways = ClosedWays(plan);
  if (ways.empty()) Fail("self-consistency: no way of {} comes back to an imagined place", plan.Name());
  std::vector<std::optional<double>> psnr, ssim, motion;
  for (const ClosedWay& way : ways) {
    const at::Tensor film = Imagine(subject, way.scenario, 0).frames;
    const at::Tensor before = film.index_select(0, way.earlier), again = film.index_select(0, way.later);
    psnr.push_back(FramePsnr(again, before).mean().item<double>());
    ssim.push_back(FrameSsim(again, before).mean().item<double>());
    motion.push_back(MotionRatio(film, way.future).value);
  }
  const auto metric = [&](const char* name, const std::vector<std::optional<double>>& values, const char* direction,
                          std::map<std::string, double> anchors, const char* unit, const char* note) {
    return MetricOf(plan, fmt::format("persistence.self-consistency.{}.{}", ParseSpec(plan.trajectory)[0].name, name),
                    MeanEstimate(values, "the true film stands still"), direction, std::move(anchors), unit, "evaluation 2.5", note);
  };
  return {{metric("psnr", psnr, "higher", {{"perfect", 100}}, "dB",
                  "Of frames imagined at a pose against those imagined at the same pose a lap before. A film that does not move is "
                  "perfect here: read it beside its motion."),
           metric("ssim", ssim, "higher", {{"perfect", 1}}, "1", "The same frames, Gaussian window 11x11."),
           metric("motion-ratio", motion, "neither", {{"real", 1}, {"frozen", 0}}, "1",
                  "Mean absolute frame difference, imagined by real, on the same ways.")},
          {}};
}

}  // namespace orrery
