// future-leak: whether frames depend on actions that come later (evaluation 3.6).
#include <ATen/ATen.h>

#include "core/rng.h"
#include "eval/causality/pixel_effects.h"
#include "eval/dummies/kinds.h"
#include "eval/recordings/recording.h"
#include "eval/suite/films.h"
#include "eval/suite/probe.h"

namespace orrery {

ProbeResult ProbeFutureLeak(const Subject& subject, const ProbePlan& plan) {
  const std::vector<std::string> ids = {"causality.future-leak.before", "causality.future-leak.after"};
  if (IsRecording(plan.world) && subject.Kind() != SubjectKind::kModel)
    return {Missing(plan, ids, "a recording cannot show what other actions lead to"), {}};
  std::vector<std::optional<double>> before, after;
  for (const Scenario& s : MakeScenarios(plan)) {
    // The second half is acted otherwise: imagined frames 0 .. half - 1 come before.
    const int64_t half = (s.Last() + 1 - s.context) / 2;
    Scenario late = s, other = s;
    late.context = s.context + half;
    const auto wrong = WrongActions(late, MakeEvalWorld(s.world)->Facts().actions, DeriveSeed(s.seed, "future-leak"));
    std::copy(wrong.begin(), wrong.end(), other.actions.begin() + late.context - 1);
    const at::Tensor film = Imagine(subject, s, 0).frames, otherwise = Imagine(subject, other, 0).frames;
    const auto differing = [&](int64_t first, int64_t count) {
      const at::Tensor a = film.narrow(0, first, count), b = otherwise.narrow(0, first, count);
      return static_cast<double>(DifferingPixels(Span(a), Span(b))) / (static_cast<double>(a.numel()) / 3);
    };
    before.push_back(differing(0, half));
    after.push_back(differing(half, film.size(0) - half) > 0 ? 1 : 0);
  }
  return {{MetricOf(plan, ids[0], MeanEstimate(before, "no film"), "lower", {{"perfect", 0}}, "of pixels", "own",
                    "Pixels that differ between two films before their actions do, under the same noise."),
           MetricOf(plan, ids[1], MeanEstimate(after, "no film"), "higher", {{"ignore", 0}}, "of scenarios", "own",
                    "Films that differ afterwards: one that heeds no action cannot leak one either.")},
          {}};
}

}  // namespace orrery
