#include "eval/quality/similarity.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "eval/pixels.h"
#include "eval/quality/frames.h"

namespace orrery {

namespace {

constexpr int64_t kRadius = 5, kWindow = 2 * kRadius + 1;
constexpr double kSigma = 1.5, kC1 = 0.01 * 0.01, kC2 = 0.03 * 0.03;
constexpr std::array kScaleWeights = {0.0448, 0.2856, 0.3001, 0.2363, 0.1333};
constexpr int64_t kChunkPixels = 1 << 17;  // compared at a time, so that long films need no more memory than short ones

using Window = std::array<double, kWindow>;

Window GaussianWindow() {
  Window w;
  for (int64_t k = 0; k < kWindow; ++k) w[k] = std::exp(-static_cast<double>((k - kRadius) * (k - kRadius)) / (2 * kSigma * kSigma));
  const double sum = std::accumulate(w.begin(), w.end(), 0.0);
  for (double& v : w) v /= sum;
  return w;
}

// to[j] = sum_k window[k] from[j + k * stride]; every j adds in the same order, so equal pixels give equal bits.
void Filter(const Window& window, const double* from, int64_t stride, int64_t count, double* to) {
  std::fill(to, to + count, 0.0);
  for (int64_t k = 0; k < kWindow; ++k)
    for (int64_t j = 0; j < count; ++j) to[j] += window[k] * from[j + k * stride];
}

// [N, H, W] fp64 -> the same, less 2 * kRadius an axis
at::Tensor Blur(const at::Tensor& x) {
  static const Window window = GaussianWindow();
  const int64_t H = x.size(1), W = x.size(2), w = W - kWindow + 1, h = H - kWindow + 1;
  const at::Tensor in = x.contiguous();
  at::Tensor out = at::empty({x.size(0), h, w}, at::kDouble);
  std::vector<double> rows(static_cast<size_t>(H * w));
  for (int64_t n = 0; n < x.size(0); ++n) {
    const double* from = in.const_data_ptr<double>() + n * H * W;
    double* to = out.mutable_data_ptr<double>() + n * h * w;
    for (int64_t y = 0; y < H; ++y) Filter(window, from + y * W, 1, w, rows.data() + y * w);
    for (int64_t y = 0; y < h; ++y) Filter(window, rows.data() + y * w, w, w, to + y * w);
  }
  return out;
}

// 2x2 means; at an odd edge, of the pixels that are there.
at::Tensor HalfSize(const at::Tensor& x) { return at::avg_pool2d(x, {2, 2}, {2, 2}, 0, /*ceil_mode=*/true, /*count_include_pad=*/false); }

struct Terms {
  at::Tensor ssim, contrast;  // [T, 3] means over windows
};

// a, b [T, 3, H, W] fp64 in [0, 1]
Terms Compare(const at::Tensor& a, const at::Tensor& b, Border border) {
  const int64_t T = a.size(0);
  at::Tensor x = at::cat({a, b, a * a, b * b, a * b}).flatten(0, 1);
  if (border == Border::kReflect) x = at::reflection_pad2d(x, {kRadius, kRadius, kRadius, kRadius});
  x = Blur(x);
  const auto blurred = x.view({5, T, 3, x.size(-2), x.size(-1)}).unbind(0);
  const at::Tensor &ma = blurred[0], &mb = blurred[1];
  const at::Tensor saa = blurred[2] - ma * ma, sbb = blurred[3] - mb * mb, sab = blurred[4] - ma * mb;
  const at::Tensor contrast = (2 * sab + kC2) / (saa + sbb + kC2);
  const at::Tensor ssim = (2 * (ma * mb) + kC1) / (ma * ma + mb * mb + kC1) * contrast;
  return {ssim.mean({-2, -1}), contrast.mean({-2, -1})};
}

// Runs `compare` on [t, 3, H, W] fp64 parts of the films and joins what it gives for every frame.
template <class F>
at::Tensor ByChunks(const at::Tensor& a, const at::Tensor& b, const F& compare) {
  const int64_t step = std::max<int64_t>(1, kChunkPixels / (a.size(1) * a.size(2)));
  const auto planes = [](const at::Tensor& film) { return (film.permute({0, 3, 1, 2}).to(at::kDouble) / 255.0).contiguous(); };
  std::vector<at::Tensor> parts;
  for (int64_t t = 0; t < a.size(0); t += step) {
    const int64_t count = std::min(step, a.size(0) - t);
    parts.push_back(compare(planes(a.narrow(0, t, count)), planes(b.narrow(0, t, count))));
  }
  return at::cat(parts);
}

std::vector<double> Weights(int64_t scales) {
  std::vector<double> weights(kScaleWeights.begin(), kScaleWeights.begin() + scales);
  if (scales == static_cast<int64_t>(kScaleWeights.size())) return weights;
  double sum = 0;
  for (const double w : weights) sum += w;
  for (double& w : weights) w /= sum;
  return weights;
}

}  // namespace

at::Tensor FramePsnr(const at::Tensor& a, const at::Tensor& b) {
  CheckFilms(a, b, "PSNR");
  const at::Tensor mse = ImageMse(a, b);
  at::Tensor psnr = at::empty_like(mse);
  for (int64_t t = 0; t < mse.size(0); ++t) psnr[t] = Psnr(mse[t].item<double>());
  return psnr;
}

FilmPsnr SummarizePsnr(const at::Tensor& a, const at::Tensor& b) {
  return {FramePsnr(a, b).mean().item<double>(), Psnr(ImageMse(a, b).mean().item<double>())};
}

std::string BorderName(Border border) { return border == Border::kReflect ? "reflect" : "valid"; }

at::Tensor FrameSsim(const at::Tensor& a, const at::Tensor& b, const SsimOptions& options) {
  CheckFilms(a, b, "SSIM");
  if (a.size(1) < kWindow || a.size(2) < kWindow)
    Fail("SSIM: frames of at least {} x {} pixels expected, got {} x {}", kWindow, kWindow, a.size(1), a.size(2));
  return ByChunks(a, b, [&](const at::Tensor& x, const at::Tensor& y) { return Compare(x, y, options.border).ssim.mean(1); });
}

int64_t MsSsimScales(int64_t height, int64_t width, const MsSsimOptions& options) {
  const int64_t most = static_cast<int64_t>(kScaleWeights.size()), side = std::min(height, width);
  if (options.scales < 0 || options.scales > most) Fail("MS-SSIM: 1 to {} scales expected (0: by size), got {}", most, options.scales);
  const auto needed = [](int64_t scales) { return (kWindow - 1) << (scales - 1); };
  const int64_t scales = options.scales ? options.scales : side > needed(most) ? most : 3;
  if (side <= needed(scales))
    Fail("{}: frames with both sides above {} pixels expected, got {} x {}: at scale {} they are smaller than the {} pixel window",
         MsSsimName(scales), needed(scales), height, width, scales, kWindow);
  return scales;
}

std::string MsSsimName(int64_t scales) {
  return scales == static_cast<int64_t>(kScaleWeights.size()) ? "MS-SSIM" : fmt::format("MS-SSIM({})", scales);
}

at::Tensor FrameMsSsim(const at::Tensor& a, const at::Tensor& b, const MsSsimOptions& options) {
  CheckFilms(a, b, "MS-SSIM");
  const int64_t scales = MsSsimScales(a.size(1), a.size(2), options);
  const std::vector<double> weights = Weights(scales);
  return ByChunks(a, b, [&](at::Tensor x, at::Tensor y) {
    at::Tensor product;
    for (int64_t j = 0; j < scales; ++j) {
      const bool coarsest = j + 1 == scales;
      const Terms terms = Compare(x, y, coarsest ? options.border : Border::kValid);
      at::Tensor term = coarsest ? terms.ssim : terms.contrast;
      if (options.pool_channels) term = term.mean(1, true);
      term = term.clamp_min(0).pow(weights[static_cast<size_t>(j)]);
      product = j == 0 ? term : product * term;
      if (coarsest) break;
      x = HalfSize(x);
      y = HalfSize(y);
    }
    return product.mean(1);
  });
}

}  // namespace orrery
