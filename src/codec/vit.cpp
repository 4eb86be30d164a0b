#include "codec/vit.h"

#include <ATen/ATen.h>

#include "core/tensor_rng.h"
#include "nn/fused.h"

namespace orrery {

namespace {

namespace nn = torch::nn;

constexpr int64_t kVitMlp = 4;  // hidden width / width
constexpr double kLeastVitLogVariance = -30, kMostVitLogVariance = 20;

nn::LayerNorm Norm(int64_t dim) { return nn::LayerNorm(nn::LayerNormOptions({dim}).eps(kNormEps)); }

void Check(const VitOptions& o) {
  if (o.patch < 1 || o.latent < 1 || o.encoder < 0 || o.decoder < 0)
    Fail("codec vit: patch and latent must be at least 1, encoder and decoder at least 0, got {}, {}, {} and {}", o.patch, o.latent,
         o.encoder, o.decoder);
  if (o.heads < 1 || o.dim < 8 || o.dim % o.heads || (o.dim / o.heads) % 8)
    Fail("codec vit: dim / heads must be a multiple of 8, got {} / {}", o.dim, o.heads);
  if (o.height < 1 || o.width < 1 || o.height % o.patch || o.width % o.patch)
    Fail("codec vit: patch {} must divide the frame, {}x{}; resize or crop the data, or take another patch", o.patch, o.height, o.width);
}

}  // namespace

VitBlock::VitBlock(int64_t dim, int64_t heads) : heads_(heads) {
  attention_norm_ = register_module("attention_norm", Norm(dim));
  qkv_ = register_module("qkv", nn::Linear(dim, 3 * dim));
  out_ = register_module("out", nn::Linear(dim, dim));
  mlp_norm_ = register_module("mlp_norm", Norm(dim));
  up_ = register_module("up", nn::Linear(dim, kVitMlp * dim));
  down_ = register_module("down", nn::Linear(kVitMlp * dim, dim));
}

at::Tensor VitBlock::Forward(const at::Tensor& x, const RopeTable& rope) {
  const QueryKeyValue h = SplitHeads(qkv_(attention_norm_(x)), heads_, {}, {}, rope, false);
  const at::Tensor mixed = at::scaled_dot_product_attention(h.q, h.k, h.v).transpose(1, 2).reshape(x.sizes());
  const at::Tensor seen = x + out_(mixed);
  return seen + down_(at::gelu(up_(mlp_norm_(seen))));
}

Facts Vit::Describe() {
  return {"vit",
          "transformer over patches as a variational autoencoder",
          "open-oasis (github.com/etched-ai/open-oasis); Dosovitskiy et al., arXiv 2010.11929",
          {{"patch", 8, "pixels a side of a token, which is a latent cell"},
           {"latent", 8, "channels of the latent"},
           {"dim", 128, "width of the transformer"},
           {"heads", 4, "attention heads; dim / heads a multiple of 8"},
           {"encoder", 2, "blocks of the encoder"},
           {"decoder", 4, "blocks of the decoder"},
           {"height", 64, "of the frames, pixels"},
           {"width", 64, "of the frames, pixels"}}};
}

Vit::Vit(const VitOptions& options, uint64_t seed) : Codec(options.latent), options_(options) {
  Check(options);
  const DefaultGeneratorScope seeded(seed);
  const int64_t D = options.dim, pixels = 3 * options.patch * options.patch;
  patch_ = register_module("patch", nn::Linear(pixels, D));
  encoder_ = AddBlocks("encoder", options.encoder);
  encoder_norm_ = register_module("encoder_norm", Norm(D));
  moments_ = register_module("moments", nn::Linear(D, 2 * options.latent));
  latent_ = register_module("latent", nn::Linear(options.latent, D));
  decoder_ = AddBlocks("decoder", options.decoder);
  decoder_norm_ = register_module("decoder_norm", Norm(D));
  pixels_ = register_module("pixels", nn::Linear(D, pixels));
  const LatentShape shape = Latent();
  const int64_t d = D / options.heads;
  rope_ = MakePixelRope(shape.height, shape.width,
                        {.head_dim = d, .frequencies = d / 8, .highest = static_cast<double>(shape.height * shape.width) / 2});
}

Vit::Blocks Vit::AddBlocks(const std::string& name, int64_t count) {
  Blocks blocks;
  for (int64_t i = 0; i < count; ++i)
    blocks.push_back(register_module(name + std::to_string(i), std::make_shared<VitBlock>(options_.dim, options_.heads)));
  return blocks;
}

LatentShape Vit::Latent() const { return {options_.latent, options_.height / options_.patch, options_.width / options_.patch}; }

std::string Vit::Spec() const { return FormatSpec("vit", options_); }

std::vector<std::string> Vit::Edges() const { return {"patch", "moments", "latent", "pixels"}; }

at::Tensor Vit::Run(const Blocks& blocks, at::Tensor x, nn::LayerNorm& norm) {
  const RopeTable rope{rope_.cos.to(x.device()), rope_.sin.to(x.device())};
  for (const auto& block : blocks) x = block->Forward(x, rope);
  return norm(x);
}

at::Tensor Vit::Picture(const at::Tensor& tokens) const {
  const LatentShape shape = Latent();
  return tokens.transpose(1, 2).reshape({tokens.size(0), tokens.size(2), shape.height, shape.width});
}

Codec::Posterior Vit::EncodeRaw(const at::Tensor& frames) {
  const at::Tensor patches = at::pixel_unshuffle(frames * 2 - 1, options_.patch).flatten(2).transpose(1, 2);
  const at::Tensor moments = Picture(moments_(Run(encoder_, patch_(patches), encoder_norm_)).to(at::kFloat));
  const std::vector<at::Tensor> parts = moments.chunk(2, 1);
  return {parts[0], parts[1].clamp(kLeastVitLogVariance, kMostVitLogVariance)};
}

at::Tensor Vit::DecodeRaw(const at::Tensor& latents) {
  const at::Tensor tokens = Run(decoder_, latent_(latents.flatten(2).transpose(1, 2)), decoder_norm_);
  return at::pixel_shuffle(Picture(pixels_(tokens)).to(at::kFloat), options_.patch) * 0.5 + 0.5;
}

}  // namespace orrery
