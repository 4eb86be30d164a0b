// Codecs on disk: codec.safetensors, weights and latent statistics with the spec string and the content hash in its metadata.
#pragma once
#include <filesystem>

#include "codec/codec.h"

namespace orrery {

// Hexadecimal digits that follow from the spec string and from every weight and statistic, to the bit: latents of codecs with
// different hashes must not be mixed.
std::string CodecHash(const Codec& codec);

// Weights are stored as `weights` (kHalf halves the file, at about 1e-3 of relative error in each weight), statistics as float32.
// The stored hash is that of the codec as it will be loaded.
void SaveCodec(const std::filesystem::path& path, const Codec& codec, at::ScalarType weights = at::kFloat);

// A file, or a folder that holds codec.safetensors. Throws Error when the file is damaged, lacks a tensor, or has one too many, of
// another shape or with numbers that are not finite.
std::shared_ptr<Codec> LoadCodec(const std::filesystem::path& path);

}  // namespace orrery
