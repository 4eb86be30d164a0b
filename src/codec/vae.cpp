#include "codec/vae.h"

namespace orrery {

namespace {

constexpr int64_t kFold = 4;  // pixels a side folded into channels before the first convolution
constexpr double kLeastLogVariance = -30, kMostLogVariance = 20;

at::Tensor Fold(const at::Tensor& x, int64_t by) { return at::pixel_unshuffle(x, by).contiguous(at::MemoryFormat::ChannelsLast); }
at::Tensor Unfold(const at::Tensor& x, int64_t by) { return at::pixel_shuffle(x, by).contiguous(at::MemoryFormat::ChannelsLast); }

at::Tensor Run(const std::vector<std::shared_ptr<ResidualBlock>>& blocks, at::Tensor x) {
  for (const auto& block : blocks) x = block->Forward(x);
  return x;
}

void Check(const VaeOptions& o) {
  if (o.down != 8 && o.down != 16) Fail("codec vae: down must be 8 or 16, got {}", o.down);
  if (o.latent < 1 || o.features < 1 || o.blocks < 0)
    Fail("codec vae: latent and features must be at least 1 and blocks at least 0, got {}, {} and {}", o.latent, o.features, o.blocks);
  if (o.height < 1 || o.width < 1 || o.height % o.down || o.width % o.down)
    Fail("codec vae: down {} must divide the frame, {}x{}; resize or crop the data, or take another down", o.down, o.height, o.width);
}

}  // namespace

Facts Vae::Describe() {
  return {"vae",
          "convolutional variational autoencoder",
          "Kingma & Welling, arXiv 1312.6114; residual blocks without norms as in arXiv 1707.02921",
          {{"down", 8, "8 or 16: pixels a side of one latent cell"},
           {"latent", 8, "channels of the latent"},
           {"features", 64, "channels at a quarter of the resolution; twice as many below"},
           {"blocks", 2, "residual blocks a resolution in the encoder; the decoder has one more"},
           {"height", 64, "of the frames, pixels"},
           {"width", 64, "of the frames, pixels"}}};
}

Vae::Vae(const VaeOptions& options, uint64_t seed) : Codec(options.latent), options_(options) {
  Check(options);
  Rng rng(seed, "vae");
  const int64_t pixels = 3 * kFold * kFold, fine = options.features, coarse = 2 * fine;
  const int64_t halvings = options.down == 8 ? 1 : 2;
  stem_ = Add("encoder_stem", {pixels, fine}, rng);
  encoder_.push_back(AddBlocks("encoder_0_", options.blocks, fine, rng));
  for (int64_t i = 1; i <= halvings; ++i) {
    downs_.push_back(Add(fmt::format("encoder_down_{}", i), {4 * (i == 1 ? fine : coarse), coarse, 1}, rng));
    encoder_.push_back(AddBlocks(fmt::format("encoder_{}_", i), options.blocks, coarse, rng));
  }
  moments_ = Add("encoder_moments", {coarse, 2 * options.latent}, rng);
  latent_ = Add("decoder_latent", {options.latent, coarse}, rng);
  for (int64_t i = halvings; i >= 1; --i) {
    decoder_.push_back(AddBlocks(fmt::format("decoder_{}_", i), options.blocks + 1, coarse, rng));
    ups_.push_back(Add(fmt::format("decoder_up_{}", i), {coarse, 4 * (i == 1 ? fine : coarse), 1}, rng));
  }
  decoder_.push_back(AddBlocks("decoder_0_", options.blocks + 1, fine, rng));
  head_ = Add("decoder_head", {fine, pixels}, rng);
}

std::shared_ptr<Convolution> Vae::Add(const std::string& name, const Convolution::Shape& shape, Rng& rng) {
  return register_module(name, std::make_shared<Convolution>(shape, rng));
}

Vae::Blocks Vae::AddBlocks(const std::string& name, int64_t count, int64_t channels, Rng& rng) {
  Blocks blocks;
  for (int64_t i = 0; i < count; ++i)
    blocks.push_back(register_module(name + std::to_string(i), std::make_shared<ResidualBlock>(channels, rng)));
  return blocks;
}

LatentShape Vae::Latent() const { return {options_.latent, options_.height / options_.down, options_.width / options_.down}; }

std::string Vae::Spec() const { return FormatSpec("vae", options_); }

std::vector<std::string> Vae::Edges() const { return {"encoder_stem", "encoder_moments", "decoder_latent", "decoder_head"}; }

Codec::Posterior Vae::EncodeRaw(const at::Tensor& frames) {
  at::Tensor x = Run(encoder_.front(), stem_->Forward(Fold(frames * 2 - 1, kFold)));
  for (size_t i = 0; i < downs_.size(); ++i) x = Run(encoder_[i + 1], downs_[i]->Forward(Fold(x, 2)));
  const std::vector<at::Tensor> moments = moments_->Forward(x).to(at::kFloat).chunk(2, 1);
  return {moments[0], moments[1].clamp(kLeastLogVariance, kMostLogVariance)};
}

at::Tensor Vae::DecodeRaw(const at::Tensor& latents) {
  at::Tensor x = latent_->Forward(latents.contiguous(at::MemoryFormat::ChannelsLast));
  for (size_t i = 0; i < ups_.size(); ++i) x = Unfold(ups_[i]->Forward(Run(decoder_[i], x)), 2);
  x = head_->Forward(Run(decoder_.back(), x));
  return at::pixel_shuffle(x.to(at::kFloat), kFold) * 0.5 + 0.5;
}

}  // namespace orrery
