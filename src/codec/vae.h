// Convolutional variational autoencoder. Pixels are folded into channels first, so that every convolution runs at a quarter of
// the resolution or less, and unfolded last.
#pragma once
#include "codec/codec.h"
#include "codec/convolution.h"
#include "core/spec.h"

namespace orrery {

struct VaeOptions {
  int64_t down = 8;                 // 8 or 16: pixels a side of one latent cell
  int64_t latent = 8;               // channels of the latent
  int64_t features = 64;            // channels at a quarter of the resolution; twice as many below
  int64_t blocks = 2;               // residual blocks a resolution in the encoder; the decoder has one more
  int64_t height = 64, width = 64;  // of the frames
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(VaeOptions, down, latent, features, blocks, height, width)

class Vae : public Codec {
 public:
  static Facts Describe();
  Vae(const VaeOptions& options, uint64_t seed);  // throws Error when the options do not fit the frame

  LatentShape Latent() const override;
  int64_t FrameHeight() const override { return options_.height; }
  int64_t FrameWidth() const override { return options_.width; }
  std::string Spec() const override;
  std::vector<std::string> Edges() const override;
  Posterior EncodeRaw(const at::Tensor& frames) override;
  at::Tensor DecodeRaw(const at::Tensor& latents) override;

 private:
  using Blocks = std::vector<std::shared_ptr<ResidualBlock>>;
  std::shared_ptr<Convolution> Add(const std::string& name, const Convolution::Shape& shape, Rng& rng);
  Blocks AddBlocks(const std::string& name, int64_t count, int64_t channels, Rng& rng);

  VaeOptions options_;
  std::shared_ptr<Convolution> stem_, moments_, latent_, head_;
  std::vector<std::shared_ptr<Convolution>> downs_, ups_;  // between resolutions, fine to coarse and back
  std::vector<Blocks> encoder_, decoder_;                  // a list a resolution, in order of use
};

}  // namespace orrery
