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
  virtual LatentShape Latent() const = 0;
  virtual int64_t FrameHeight() const = 0;
  virtual int64_t FrameWidth() const = 0;
  virtual std::string Spec() const = 0;  // canonical spec string, enough to build the codec again

  // frames [B, 3, H, W] in [0, 1] -> [B, C, h, w], normalised to zero mean and unit variance a channel over the training set.
  virtual at::Tensor Encode(const at::Tensor& frames) = 0;
  // The inverse; clamped to [0, 1].
  virtual at::Tensor Decode(const at::Tensor& latents) = 0;
};

// uint8 [..., H, W, 3] <-> float [..., 3, H, W] in [0, 1]; to bytes rounds half away from zero after clamping.
at::Tensor BytesToFrames(const at::Tensor& bytes);
at::Tensor FramesToBytes(const at::Tensor& frames);

}  // namespace orrery
