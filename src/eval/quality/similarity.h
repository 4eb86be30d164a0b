// How alike two films are, frame by frame: PSNR, SSIM, MS-SSIM. Films are [T, H, W, 3] uint8 of the same shape, the data range is
// always the 255 levels. Results are [T] fp64, higher is better.
#pragma once
#include <ATen/core/Tensor.h>

#include <string>

namespace orrery {

// dB a frame, at most 100 (identical frames).
at::Tensor FramePsnr(const at::Tensor& a, const at::Tensor& b);

// Two ways to one number for a film; the mean of dB is never below the dB of the mean error.
struct FilmPsnr {
  double mean_of_frames = 0;  // the usual one: mean over frames of FramePsnr
  double of_mean_mse = 0;     // PSNR of the error averaged over frames
};
FilmPsnr SummarizePsnr(const at::Tensor& a, const at::Tensor& b);

// What windows at the border see. At 64x64 a third of all windows touch it, so reports name the mode.
enum class Border {
  kReflect,  // the picture mirrored at its edge pixels, as torchmetrics
  kValid,    // only windows inside the picture, as pytorch-msssim and scikit-image
};
std::string BorderName(Border border);  // "reflect", "valid"

struct SsimOptions {
  Border border = Border::kReflect;
};
// Structural similarity (Wang et al., IEEE TIP 2004) in [-1, 1]: Gaussian window 11x11, sigma 1.5, C1 = 0.01^2, C2 = 0.03^2,
// population covariance, mean over windows and channels. Exactly 1 on copies. Error below 11 x 11 pixels.
at::Tensor FrameSsim(const at::Tensor& a, const at::Tensor& b, const SsimOptions& options = {});

struct MsSsimOptions {
  int64_t scales = 0;              // 1..5; 0: 5 where the smaller side exceeds 160 pixels, else 3
  Border border = Border::kValid;  // of the SSIM at the coarsest scale; contrast terms always use valid windows
  // The product over scales is taken of means over all channels, as torchmetrics does; else for each channel, and then averaged, as
  // pytorch-msssim does.
  bool pool_channels = false;
};
// Multi-scale SSIM (Wang, Simoncelli & Bovik, Asilomar 2003) in [0, 1]. Scales are halved by 2x2 means, at an odd edge by means of the
// pixels that are there; negative terms count as 0; of fewer than 5 scales the first weights are renormalised to sum 1. Error when the
// smaller side is not above 10 * 2^(scales - 1) pixels: the coarsest scale would be smaller than the window.
at::Tensor FrameMsSsim(const at::Tensor& a, const at::Tensor& b, const MsSsimOptions& options = {});
// The scales that `options` mean for frames of this size.
int64_t MsSsimScales(int64_t height, int64_t width, const MsSsimOptions& options = {});
std::string MsSsimName(int64_t scales);  // "MS-SSIM" for 5 scales, else "MS-SSIM(3)": numbers of other scales are no MS-SSIM

}  // namespace orrery
