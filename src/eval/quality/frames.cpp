#include "eval/quality/frames.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/error.h"
#include "core/shape.h"

namespace orrery {

void CheckFilm(const at::Tensor& film, std::string_view name) {
  CheckShape(film, {kAny, kAny, kAny, 3}, name);
  CheckDtype(film, at::kByte, name);
  if (film.numel() == 0) Fail("{}: a film with at least one frame expected, got {}", name, ShapeText(film.sizes()));
}

void CheckFilms(const at::Tensor& generated, const at::Tensor& real, std::string_view name) {
  CheckFilm(generated, name);
  CheckFilm(real, name);
  if (generated.sizes() != real.sizes())
    Fail("{}: two films of the same shape expected, got {} and {}", name, ShapeText(generated.sizes()), ShapeText(real.sizes()));
}

at::Tensor Quantize(const at::Tensor& values) {
  if (!values.is_floating_point())
    Fail("quantisation: floating values in [0, 1] expected, got type {}", at::toString(values.scalar_type()));
  if (!values.isfinite().all().item<bool>()) Fail("quantisation: the frames hold values that are not finite numbers");
  const at::Tensor grey_levels = values.to(at::kDouble).clamp(0, 1) * 255.0, below = grey_levels.floor();
  return (below + (grey_levels - below >= 0.5).to(at::kDouble)).to(at::kByte);
}

at::Tensor Grey(const at::Tensor& images) {
  if (images.dim() < 3 || images.size(-1) != 3) Fail("grey: images [..., H, W, 3] expected, got {}", ShapeText(images.sizes()));
  const at::Tensor x = images.to(at::kDouble);
  return 0.299 * x.select(-1, 0) + 0.587 * x.select(-1, 1) + 0.114 * x.select(-1, 2);
}

at::Tensor Resize(const at::Tensor& images, int64_t height, int64_t width, const ResizeOptions& options) {
  if (images.dim() < 3 || images.numel() == 0) Fail("resize: images [..., H, W, C] expected, got {}", ShapeText(images.sizes()));
  if (height < 1 || width < 1) Fail("resize: a size of at least 1 x 1 expected, got {} x {}", height, width);
  std::vector<int64_t> sizes = images.sizes().vec();
  const size_t axes = sizes.size();
  const at::Tensor x =
      (images.is_floating_point() ? images : images.to(at::kDouble)).reshape({-1, sizes[axes - 3], sizes[axes - 2], sizes[axes - 1]});
  const at::Tensor planes = x.permute({0, 3, 1, 2}).contiguous();
  const bool shrinks = height < sizes[axes - 3] || width < sizes[axes - 2];
  const at::Tensor resized = options.antialias && shrinks ? at::_upsample_bilinear2d_aa(planes, {height, width}, false)
                                                          : at::upsample_bilinear2d(planes, {height, width}, false);
  sizes[axes - 3] = height;
  sizes[axes - 2] = width;
  return resized.permute({0, 2, 3, 1}).contiguous().view(sizes);
}

at::Tensor ResampleFrames(const at::Tensor& film, int64_t count) {
  if (film.dim() < 1 || film.size(0) < 1 || count < 1)
    Fail("frame rate: a film of at least one frame and a count >= 1 expected, got {} and {}", ShapeText(film.sizes()), count);
  const int64_t last = film.size(0) - 1;
  std::vector<int64_t> floors, next;
  std::vector<double> fractions;
  for (int64_t j = 0; j < count; ++j) {
    const int64_t steps = std::max<int64_t>(count - 1, 1);
    floors.push_back(j * last / steps);
    next.push_back(std::min(floors.back() + 1, last));
    fractions.push_back(static_cast<double>(j * last % steps) / static_cast<double>(steps));
  }
  std::vector<int64_t> column(static_cast<size_t>(film.dim()), 1);
  column[0] = count;
  const at::Tensor fraction = at::tensor(fractions, at::kDouble).view(column);
  const at::Tensor a = film.index_select(0, at::tensor(floors, at::kLong)).to(at::kDouble);
  const at::Tensor b = film.index_select(0, at::tensor(next, at::kLong)).to(at::kDouble);
  return (1 - fraction) * a + fraction * b;
}

int64_t FramesAtRate(int64_t frames, double from, double to) {
  if (frames < 1 || !(from > 0 && to > 0) || !std::isfinite(from) || !std::isfinite(to))
    Fail("frame rate: at least one frame and positive rates expected, got {} frames, {} to {} a second", frames, from, to);
  return 1 + std::llround(static_cast<double>(frames - 1) * to / from);
}

}  // namespace orrery
