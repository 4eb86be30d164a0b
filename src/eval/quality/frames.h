// What is done to frames before a metric sees them: quantisation, grey, size, rate. One way for all metrics.
#pragma once
#include <ATen/core/Tensor.h>

#include <string_view>

namespace orrery {

// Error that names `name` unless the film is [T, H, W, 3] uint8 with T, H, W >= 1; of two films, unless they are also alike in shape.
void CheckFilm(const at::Tensor& film, std::string_view name);
void CheckFilms(const at::Tensor& generated, const at::Tensor& real, std::string_view name);

// Bytes as stored frames have them: values in [0, 1], of any shape and floating type -> uint8. Values outside are clamped; halves
// are rounded away from zero. Error on values that are not numbers.
at::Tensor Quantize(const at::Tensor& values);

// 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), not rounded: [..., H, W, 3] of range 0..R -> [..., H, W] fp64 of the same range.
at::Tensor Grey(const at::Tensor& images);

struct ResizeOptions {
  // When an axis shrinks, each new pixel is a triangle-weighted mean over all it covers. Off: two neighbours an axis, whatever the
  // factor, as the extractors of StyleGAN-V and cd-fvd do.
  bool antialias = true;
};
// Bilinear, pixel centres at half-integers (align_corners=false): [..., H, W, C] -> [..., height, width, C]. Bytes give fp64 of
// range 0..255, not rounded; floating images keep range and type.
at::Tensor Resize(const at::Tensor& images, int64_t height, int64_t width, const ResizeOptions& options = {});

// `count` frames that share the film's first and last frame: frame j is the blend of the two neighbours of position
// j (T - 1) / (count - 1) (Physics-IQ, arXiv 2501.09038). [T, ...] -> [count, ...] fp64, range kept; count 1 gives the first frame.
at::Tensor ResampleFrames(const at::Tensor& film, int64_t count);
// Frames at rate `to` of a film of `frames` frames at rate `from` (frames a second) with the same first and last instant.
int64_t FramesAtRate(int64_t frames, double from, double to);

}  // namespace orrery
