// revisit: is a place still what it was when one comes back? (after WorldMem, arXiv 2504.12369, on poses that return to the bit)
#include <ATen/ATen.h>

#include <algorithm>

#include "eval/persistence/memory_gain.h"
#include "eval/quality/similarity.h"
#include "eval/recordings/recording.h"
#include "eval/suite/gap_curve.h"
#include "eval/suite/once.h"
#include "eval/suite/probe.h"

namespace orrery {

namespace {

constexpr int64_t kAgain = 4;  // frames from the return on that are scored
constexpr const char* kSource = "arXiv 2504.12369; evaluation 2.5";

// A way that comes back after `gap` frames, and the true frames from the return on [kAgain, H, W, 3].
struct Way {
  Scenario scenario;
  at::Tensor back;
};

std::vector<Way> Ways(const ProbePlan& plan, int64_t gap) {
  return OncePerPlan<std::vector<Way>>(plan, fmt::format("revisit after {}", gap), [&] {
    ProbePlan part = plan;
    part.trajectory = fmt::format("gap(frames={}, again={})", gap, std::max(plan.context, kAgain));
    part.frames = gap + kAgain - part.context;
    std::vector<Way> ways;
    for (Scenario& s : MakeScenarios(part)) {
      at::Tensor back = MakeTruth(s).film.frames.narrow(0, gap, kAgain).clone();
      ways.push_back({std::move(s), std::move(back)});
    }
    return ways;
  });
}

// `context` > 0: of so many frames.
std::vector<Scenario> ScenariosOf(const std::vector<Way>& ways, int64_t context) {
  std::vector<Scenario> scenarios;
  for (const Way& way : ways) {
    scenarios.push_back(way.scenario);
    if (context > 0) scenarios.back().context = context;
  }
  return scenarios;
}

// What the subject shows at each return; `shown`: after the true frames up to there, else after those that it imagined.
std::vector<at::Tensor> Returns(const Subject& subject, const std::vector<Way>& ways, int64_t gap, bool shown) {
  const std::vector<Scenario> scenarios = ScenariosOf(ways, shown ? gap : 0);
  std::vector<at::Tensor> films;
  for (const Film& film : subject.Films(scenarios, {})) films.push_back(film.frames.narrow(0, gap - scenarios[0].context, kAgain));
  return films;
}

// PSNR lost at each return when what is remembered from beyond the newest frames is that of the next way; all frames before it were true
// ones. `told`: the films without that.
std::vector<std::optional<double>> SwapLosses(const Subject& subject, const std::vector<Way>& ways, int64_t gap,
                                              std::span<const std::optional<double>> told) {
  const std::vector<Scenario> own = ScenariosOf(ways, gap);
  std::vector<Scenario> next = own;
  std::rotate(next.begin(), next.begin() + 1, next.end());
  const std::vector<Film> films = subject.Films(own, {.sample = 0, .reground = 0, .foreign = next});
  std::vector<std::optional<double>> losses;
  for (size_t i = 0; i < ways.size(); ++i) losses.push_back(*told[i] - FramePsnr(films[i].frames, ways[i].back).mean().item<double>());
  return losses;
}

}  // namespace

ProbeResult ProbeRevisit(const Subject& subject, const ProbePlan& plan) {
  if (IsRecording(plan.world)) return RevisitOfRecording(subject, plan);
  if (plan.frames < 2 * plan.context)
    Fail("revisit: gaps up to {} frames or more expected (twice the context), got {}", 2 * plan.context, plan.frames);
  // At the shortest return every place was seen less than a context ago.
  const std::vector<Way> near_ways = Ways(plan, plan.context);
  const std::vector<at::Tensor> near = Returns(subject, near_ways, plan.context, false);
  std::vector<int64_t> gaps;
  std::vector<ReturnQualities> qualities;
  std::vector<Estimate> gains, kept;
  Estimate lost;
  for (int64_t gap = 2 * plan.context; gap <= plan.frames; gap *= 2) {
    const std::vector<Way> ways = Ways(plan, gap);
    const std::vector<at::Tensor> own = Returns(subject, ways, gap, false), told = Returns(subject, ways, gap, true);
    std::vector<ReturnFilms> films;
    std::vector<std::optional<double>> psnr;
    for (size_t i = 0; i < ways.size(); ++i) {
      films.push_back({own[i], ways[i].back, near[i], near_ways[i].back});
      psnr.push_back(FramePsnr(told[i], ways[i].back).mean().item<double>());
    }
    gaps.push_back(gap);
    qualities.push_back(JudgeReturns(films));
    gains.push_back(MemoryGain(qualities.back()));
    kept.push_back(MeanEstimate(psnr, "no film"));
    if (2 * gap > plan.frames) lost = MeanEstimate(SwapLosses(subject, ways, gap, psnr), "no film");
  }
  Metric gain = MetricOf(plan, "persistence.revisit.gain", gains.back(), "higher", {{"perfect", 1}, {"random", 0}}, "1", kSource,
                         "PSNR at the return, on a scale from the subject's frames of other places (0) to its frames of places in sight a "
                         "moment ago (1), at the longest gap; the way is imagined.");
  Metric shown = MetricOf(plan, "persistence.revisit.remembered", kept.back(), "higher", {{"perfect", 100}}, "dB", kSource,
                          "PSNR of the first frames after the return when all frames before it were true ones: memory without drift.");
  const MemoryHalfLife half = HalfLife(gaps, qualities);
  Metric life = MetricOf(plan, "persistence.revisit.half-life", half.gap, "higher",
                         {{"perfect", static_cast<double>(gaps.back())}, {"random", static_cast<double>(gaps.front())}}, "frames", kSource,
                         "Gap at which the gain falls below one half.");
  if (half.censored) life.notes.push_back(fmt::format("It does not within {} frames: a lower bound.", gaps.back()));
  Metric swap =
      MetricOf(plan, "persistence.revisit.swap-loss", lost, "higher", {{"random", 0}}, "dB", "state-mechanisms G10",
               "PSNR lost at the return after the longest gap, its way shown, when what lies beyond the window's newest frames is "
               "remembered of another way. 0: a memory that nothing is read from, or none.");
  gain.highest = 1;
  shown.highest = 100;
  gain.curve = GapCurve("memory gain");
  shown.curve = GapCurve("PSNR, dB");
  for (size_t k = 0; k < gaps.size(); ++k) {
    AddGap(gain, gaps[k], gains[k]);
    AddGap(shown, gaps[k], kept[k]);
  }
  return {{std::move(gain), std::move(shown), std::move(swap), std::move(life)}, {}};
}

}  // namespace orrery
