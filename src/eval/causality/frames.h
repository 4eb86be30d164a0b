// Films and masks as bytes, and the few operations on them that causal measures share.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace orrery {

// [frames, height, width, 3] RGB bytes that somebody else owns.
struct FrameSpan {
  // Throws Error unless `bytes` holds a whole number >= 1 of frames.
  FrameSpan(std::span<const uint8_t> bytes, int64_t height, int64_t width);

  std::span<const uint8_t> bytes;
  int64_t frames = 0, height = 0, width = 0;

  int64_t Pixels() const { return height * width; }
  std::span<const uint8_t> At(int64_t t) const;  // [height, width, 3]
};

// Throws Error, naming `what`, unless both have the same frames, height and width.
void RequireSameShape(const FrameSpan& a, const FrameSpan& b, std::string_view what);

// One byte a pixel, 0 or 1.
struct Masks {
  Masks(int64_t frames, int64_t height, int64_t width);  // all 0

  int64_t frames = 0, height = 0, width = 0;
  std::vector<uint8_t> on;  // [frames, height, width]

  int64_t Pixels() const { return height * width; }
  std::span<uint8_t> At(int64_t t);
  std::span<const uint8_t> At(int64_t t) const;
  bool operator==(const Masks&) const = default;
};

int64_t Count(std::span<const uint8_t> mask);
int64_t CountBoth(std::span<const uint8_t> a, std::span<const uint8_t> b);

// In place, by a square of 2 radius + 1 pixels a side. What lies outside the frame has no say.
void Dilate(std::span<uint8_t> mask, int64_t height, int64_t width, int64_t radius);
void Erode(std::span<uint8_t> mask, int64_t height, int64_t width, int64_t radius);
Masks Dilated(Masks masks, int64_t radius);

// Bilinear between pixel centres, without antialias, rounded half up (cv2.resize's INTER_LINEAR): image [height, width, channels].
std::vector<uint8_t> ResizeBilinear(std::span<const uint8_t> image, int64_t height, int64_t width, int64_t channels, int64_t to_height,
                                    int64_t to_width);
// The same of masks as 0 and 255, on where more than 127.
Masks ResizeMasks(const Masks& masks, int64_t to_height, int64_t to_width);

// Mean squared error in [0, 1] units of two images of the same bytes.
double ByteMse(std::span<const uint8_t> a, std::span<const uint8_t> b);

}  // namespace orrery
