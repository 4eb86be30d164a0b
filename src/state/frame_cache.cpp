#include "state/frame_cache.h"

#include <ATen/ATen.h>

#include "core/error.h"

namespace orrery {

namespace {

constexpr const char* kAxes = "layer batch head frame token dim";

std::string Name(const char* part, int64_t chunk) { return fmt::format("{}/{}", part, chunk); }

}  // namespace

Parts FrameCache::Reset() const {
  Parts state;
  state.Add("committed", "", at::zeros({}, at::kLong));
  return state;
}

int64_t FrameCache::Committed(const Parts& state) { return state.Get("committed").item<int64_t>(); }

void FrameCache::Append(Parts& state, const std::vector<LayerActivation>& layers) const {
  ORRERY_CHECK(static_cast<int64_t>(layers.size()) == geometry_.layers);
  const int64_t frame = Committed(state), chunk = frame / kChunk;
  for (const bool keys : {true, false}) {
    const std::string name = Name(keys ? "key" : "value", chunk);
    if (!state.Has(name)) {
      const at::Tensor& like = layers[0].key;  // [B, H, N, d]
      state.Add(name, kAxes, at::zeros({geometry_.layers, like.size(0), like.size(1), kChunk, like.size(2), like.size(3)}, like.options()));
    }
    at::Tensor& store = state.Mutable(name);
    for (int64_t l = 0; l < geometry_.layers; ++l)
      store.select(0, l).select(2, frame % kChunk).copy_(keys ? layers[l].key : layers[l].value);
  }
  state.Mutable("committed").add_(1);
}

at::Tensor FrameCache::Slice(const Parts& state, const char* part, int64_t layer, int64_t first, int64_t count) const {
  ORRERY_CHECK(first >= 0 && count > 0 && first + count <= Committed(state));
  std::vector<at::Tensor> pieces;
  for (int64_t f = first; f < first + count;) {
    const int64_t in = f % kChunk, n = std::min(kChunk - in, first + count - f);
    pieces.push_back(state.Get(Name(part, f / kChunk)).select(0, layer).narrow(2, in, n));
    f += n;
  }
  return (pieces.size() == 1 ? pieces[0] : at::cat(pieces, 2)).flatten(2, 3);
}

at::Tensor FrameCache::Keys(const Parts& state, int64_t layer, int64_t first, int64_t count) const {
  return Slice(state, "key", layer, first, count);
}
at::Tensor FrameCache::Values(const Parts& state, int64_t layer, int64_t first, int64_t count) const {
  return Slice(state, "value", layer, first, count);
}

at::Tensor FrameCache::Pick(const Parts& state, const char* part, int64_t layer, const std::vector<int64_t>& frames) const {
  std::vector<at::Tensor> picked;
  for (const int64_t f : frames) picked.push_back(state.Get(Name(part, f / kChunk)).select(0, layer).select(2, f % kChunk));
  return at::cat(picked, 2);
}

at::Tensor FrameCache::Keys(const Parts& state, int64_t layer, const std::vector<int64_t>& frames) const {
  return Pick(state, "key", layer, frames);
}
at::Tensor FrameCache::Values(const Parts& state, int64_t layer, const std::vector<int64_t>& frames) const {
  return Pick(state, "value", layer, frames);
}

size_t FrameCache::Bytes(int64_t frames, at::ScalarType dtype) const {
  const auto& g = geometry_;
  const int64_t chunks = (frames + kChunk - 1) / kChunk;
  return static_cast<size_t>(2 * g.layers * g.heads * chunks * kChunk * g.Tokens() * g.head_dim) * c10::elementSize(dtype) +
         sizeof(int64_t);
}

}  // namespace orrery
