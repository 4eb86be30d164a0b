// Frames <-> latents. B batch, C latent channels, h = H / down, w = W / down.
#pragma once
#include <torch/nn/module.h>

#include "core/config.h"

namespace orrery {

struct LatentShape {
  int64_t channels = 8, height = 8, width = 8;
  bool operator==(const LatentShape&) const = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(LatentShape, channels, height, width)

// Weights are const while running. Encode is deterministic (the posterior's mean).
class Codec : public torch::nn::Module {
 public:
  // Buffers latent_mean and latent_std [C], 0 and 1 at first, are kept with the weights.
  explicit Codec(int64_t latent_channels);

  virtual LatentShape Latent() const = 0;
  virtual int64_t FrameHeight() const = 0;
  virtual int64_t FrameWidth() const = 0;
  virtual std::string Spec() const = 0;  // canonical spec string, enough to build the codec again
  // How the names of first and last layers begin.
  virtual std::vector<std::string> Edges() const { return {}; }

  // frames [B, 3, H, W] in [0, 1] -> [B, C, h, w] fp32, normalised to zero mean and unit variance a channel over the training
  // set. Throws Error on another frame size.
  at::Tensor Encode(const at::Tensor& frames);
  // The inverse; clamped to [0, 1].
  at::Tensor Decode(const at::Tensor& latents);

  // Training form: raw latents, before normalisation.
  struct Posterior {
    at::Tensor mean, log_variance;  // [B, C, h, w] fp32; log_variance is undefined when the codec is deterministic
  };
  virtual Posterior EncodeRaw(const at::Tensor& frames) = 0;
  virtual at::Tensor DecodeRaw(const at::Tensor& latents) = 0;  // fp32, not clamped

  const at::Tensor& LatentMean() const { return latent_mean_; }
  const at::Tensor& LatentStd() const { return latent_std_; }
  void SetLatentStatistics(const at::Tensor& mean, const at::Tensor& std);  // [C] each; a constant channel gets a small std

 private:
  at::Tensor latent_mean_, latent_std_;
};

// uint8 [..., H, W, 3] <-> float [..., 3, H, W] in [0, 1]; to bytes rounds half away from zero after clamping.
at::Tensor BytesToFrames(const at::Tensor& bytes);
at::Tensor FramesToBytes(const at::Tensor& frames);

// 10 log10(1 / mean squared error) of every picture: [B, 3, H, W] in [0, 1] -> [B], dB.
at::Tensor PeakSignalToNoise(const at::Tensor& frames, const at::Tensor& truth);

}  // namespace orrery
