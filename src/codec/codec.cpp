#include "codec/codec.h"

#include "core/shape.h"

namespace orrery {

namespace {

constexpr double kLeastStd = 1e-3;
constexpr double kLeastError = 1e-10;  // 100 dB

at::Tensor OverChannels(const at::Tensor& c) { return c.view({1, -1, 1, 1}); }

}  // namespace

Codec::Codec(int64_t latent_channels)
    : latent_mean_(register_buffer("latent_mean", at::zeros({latent_channels}))),
      latent_std_(register_buffer("latent_std", at::ones({latent_channels}))) {}

at::Tensor Codec::Encode(const at::Tensor& frames) {
  CheckShape(frames, {kAny, 3, FrameHeight(), FrameWidth()}, "frames");
  return (EncodeRaw(frames).mean - OverChannels(latent_mean_)) / OverChannels(latent_std_);
}

at::Tensor Codec::Decode(const at::Tensor& latents) {
  const LatentShape shape = Latent();
  CheckShape(latents, {kAny, shape.channels, shape.height, shape.width}, "latents");
  return DecodeRaw(latents * OverChannels(latent_std_) + OverChannels(latent_mean_)).clamp(0, 1);
}

void Codec::SetLatentStatistics(const at::Tensor& mean, const at::Tensor& std) {
  at::NoGradGuard no_grad;
  CheckShape(mean, {latent_mean_.size(0)}, "latent mean");
  CheckShape(std, {latent_std_.size(0)}, "latent std");
  latent_mean_.copy_(mean);
  latent_std_.copy_(std.clamp_min(kLeastStd));
}

at::Tensor BytesToFrames(const at::Tensor& bytes) {
  CheckDtype(bytes, at::kByte, "frames");
  if (bytes.dim() < 3 || bytes.size(-1) != 3) Fail("frames: expected [..., H, W, 3], got {}", ShapeText(bytes.sizes()));
  return bytes.movedim(-1, -3).to(at::kFloat).div_(255);
}

at::Tensor FramesToBytes(const at::Tensor& frames) {
  if (frames.dim() < 3 || frames.size(-3) != 3) Fail("frames: expected [..., 3, H, W], got {}", ShapeText(frames.sizes()));
  return frames.to(at::kFloat).clamp(0, 1).mul(255).add_(0.5).floor_().to(at::kByte).movedim(-3, -1).contiguous();
}

at::Tensor PeakSignalToNoise(const at::Tensor& frames, const at::Tensor& truth) {
  return (frames - truth).square().mean({1, 2, 3}).clamp_min(kLeastError).log10().mul(-10);
}

}  // namespace orrery
