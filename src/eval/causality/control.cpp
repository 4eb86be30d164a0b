#include "eval/causality/control.h"

#include <cmath>

#include "core/error.h"
#include "eval/pixels.h"

namespace orrery {

namespace {

void Require(const Distances& distances, const Distances& like, std::string_view name) {
  if (distances.empty() || distances.size() != like.size())
    Fail("control: {}: distances of {} scenarios expected (at least 1), got {}", name, like.size(), distances.size());
  for (size_t i = 0; i < distances.size(); ++i) {
    if (distances[i].empty() || distances[i].size() != like[0].size())
      Fail("control: {}: {} frames a scenario expected (at least 1), got {}", name, like[0].size(), distances[i].size());
    for (const double d : distances[i])
      if (!(std::isfinite(d) && d >= 0)) Fail("control: {}: a distance of at least 0 expected, got {}", name, d);
  }
}

std::vector<double> ScenarioMeans(const Distances& distances) {
  std::vector<double> means;
  for (const auto& row : distances) means.push_back(Mean(row));
  return means;
}

Estimate MeanOf(const std::vector<double>& values) {
  return MeanEstimate(std::vector<std::optional<double>>(values.begin(), values.end()), "no scenarios");
}

Estimate Missing(int64_t count, const std::string& cause) {
  Estimate out;
  out.count = out.failed = count;
  out.cause = cause;
  return out;
}

}  // namespace

std::vector<double> DeltaPsnr(const FrameSpan& truth, const FrameSpan& made, const FrameSpan& made_at_random) {
  RequireSameShape(truth, made, "delta PSNR");
  RequireSameShape(truth, made_at_random, "delta PSNR");
  std::vector<double> curve;
  for (int64_t t = 0; t < truth.frames; ++t)
    curve.push_back(Psnr(ByteMse(truth.At(t), made.At(t))) - Psnr(ByteMse(truth.At(t), made_at_random.At(t))));
  return curve;
}

Estimate DeltaPsnrAt(std::span<const std::vector<double>> curves, int64_t frame) {
  if (frame < 0) Fail("delta PSNR: a frame of at least 0 expected, got {}", frame);
  std::vector<std::optional<double>> values;
  for (const auto& curve : curves)
    values.push_back(frame < static_cast<int64_t>(curve.size()) ? std::optional(curve[static_cast<size_t>(frame)]) : std::nullopt);
  return MeanEstimate(values, fmt::format("no scenario is longer than {} frames", frame));
}

ControlScores ScoreControl(const Distances& model, const Distances& wrong, const Distances& ignoring) {
  Require(model, model, "model");
  Require(wrong, model, "wrong actions");
  if (!ignoring.empty()) Require(ignoring, model, "ignored actions");
  const auto count = static_cast<int64_t>(model.size());
  const std::vector<double> means = ScenarioMeans(model), of_wrong = ScenarioMeans(wrong);
  const double scale = Mean(of_wrong);
  const std::string no_scale = "wrong actions change nothing: their distance from the truth is 0";
  ControlScores out;
  out.distance = MeanOf(means);
  out.control = Mapped(out.distance, [](double d) { return std::exp(-d); });
  if (scale > 0) {
    const double lambda = std::log(10.0) / scale;
    out.lambda = lambda;
    out.calibrated = Mapped(out.distance, [lambda](double d) { return std::exp(-lambda * d); });
  } else {
    out.calibrated = Missing(count, no_scale);
  }
  out.normalised = Mapped(RatioEstimate(means, of_wrong, no_scale), [](double ratio) { return 1 - ratio; });
  if (ignoring.empty()) {
    out.isolated = Missing(count, "the model was not run without its actions");
  } else {
    std::vector<double> gains = ScenarioMeans(ignoring);
    for (size_t i = 0; i < gains.size(); ++i) gains[i] -= means[i];
    out.isolated = MeanOf(gains);
  }
  for (size_t t = 0; t < model[0].size(); ++t) {
    double sum = 0;
    for (const auto& row : model) sum += row[t];
    out.curve.push_back(std::exp(-out.lambda.value_or(1) * sum / static_cast<double>(count)));
  }
  return out;
}

}  // namespace orrery
