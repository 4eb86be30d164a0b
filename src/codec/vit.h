// Vision transformer as a variational autoencoder, as the codec of open-oasis (github.com/etched-ai/open-oasis). Tokens are patches,
// row-major; attention is over all tokens of a frame, with rotary positions over rows and columns.
// B batch, N = h w tokens, D width, H heads, d = D / H, P patch, C latent channels.
#pragma once
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include "codec/codec.h"
#include "core/spec.h"
#include "nn/rope.h"

namespace orrery {

struct VitOptions {
  int64_t patch = 8;                // pixels a side of a token, which is a latent cell
  int64_t latent = 8;               // channels of the latent
  int64_t dim = 128, heads = 4;     // of the transformer; dim / heads a multiple of 8
  int64_t encoder = 2;              // blocks
  int64_t decoder = 4;              // blocks
  int64_t height = 64, width = 64;  // of the frames
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(VitOptions, patch, latent, dim, heads, encoder, decoder, height, width)

// x + attention(norm(x)), then x + MLP(norm(x)): layer norms with affine, bias in qkv, four times the width, exact GELU.
class VitBlock : public torch::nn::Module {
 public:
  VitBlock(int64_t dim, int64_t heads);
  at::Tensor Forward(const at::Tensor& x_BND, const RopeTable& rope);

 private:
  int64_t heads_;
  torch::nn::LayerNorm attention_norm_{nullptr}, mlp_norm_{nullptr};
  torch::nn::Linear qkv_{nullptr}, out_{nullptr}, up_{nullptr}, down_{nullptr};
};

class Vit : public Codec {
 public:
  static Facts Describe();
  Vit(const VitOptions& options, uint64_t seed);  // throws Error when the options do not fit the frame

  LatentShape Latent() const override;
  int64_t FrameHeight() const override { return options_.height; }
  int64_t FrameWidth() const override { return options_.width; }
  std::string Spec() const override;
  std::vector<std::string> Edges() const override;
  Posterior EncodeRaw(const at::Tensor& frames) override;
  at::Tensor DecodeRaw(const at::Tensor& latents) override;

 private:
  using Blocks = std::vector<std::shared_ptr<VitBlock>>;
  Blocks AddBlocks(const std::string& name, int64_t count);
  at::Tensor Run(const Blocks& blocks, at::Tensor x_BND, torch::nn::LayerNorm& norm);
  at::Tensor Picture(const at::Tensor& tokens_BNE) const;  // [B, E, h, w]

  VitOptions options_;
  torch::nn::Linear patch_{nullptr}, moments_{nullptr}, latent_{nullptr}, pixels_{nullptr};
  torch::nn::LayerNorm encoder_norm_{nullptr}, decoder_norm_{nullptr};
  Blocks encoder_, decoder_;
  RopeTable rope_;  // [N, d / 2]; follows from the options, so that it is not stored
};

}  // namespace orrery
