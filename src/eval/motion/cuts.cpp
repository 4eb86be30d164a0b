#include "eval/motion/cuts.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/error.h"
#include "eval/quality/frames.h"

namespace orrery {

at::Tensor Hsv(const at::Tensor& images) {
  if (images.dim() < 1 || images.size(-1) != 3 || images.scalar_type() != at::kByte) Fail("HSV: RGB bytes [..., 3] expected");
  const at::Tensor in = images.contiguous();
  at::Tensor out = at::empty_like(in);
  const uint8_t* rgb = in.const_data_ptr<uint8_t>();
  uint8_t* hsv = out.mutable_data_ptr<uint8_t>();
  for (int64_t p = 0; p < in.numel(); p += 3) {
    const int r = rgb[p], g = rgb[p + 1], b = rgb[p + 2], most = std::max({r, g, b}), range = most - std::min({r, g, b});
    const float scale = range ? 30.0f / static_cast<float>(range) : 0;
    const int from = most == r ? 0 : most == g ? 60 : 120, across = most == r ? g - b : most == g ? b - r : r - g;
    const int hue = static_cast<int>(std::floor(static_cast<float>(across) * scale + 0.5f)) + (range ? from : 0);
    hsv[p] = static_cast<uint8_t>(hue < 0 ? hue + 180 : hue);
    hsv[p + 1] = most ? static_cast<uint8_t>((255 * 2 * range + most) / (2 * most)) : 0;
    hsv[p + 2] = static_cast<uint8_t>(most);
  }
  return out;
}

at::Tensor ContentChange(const at::Tensor& film) {
  CheckFilm(film, "cuts");
  if (film.size(0) < 2) Fail("cuts: a film of at least 2 frames expected, got {}", film.size(0));
  const at::Tensor hsv = Hsv(film);
  const int64_t frame = hsv[0].numel();
  const uint8_t* at = hsv.const_data_ptr<uint8_t>();
  std::vector<double> change;
  for (int64_t t = 1; t < film.size(0); ++t) {
    int64_t sum = 0;
    for (int64_t i = t * frame; i < (t + 1) * frame; ++i) sum += std::abs(static_cast<int>(at[i]) - static_cast<int>(at[i - frame]));
    change.push_back(static_cast<double>(sum) / static_cast<double>(frame));
  }
  return at::tensor(change, at::kDouble);
}

int64_t CountCuts(const at::Tensor& film) { return (ContentChange(film) >= kCutThreshold).sum().item<int64_t>(); }

}  // namespace orrery
