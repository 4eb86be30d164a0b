#include "eval/causality/frames.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"

namespace orrery {

namespace {

// Joins to every element of `out` those of `in` that lie at most `radius` elements away; a line of `count` elements of `block` bytes.
template <class Join>
void Spread(std::span<const uint8_t> in, std::span<uint8_t> out, int64_t count, int64_t block, int64_t radius, const Join& join) {
  for (int64_t d = -radius; d <= radius; ++d) {
    if (d == 0) continue;
    const int64_t begin = std::max<int64_t>(0, -d) * block, end = std::min(count, count - d) * block;
    for (int64_t i = begin; i < end; ++i) join(out[static_cast<size_t>(i)], in[static_cast<size_t>(i + d * block)]);
  }
}

template <class Join>
void Morph(std::span<uint8_t> mask, int64_t height, int64_t width, int64_t radius, const Join& join) {
  ORRERY_CHECK(static_cast<int64_t>(mask.size()) == height * width && radius >= 0);
  std::vector<uint8_t> copy(mask.begin(), mask.end());
  for (int64_t y = 0; y < height; ++y) {
    const auto row = [&](std::span<uint8_t> of) { return of.subspan(static_cast<size_t>(y * width), static_cast<size_t>(width)); };
    Spread(row(copy), row(mask), width, 1, radius, join);
  }
  std::copy(mask.begin(), mask.end(), copy.begin());
  Spread(copy, mask, height, width, radius, join);
}

// Where along an axis each new pixel lies: between old pixels `low` and `high`, `share` of the way.
struct Tap {
  int64_t low, high;
  double share;
};

std::vector<Tap> Taps(int64_t from, int64_t to) {
  std::vector<Tap> taps;
  for (int64_t i = 0; i < to; ++i) {
    const double at = std::clamp((static_cast<double>(i) + 0.5) * static_cast<double>(from) / static_cast<double>(to) - 0.5, 0.0,
                                 static_cast<double>(from - 1));
    const auto low = static_cast<int64_t>(at);
    taps.push_back({low, std::min(low + 1, from - 1), at - static_cast<double>(low)});
  }
  return taps;
}

}  // namespace

FrameSpan::FrameSpan(std::span<const uint8_t> film, int64_t film_height, int64_t film_width)
    : bytes(film), height(film_height), width(film_width) {
  if (height < 1 || width < 1) Fail("film: height and width of at least 1 expected, got {}x{}", height, width);
  const int64_t size = 3 * Pixels(), given = static_cast<int64_t>(bytes.size());
  if (given < size || given % size != 0)
    Fail("film: whole frames of {}x{}x3 = {} bytes expected, got {} bytes", height, width, size, given);
  frames = given / size;
}

std::span<const uint8_t> FrameSpan::At(int64_t t) const {
  ORRERY_CHECK(t >= 0 && t < frames);
  return bytes.subspan(static_cast<size_t>(3 * Pixels() * t), static_cast<size_t>(3 * Pixels()));
}

void RequireSameShape(const FrameSpan& a, const FrameSpan& b, std::string_view what) {
  if (a.frames != b.frames || a.height != b.height || a.width != b.width)
    Fail("{}: films of one shape expected, got {} frames of {}x{} and {} of {}x{}", what, a.frames, a.height, a.width, b.frames, b.height,
         b.width);
}

Masks::Masks(int64_t count, int64_t mask_height, int64_t mask_width)
    : frames(count), height(mask_height), width(mask_width), on(static_cast<size_t>(count * mask_height * mask_width)) {}

std::span<uint8_t> Masks::At(int64_t t) {
  ORRERY_CHECK(t >= 0 && t < frames);
  return std::span(on).subspan(static_cast<size_t>(Pixels() * t), static_cast<size_t>(Pixels()));
}

std::span<const uint8_t> Masks::At(int64_t t) const {
  ORRERY_CHECK(t >= 0 && t < frames);
  return std::span(on).subspan(static_cast<size_t>(Pixels() * t), static_cast<size_t>(Pixels()));
}

int64_t Count(std::span<const uint8_t> mask) { return std::accumulate(mask.begin(), mask.end(), int64_t{0}); }

int64_t CountBoth(std::span<const uint8_t> a, std::span<const uint8_t> b) {
  ORRERY_CHECK(a.size() == b.size());
  int64_t count = 0;
  for (size_t i = 0; i < a.size(); ++i) count += a[i] & b[i];
  return count;
}

void Dilate(std::span<uint8_t> mask, int64_t height, int64_t width, int64_t radius) {
  Morph(mask, height, width, radius, [](uint8_t& out, uint8_t in) { out |= in; });
}

void Erode(std::span<uint8_t> mask, int64_t height, int64_t width, int64_t radius) {
  Morph(mask, height, width, radius, [](uint8_t& out, uint8_t in) { out &= in; });
}

Masks Dilated(Masks masks, int64_t radius) {
  for (int64_t t = 0; t < masks.frames; ++t) Dilate(masks.At(t), masks.height, masks.width, radius);
  return masks;
}

std::vector<uint8_t> ResizeBilinear(std::span<const uint8_t> image, int64_t height, int64_t width, int64_t channels, int64_t to_height,
                                    int64_t to_width) {
  ORRERY_CHECK(static_cast<int64_t>(image.size()) == height * width * channels && to_height > 0 && to_width > 0);
  if (to_height == height && to_width == width) return {image.begin(), image.end()};
  const std::vector<Tap> rows = Taps(height, to_height), columns = Taps(width, to_width);
  std::vector<uint8_t> out;
  out.reserve(static_cast<size_t>(to_height * to_width * channels));
  for (const Tap& y : rows)
    for (const Tap& x : columns)
      for (int64_t c = 0; c < channels; ++c) {
        const auto pixel = [&](int64_t row, int64_t column) {
          return static_cast<double>(image[static_cast<size_t>((row * width + column) * channels + c)]);
        };
        const double upper = pixel(y.low, x.low) * (1 - x.share) + pixel(y.low, x.high) * x.share;
        const double lower = pixel(y.high, x.low) * (1 - x.share) + pixel(y.high, x.high) * x.share;
        out.push_back(static_cast<uint8_t>(std::floor(upper * (1 - y.share) + lower * y.share + 0.5)));
      }
  return out;
}

Masks ResizeMasks(const Masks& masks, int64_t to_height, int64_t to_width) {
  if (to_height == masks.height && to_width == masks.width) return masks;
  Masks out(masks.frames, to_height, to_width);
  std::vector<uint8_t> grey(static_cast<size_t>(masks.Pixels()));
  for (int64_t t = 0; t < masks.frames; ++t) {
    std::ranges::transform(masks.At(t), grey.begin(), [](uint8_t on) { return static_cast<uint8_t>(255 * on); });
    const std::vector<uint8_t> small = ResizeBilinear(grey, masks.height, masks.width, 1, to_height, to_width);
    std::ranges::transform(small, out.At(t).begin(), [](uint8_t value) { return static_cast<uint8_t>(value > 127); });
  }
  return out;
}

double ByteMse(std::span<const uint8_t> a, std::span<const uint8_t> b) {
  ORRERY_CHECK(a.size() == b.size() && !a.empty());
  int64_t sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const int difference = static_cast<int>(a[i]) - static_cast<int>(b[i]);
    sum += difference * difference;
  }
  return static_cast<double>(sum) / (255.0 * 255.0) / static_cast<double>(a.size());
}

}  // namespace orrery
