// open-oasis (github.com/etched-ai/open-oasis), a world model of Minecraft: its DiT and its ViT-VAE as a model folder.
// D width, p patch, C latent channels, d head width; the specification is docs/convert.md.
#pragma once
#include <filesystem>

#include "codec/vit.h"
#include "model/convert/weight_rules.h"
#include "model/world_model.h"

namespace orrery {

// The published networks "DiT-S/2" (500 M) and "vit-l-20-shallow". Sizes that no file of weights tells.
struct OasisShape {
  int64_t height = 360, width = 640;  // of frames
  int64_t hidden = 1024, depth = 16, heads = 16, patch = 2;
  int64_t actions = 25;  // numbers of an action
  int64_t window = 32;   // frames that the network sees, the new one included
  int64_t steps = 10;    // denoising steps a frame
  int64_t latent = 16, vae_patch = 20, vdim = 1024, vae_heads = 16;
  int64_t encoder = 6, decoder = 12;  // blocks of the VAE
  double fps = 20;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(OasisShape, height, width, hidden, depth, heads, patch, actions, window, steps, latent,
                                                vae_patch, vdim, vae_heads, encoder, decoder, fps)

// A JSON file with keys of OasisShape; `size` stands for height and width. Missing keys are as published, but vae_heads is `heads`, and
// `encoder` and `decoder` are as many blocks as the VAE's file has. Keys of a script's run (what, out, seed, frames, threads, bf16) are
// passed over. Throws Error.
OasisShape ReadOasisShape(const std::filesystem::path& path, const TensorFile& vae);

VitOptions OasisCodecOptions(const OasisShape& shape);
ModelConfig OasisConfig(const OasisShape& shape, const Codec& codec);

WeightRules OasisNetworkRules(const OasisShape& shape);
WeightRules OasisCodecRules(const OasisShape& shape);  // without the latents' statistics

struct OasisFiles {
  std::filesystem::path dit, vae, config;       // config may be empty: the published shape
  std::vector<std::filesystem::path> pictures;  // or films, whose first frame is taken: beginnings to play from; may be empty
};

// Writes a model folder, whole or not at all. Weights pass tensor by tensor: never more than the codec and one tensor is in memory.
// Throws Error naming the tensor that is missing, unknown or of another shape.
ModelConfig ConvertOasis(const OasisFiles& files, const std::filesystem::path& out);

}  // namespace orrery
