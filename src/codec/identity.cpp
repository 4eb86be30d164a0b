#include "codec/identity.h"

namespace orrery {

Facts IdentityCodec::Describe() {
  return {"identity",
          "pixel patches, lossless; no weights",
          "own",
          {{"patch", 8, "pixels a side of a patch; the latent has 3 patch^2 channels"},
           {"height", 64, "of the frames, pixels"},
           {"width", 64, "of the frames, pixels"}}};
}

IdentityCodec::IdentityCodec(const IdentityOptions& options) : Codec(3 * options.patch * options.patch), options_(options) {
  if (options.patch < 1 || options.height < 1 || options.width < 1 || options.height % options.patch || options.width % options.patch)
    Fail("codec identity: patch {} must divide the frame, {}x{}", options.patch, options.height, options.width);
}

LatentShape IdentityCodec::Latent() const {
  return {3 * options_.patch * options_.patch, options_.height / options_.patch, options_.width / options_.patch};
}

std::string IdentityCodec::Spec() const { return FormatSpec("identity", options_); }

Codec::Posterior IdentityCodec::EncodeRaw(const at::Tensor& frames) {
  return {at::pixel_unshuffle(frames.to(at::kFloat), options_.patch), {}};
}

at::Tensor IdentityCodec::DecodeRaw(const at::Tensor& latents) { return at::pixel_shuffle(latents.to(at::kFloat), options_.patch); }

}  // namespace orrery
