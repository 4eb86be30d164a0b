#include "eval/causality/pixel_effects.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>

#include "core/error.h"

namespace orrery {

namespace {

std::optional<double> Share(int64_t part, int64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

// The largest difference of a pixel's channels, grey levels.
int Difference(std::span<const uint8_t> a, std::span<const uint8_t> b, size_t pixel) {
  int largest = 0;
  for (size_t c = 3 * pixel; c < 3 * pixel + 3; ++c) largest = std::max(largest, std::abs(a[c] - b[c]));
  return largest;
}

EffectCounts Before(const PixelEffects& pair) {
  EffectCounts sum;
  for (int64_t t = 0; t < pair.first; ++t) sum += pair.frames[static_cast<size_t>(t)];
  return sum;
}

Estimate Ratio(const std::vector<EffectCounts>& counts, int64_t EffectCounts::*above, int64_t EffectCounts::*below,
               const std::string& cause) {
  std::vector<double> a, b;
  for (const EffectCounts& one : counts) {
    a.push_back(static_cast<double>(one.*above));
    b.push_back(static_cast<double>(one.*below));
  }
  return RatioEstimate(a, b, cause);
}

Estimate F1Of(const std::vector<EffectCounts>& counts) {
  const Statistic f1 = [&](std::span<const int64_t> rows) {
    EffectCounts sum;
    for (const int64_t row : rows) sum += counts[static_cast<size_t>(row)];
    return sum.F1().value_or(std::numeric_limits<double>::quiet_NaN());
  };
  return EstimateOf(static_cast<int64_t>(counts.size()), f1, "neither truth nor model shows an effect");
}

}  // namespace

Masks EffectMasks(const FrameSpan& a, const FrameSpan& b, double eps) {
  RequireSameShape(a, b, "effects");
  if (!(eps >= 0 && eps <= 1)) Fail("effects: an eps of 0..1 expected, got {}", eps);
  const int level = static_cast<int>(std::floor(255 * eps + 1e-9));  // an eps that was a grey level stays that level
  Masks masks(a.frames, a.height, a.width);
  for (size_t i = 0; i < masks.on.size(); ++i) masks.on[i] = Difference(a.bytes, b.bytes, i) > level;
  return masks;
}

int64_t DifferingPixels(const FrameSpan& a, const FrameSpan& b) { return Count(EffectMasks(a, b, 0).on); }

double NoiseEps(const FrameSpan& film, const FrameSpan& noise_twin, double floor) {
  RequireSameShape(film, noise_twin, "effects");
  std::array<int64_t, 256> histogram{};
  const int64_t pixels = film.frames * film.Pixels();
  for (int64_t i = 0; i < pixels; ++i) ++histogram[static_cast<size_t>(Difference(film.bytes, noise_twin.bytes, static_cast<size_t>(i)))];
  int64_t below = 0;
  int level = -1;
  while (100 * below < 99 * pixels) below += histogram[static_cast<size_t>(++level)];
  return std::max(floor, level / 255.0);
}

EffectCounts& EffectCounts::operator+=(const EffectCounts& other) {
  pixels += other.pixels;
  truth += other.truth;
  made += other.made;
  truth_hit += other.truth_hit;
  made_hit += other.made_hit;
  made_ahead += other.made_ahead;
  return *this;
}

std::optional<double> EffectCounts::Precision() const { return Share(made_hit, made); }
std::optional<double> EffectCounts::Recall() const { return Share(truth_hit, truth); }
std::optional<double> EffectCounts::F1() const {
  if (truth == 0 && made == 0) return std::nullopt;
  const double precision = Precision().value_or(0), recall = Recall().value_or(0);
  return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0;
}

std::optional<double> EffectCounts::Ahead() const { return Share(made_ahead, made); }

EffectCounts PixelEffects::After() const {
  EffectCounts sum;
  for (auto t = static_cast<size_t>(first); t < frames.size(); ++t) sum += frames[t];
  return sum;
}

std::optional<double> PixelEffects::Leak() const {
  const EffectCounts before = Before(*this);
  return Share(before.made, before.pixels);
}

std::optional<double> PixelEffects::FalseRate() const {
  const EffectCounts after = After();
  if (after.truth > 0) return std::nullopt;
  return Share(after.made, after.pixels);
}

PixelEffects ComparePixelEffects(const FrameSpan& truth, const FrameSpan& truth_changed, const FrameSpan& made,
                                 const FrameSpan& made_changed, int64_t first, const EffectOptions& options) {
  RequireSameShape(truth, made, "effects");
  if (first < 0 || first > truth.frames) Fail("effects: a first frame of 0..{} expected, got {}", truth.frames, first);
  if (options.dilate < 0 || options.early < 0)
    Fail("effects: a dilation of at least 0 pixels and at least 0 frames too early expected, got {} and {}", options.dilate, options.early);
  const Masks of_truth = EffectMasks(truth, truth_changed, options.true_eps), of_made = EffectMasks(made, made_changed, options.eps);
  const Masks near_truth = Dilated(of_truth, options.dilate), near_made = Dilated(of_made, options.dilate);
  PixelEffects out;
  out.first = first;
  std::vector<uint8_t> reached(static_cast<size_t>(truth.Pixels()));  // by a true effect, up to `early` frames from now
  int64_t next = 0;
  for (int64_t t = 0; t < truth.frames; ++t) {
    for (; next < std::min(truth.frames, t + options.early + 1); ++next)
      std::ranges::transform(reached, near_truth.At(next), reached.begin(), std::bit_or<uint8_t>());
    const int64_t made_here = Count(of_made.At(t));
    out.frames.push_back({truth.Pixels(), Count(of_truth.At(t)), made_here, CountBoth(of_truth.At(t), near_made.At(t)),
                          CountBoth(of_made.At(t), near_truth.At(t)), made_here - CountBoth(of_made.At(t), reached)});
  }
  return out;
}

PixelEffectSummary SummarizePixelEffects(std::span<const PixelEffects> pairs) {
  std::vector<EffectCounts> with, without, before;
  for (const PixelEffects& pair : pairs) {
    const EffectCounts after = pair.After();
    (after.truth > 0 ? with : without).push_back(after);
    before.push_back(Before(pair));
  }
  PixelEffectSummary out;
  out.precision = Ratio(with, &EffectCounts::made_hit, &EffectCounts::made, "the model shows no effect of the intervention");
  out.recall = Ratio(with, &EffectCounts::truth_hit, &EffectCounts::truth, "the interventions change no pixel of the truth");
  out.f1 = F1Of(with);
  out.ahead = Ratio(with, &EffectCounts::made_ahead, &EffectCounts::made, "the model shows no effect of the intervention");
  out.false_rate = Ratio(without, &EffectCounts::made, &EffectCounts::pixels, "every intervention changes the truth");
  out.leak = Ratio(before, &EffectCounts::made, &EffectCounts::pixels, "no frame lies before the interventions");
  return out;
}

}  // namespace orrery
