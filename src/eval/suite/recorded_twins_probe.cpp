// recorded-twins: effects of other actions, against recorded pairs that share their beginning to the byte (orrery-record --twins).
#include <ATen/ATen.h>

#include "eval/causality/pixel_effects.h"
#include "eval/recordings/windows.h"
#include "eval/suite/films.h"
#include "eval/suite/probe.h"

namespace orrery {

namespace {

constexpr int64_t kLead = 4;  // imagined frames before the first that the other actions can change

struct Effects {
  std::vector<PixelEffects> pairs;
  std::vector<std::optional<double>> null;  // share of pixels in which two runs of the same actions differ
};

Effects Compare(const Subject& subject, const ProbePlan& plan) {
  Effects out;
  for (const TwinScenarios& pair : RecordedTwinScenarios(plan.world, plan.scenarios, plan.context, kLead, plan.frames, plan.seed)) {
    const at::Tensor truth = Future(MakeTruth(pair.factual), pair.factual), changed = Future(MakeTruth(pair.changed), pair.changed);
    const at::Tensor made = Imagine(subject, pair.factual, 0).frames, again = Imagine(subject, pair.factual, 0).frames;
    const at::Tensor made_changed = Imagine(subject, pair.changed, 0).frames;
    out.null.push_back(static_cast<double>(DifferingPixels(Span(made), Span(again))) / (static_cast<double>(made.numel()) / 3));
    out.pairs.push_back(ComparePixelEffects(Span(truth), Span(changed), Span(made), Span(made_changed), kLead));
  }
  return out;
}

}  // namespace

ProbeResult ProbeRecordedTwins(const Subject& subject, const ProbePlan& plan) {
  const auto id = [](const char* name) { return fmt::format("causality.recorded-twin.{}", name); };
  if (MakeRecording(plan.world)->Twins().empty())
    return {Missing(plan, {id("precision"), id("recall"), id("f1"), id("false-effects"), id("leak"), id("null")},
                    "this data set holds no twins; orrery-record --twins records them"),
            {}};
  const Effects effects = Compare(subject, plan);
  const PixelEffectSummary p = SummarizePixelEffects(effects.pairs);
  const auto metric = [&](const char* name, const Estimate& e, const char* direction, std::map<std::string, double> anchors,
                          const char* note) {
    return MetricOf(plan, id(name), e, direction, std::move(anchors), "1", "evaluation 3.5", note);
  };
  return {
      {metric("precision", p.precision, "higher", {{"perfect", 1}},
              "Share of the pixels that the subject lets other actions change which truly change (2 px beside counts)."),
       metric("recall", p.recall, "higher", {{"perfect", 1}, {"ignore", 0}}, "Share of the truly changed pixels that the subject changes."),
       metric("f1", p.f1, "higher", {{"perfect", 1}, {"ignore", 0}}, "Harmonic mean of both."),
       metric("false-effects", p.false_rate, "lower", {{"perfect", 0}},
              "Share of pixels that change under other actions that truly change none."),
       metric("leak", p.leak, "lower", {{"perfect", 0}}, "Share of pixels that change before the actions differ."),
       metric("null", MeanEstimate(effects.null, "no film"), "lower", {{"perfect", 0}},
              "Share of pixels in which two runs of the same actions and noise differ.")},
      {}};
}

}  // namespace orrery
