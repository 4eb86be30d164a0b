// Pixels as latents: each patch of the frame becomes one latent cell. Nothing is learned and nothing is lost.
#pragma once
#include "codec/codec.h"
#include "core/spec.h"

namespace orrery {

struct IdentityOptions {
  int64_t patch = 8;                // pixels a side; the latent has 3 patch^2 channels
  int64_t height = 64, width = 64;  // of the frames
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(IdentityOptions, patch, height, width)

class IdentityCodec : public Codec {
 public:
  static Facts Describe();
  explicit IdentityCodec(const IdentityOptions& options);  // throws Error unless patch divides the frame

  LatentShape Latent() const override;
  int64_t FrameHeight() const override { return options_.height; }
  int64_t FrameWidth() const override { return options_.width; }
  std::string Spec() const override;
  Posterior EncodeRaw(const at::Tensor& frames) override;
  at::Tensor DecodeRaw(const at::Tensor& latents) override;

 private:
  IdentityOptions options_;
};

}  // namespace orrery
