// recall: what one turned away from, is it still there when one turns back? (TURN of the state sheet; after WorldMem, arXiv 2504.12369).
// All that happened until the turn back is shown as it truly was, so that nothing but memory is asked for.
#include <ATen/ATen.h>

#include "eval/persistence/memory_gain.h"
#include "eval/quality/similarity.h"
#include "eval/suite/gap_curve.h"
#include "eval/suite/once.h"
#include "eval/suite/probe.h"

namespace orrery {

namespace {

constexpr int64_t kTurn = 12;  // frames of a half turn, 15 degrees each
constexpr int64_t kBack = 6;   // last frames of the turn back, which are scored: nothing of them is in sight when it begins
constexpr const char* kSource = "arXiv 2504.12369; state sheet, section 2, TURN";

struct Turn {
  Scenario scenario;  // the context ends with the back turned
  at::Tensor back;    // true last frames [kBack, H, W, 3]
};

// Away by a half turn, a rest, and back: the last frame shows what was last seen `gap` frames before.
std::vector<Turn> Turns(const ProbePlan& plan, int64_t gap) {
  return OncePerPlan<std::vector<Turn>>(plan, fmt::format("recall after {}", gap), [&] {
    ProbePlan part = plan;
    part.trajectory = fmt::format("look-away(degrees=180, hold={})", gap - 2 * kTurn);
    part.context = gap - kTurn + 1;
    part.frames = kTurn;
    std::vector<Turn> turns;
    for (Scenario& s : MakeScenarios(part)) {
      at::Tensor back = MakeTruth(s).film.frames.narrow(0, gap - kBack + 1, kBack).clone();
      turns.push_back({std::move(s), std::move(back)});
    }
    return turns;
  });
}

std::vector<at::Tensor> Recalled(const Subject& subject, const std::vector<Turn>& turns) {
  std::vector<Scenario> scenarios;
  for (const Turn& turn : turns) scenarios.push_back(turn.scenario);
  std::vector<at::Tensor> films;
  for (const Film& film : subject.Films(scenarios, {})) films.push_back(film.frames.narrow(0, kTurn - kBack, kBack));
  return films;
}

}  // namespace

ProbeResult ProbeRecall(const Subject& subject, const ProbePlan& plan) {
  if (plan.frames < 2 * kTurn + 8) Fail("recall: gaps up to {} frames or more expected, got {}", 2 * kTurn + 8, plan.frames);
  const std::vector<Turn> near_turns = Turns(plan, 2 * kTurn);
  const std::vector<at::Tensor> near = Recalled(subject, near_turns);
  std::vector<int64_t> gaps;
  std::vector<Estimate> gains, kept;
  std::vector<std::optional<double>> psnr;
  for (int64_t gap = 2 * kTurn + 8; gap <= plan.frames; gap *= 2) {
    const std::vector<Turn> turns = Turns(plan, gap);
    const std::vector<at::Tensor> made = Recalled(subject, turns);
    std::vector<ReturnFilms> films;
    psnr.clear();
    for (size_t i = 0; i < turns.size(); ++i) {
      films.push_back({made[i], turns[i].back, near[i], near_turns[i].back});
      psnr.push_back(FramePsnr(made[i], turns[i].back).mean().item<double>());
    }
    gaps.push_back(gap);
    gains.push_back(MemoryGain(JudgeReturns(films)));
    kept.push_back(MeanEstimate(psnr, "no film"));
  }
  Metric gain =
      MetricOf(plan, "persistence.recall.gain", gains.back(), "higher", {{"perfect", 1}, {"random", 0}}, "1", kSource,
               "PSNR when turning back, on a scale from the subject's frames of other places (0) to those of a turn without a rest "
               "(1), at the longest gap; everything before the turn back is shown.");
  Metric shown = MetricOf(plan, "persistence.recall.psnr", kept.back(), "higher", {{"perfect", 100}}, "dB", kSource,
                          "PSNR of the last frames of the turn back at the longest gap.");
  gain.highest = 1;
  shown.highest = 100;
  gain.curve = GapCurve("memory gain");
  shown.curve = GapCurve("PSNR, dB");
  for (size_t k = 0; k < gaps.size(); ++k) {
    AddGap(gain, gaps[k], gains[k]);
    AddGap(shown, gaps[k], kept[k]);
  }
  for (const std::optional<double>& v : psnr) shown.per_scenario.push_back(*v);
  return {{std::move(gain), std::move(shown)}, {}};
}

}  // namespace orrery
