#include "eval/motion/cuts.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "eval/quality/frames.h"

namespace orrery {

at::Tensor Hsv(const at::Tensor& images) {
  if (images.dim() < 1 || images.size(-1) != 3 || images.scalar_type() != at::kByte) Fail("HSV: RGB bytes [..., 3] expected");
  const at::Tensor x = images.to(at::kDouble), r = x.select(-1, 0), g = x.select(-1, 1), b = x.select(-1, 2);
  const at::Tensor most = at::amax(x, -1), range = most - at::amin(x, -1), safe = range.clamp_min(1);
  const at::Tensor sixth = at::where(most == r, (g - b) / safe, at::where(most == g, 2 + (b - r) / safe, 4 + (r - g) / safe));
  const at::Tensor hue = (30 * sixth + 0.5).floor(), round = at::where(hue < 0, hue + 180, hue);
  const at::Tensor saturation = (255 * range / most.clamp_min(1) + 0.5).floor();
  return at::stack({round, saturation, most}, -1).to(at::kByte);
}

at::Tensor ContentChange(const at::Tensor& film) {
  CheckFilm(film, "cuts");
  if (film.size(0) < 2) Fail("cuts: a film of at least 2 frames expected, got {}", film.size(0));
  std::vector<double> change;
  at::Tensor last = Hsv(film[0]).to(at::kFloat);
  for (int64_t t = 1; t < film.size(0); ++t) {  // frame by frame: whole films do not fit into caches
    const at::Tensor next = Hsv(film[t]).to(at::kFloat);
    change.push_back((next - last).abs().mean(at::kDouble).item<double>());
    last = next;
  }
  return at::tensor(change, at::kDouble);
}

int64_t CountCuts(const at::Tensor& film) { return (ContentChange(film) >= kCutThreshold).sum().item<int64_t>(); }

}  // namespace orrery
