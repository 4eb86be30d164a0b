#include "eval/causality/physics_iq.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "core/error.h"

namespace orrery {

namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

// 0.299, 0.587, 0.114 in 15 bits.
void Grey(std::span<const uint8_t> rgb, std::span<uint8_t> grey) {
  for (size_t i = 0; i < grey.size(); ++i)
    grey[i] = static_cast<uint8_t>((9798 * rgb[3 * i] + 19235 * rgb[3 * i + 1] + 3735 * rgb[3 * i + 2] + (1 << 14)) >> 15);
}

// Binomial, in place; rounded half up once, after both passes.
class Blur {
 public:
  Blur(int64_t height, int64_t width, int64_t kernel)
      : height_(height),
        width_(width),
        radius_(kernel / 2),
        weights_(kernel == 5 ? std::vector<int>{1, 4, 6, 4, 1} : std::vector<int>{1, 2, 1}),
        rows_(static_cast<size_t>(height * width)) {}

  void Apply(std::span<uint8_t> image) {
    for (int64_t y = 0; y < height_; ++y)
      for (int64_t x = 0; x < width_; ++x) {
        int sum = 0;
        for (int64_t d = -radius_; d <= radius_; ++d) sum += Weight(d) * image[At(y, Mirror(x + d, width_))];
        rows_[At(y, x)] = sum;
      }
    const int total = radius_ == 2 ? 256 : 16;
    for (int64_t y = 0; y < height_; ++y)
      for (int64_t x = 0; x < width_; ++x) {
        int sum = total / 2;
        for (int64_t d = -radius_; d <= radius_; ++d) sum += Weight(d) * rows_[At(Mirror(y + d, height_), x)];
        image[At(y, x)] = static_cast<uint8_t>(sum / total);
      }
  }

 private:
  int Weight(int64_t d) const { return weights_[static_cast<size_t>(d + radius_)]; }
  size_t At(int64_t y, int64_t x) const { return static_cast<size_t>(y * width_ + x); }
  static int64_t Mirror(int64_t i, int64_t size) { return i < 0 ? -i : i >= size ? 2 * size - 2 - i : i; }

  int64_t height_, width_, radius_;
  std::vector<int> weights_, rows_;
};

int64_t KernelOf(const FrameSpan& film, const MotionMaskOptions& options) {
  const int64_t shorter = std::min(film.height, film.width);
  const int64_t kernel = options.kernel ? options.kernel : shorter < 128 ? 3 : 5;
  if (kernel != 3 && kernel != 5) Fail("motion masks: a kernel of 3 or 5 pixels expected, or 0 to choose, got {}", kernel);
  if (shorter < kernel) Fail("motion masks: frames of at least {0}x{0} expected, got {1}x{2}", kernel, film.height, film.width);
  if (options.threshold < 0 || options.threshold > 254) Fail("motion masks: a threshold of 0..254 expected, got {}", options.threshold);
  if (!(options.rate > 0 && options.rate < 1)) Fail("motion masks: a rate between 0 and 1 expected, got {}", options.rate);
  return kernel;
}

double Iou(int64_t both, int64_t either) { return either ? static_cast<double>(both) / static_cast<double>(either) : 1; }

MotionScores MeanScores(std::span<const MotionScores> all) {
  MotionScores mean;
  for (const MotionScores& one : all) {
    mean.spatial += one.spatial;
    mean.spatiotemporal += one.spatiotemporal;
    mean.weighted += one.weighted;
    mean.mse += one.mse;
  }
  const auto n = static_cast<double>(all.size());
  return {mean.spatial / n, mean.spatiotemporal / n, mean.weighted / n, mean.mse / n};
}

// Percent, not clipped; NaN where the takes have nothing in common.
double RawScore(const MotionScores& model, const MotionScores& variance) {
  if (!(variance.spatial > 0 && variance.spatiotemporal > 0 && variance.weighted > 0)) return kUndefined;
  const double ratios =
      model.spatiotemporal / variance.spatiotemporal + model.spatial / variance.spatial + model.weighted / variance.weighted;
  return 100 * (ratios / 3 - (model.mse - variance.mse));
}

double Clip(double score) { return std::clamp(score, 0.0, 100.0); }

std::string DoubtOf(const MotionScores& variance) {
  for (const auto& [name, value] : {std::pair{"spatial", variance.spatial}, std::pair{"spatiotemporal", variance.spatiotemporal},
                                    std::pair{"weighted spatial", variance.weighted}})
    if (value < 0.3 || value > 0.95)
      return fmt::format("the {} IoU of the two takes is {:.3f}, outside 0.3 .. 0.95: they are {}", name, value,
                         value < 0.3 ? "hardly the same scene" : "almost one film");
  return "";
}

}  // namespace

Masks MotionMasks(const FrameSpan& film, const MotionMaskOptions& options) {
  const int64_t kernel = KernelOf(film, options), radius = kernel / 2;
  Masks masks(film.frames, film.height, film.width);
  Blur blur(film.height, film.width, kernel);
  std::vector<uint8_t> grey(static_cast<size_t>(film.Pixels()));
  std::vector<double> background;
  for (int64_t t = 0; t < film.frames; ++t) {
    Grey(film.At(t), grey);
    blur.Apply(grey);
    if (t == 0) {
      background.assign(grey.begin(), grey.end());
      continue;
    }
    const std::span<uint8_t> mask = masks.At(t);
    for (size_t i = 0; i < grey.size(); ++i) {
      background[i] = (1 - options.rate) * background[i] + options.rate * grey[i];
      const int rounded = static_cast<int>(std::nearbyint(static_cast<float>(background[i])));
      mask[i] = std::abs(grey[i] - rounded) > options.threshold;
    }
    Erode(mask, film.height, film.width, radius);
    Dilate(mask, film.height, film.width, radius);
    Dilate(mask, film.height, film.width, radius);
    Erode(mask, film.height, film.width, radius);
  }
  return masks;
}

MotionClip MakeMotionClip(const FrameSpan& film, const PhysicsIqOptions& options, int64_t height, int64_t width) {
  if (options.reduce < 1) Fail("physics-iq: a reduction of at least 1 expected, got {}", options.reduce);
  if (height == 0) height = film.height / options.reduce;
  if (width == 0) width = film.width / options.reduce;
  if (height < 1 || width < 1) Fail("physics-iq: {}x{} frames cannot be reduced {} times", film.height, film.width, options.reduce);
  MotionClip clip{height, width, {}, ResizeMasks(MotionMasks(film, options.mask), height, width)};
  for (int64_t t = 0; t < film.frames; ++t) {
    const std::vector<uint8_t> frame = ResizeBilinear(film.At(t), film.height, film.width, 3, height, width);
    clip.bytes.insert(clip.bytes.end(), frame.begin(), frame.end());
  }
  return clip;
}

MotionScores CompareMotion(const MotionClip& real, const MotionClip& other) {
  const FrameSpan a(real.bytes, real.height, real.width), b(other.bytes, other.height, other.width);
  RequireSameShape(a, b, "physics-iq");
  for (const MotionClip* clip : {&real, &other})
    if (clip->masks.frames != a.frames || clip->masks.height != a.height || clip->masks.width != a.width)
      Fail("physics-iq: masks of {} frames of {}x{} expected, got {} of {}x{}", a.frames, a.height, a.width, clip->masks.frames,
           clip->masks.height, clip->masks.width);
  std::vector<int64_t> time_a(static_cast<size_t>(a.Pixels())), time_b(time_a.size());  // frames in which a pixel moves
  MotionScores scores;
  for (int64_t t = 0; t < a.frames; ++t) {
    const auto mask_a = real.masks.At(t), mask_b = other.masks.At(t);
    const int64_t both = CountBoth(mask_a, mask_b);
    scores.spatiotemporal += Iou(both, Count(mask_a) + Count(mask_b) - both);
    scores.mse += ByteMse(a.At(t), b.At(t));
    for (size_t i = 0; i < time_a.size(); ++i) {
      time_a[i] += mask_a[i];
      time_b[i] += mask_b[i];
    }
  }
  int64_t both = 0, either = 0, least = 0, most = 0;
  for (size_t i = 0; i < time_a.size(); ++i) {
    both += time_a[i] && time_b[i];
    either += time_a[i] || time_b[i];
    least += std::min(time_a[i], time_b[i]);
    most += std::max(time_a[i], time_b[i]);
  }
  scores.spatial = Iou(both, either);
  scores.weighted = Iou(least, most);
  scores.spatiotemporal /= static_cast<double>(a.frames);
  scores.mse /= static_cast<double>(a.frames);
  return scores;
}

PhysicsIq ScorePhysicsIq(std::span<const PhysicsIqCase> cases) {
  if (cases.empty()) Fail("physics-iq: at least one scenario expected, got none");
  std::map<std::string, std::pair<std::vector<MotionScores>, std::vector<MotionScores>>> views;
  for (const PhysicsIqCase& one : cases) {
    views[one.scenario].first.push_back(one.model);
    views[one.scenario].second.push_back(one.variance);
  }
  std::vector<MotionScores> model, variance;
  std::vector<std::optional<double>> single;
  for (const auto& [name, both] : views) {
    model.push_back(MeanScores(both.first));
    variance.push_back(MeanScores(both.second));
    const double own = RawScore(model.back(), variance.back());
    single.push_back(std::isnan(own) ? std::nullopt : std::optional(Clip(own)));
  }
  const Statistic raw = [&](std::span<const int64_t> rows) {
    std::vector<MotionScores> m, v;
    for (const int64_t row : rows) {
      m.push_back(model[static_cast<size_t>(row)]);
      v.push_back(variance[static_cast<size_t>(row)]);
    }
    return RawScore(MeanScores(m), MeanScores(v));
  };
  const std::string cause = "the two takes have no moving pixel in common";
  const Estimate unclipped = EstimateOf(static_cast<int64_t>(model.size()), raw, cause);
  PhysicsIq out;
  out.model = MeanScores(model);
  out.variance = MeanScores(variance);
  out.raw = unclipped.value;
  out.score = Mapped(unclipped, Clip);
  out.per_scenario = MeanEstimate(single, cause);
  out.doubt = DoubtOf(out.variance);
  return out;
}

}  // namespace orrery
