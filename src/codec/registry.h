// Every codec by name.
#pragma once
#include "codec/codec.h"
#include "core/registry.h"

namespace orrery {

// Makers are given the seed of the first weights.
const Registry<std::shared_ptr<Codec>, uint64_t>& Codecs();

// The codec of a spec for frames of this size: fills in the parameters height and width where they have their defaults; a
// spec that says otherwise is an Error.
std::shared_ptr<Codec> MakeCodec(std::string_view spec, int64_t height, int64_t width, uint64_t seed);

}  // namespace orrery
