#include "state/implicit/consolidation/far.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/error.h"
#include "nn/fused.h"

namespace orrery {

namespace {

MemoryGeometry Small(MemoryGeometry g, int64_t pool) {
  if (pool < 1 || g.rows % pool != 0 || g.columns % pool != 0)
    Fail("far: a pool of {0} x {0} does not divide the {1} x {2} tokens of a frame", pool, g.rows, g.columns);
  g.rows /= pool;
  g.columns /= pool;
  return g;
}

}  // namespace

FarMemory::FarMemory(int64_t pool, const MemoryGeometry& geometry)
    : pool_(pool), geometry_(geometry), small_(Small(geometry, pool)), cache_(small_) {
  const int64_t D = geometry.Dim();
  for (int64_t l = 0; l < geometry.layers; ++l)
    project_.push_back(register_module(fmt::format("project{}", l), torch::nn::Linear(torch::nn::LinearOptions(D, 2 * D).bias(false))));
  gate_ = register_parameter("gate", at::full({geometry.layers}, kFirstGate));
}

Facts FarMemory::Describe() {
  return {"far",
          "older frames as a few coarse tokens in the same attention",
          "arXiv 2503.19325",
          {{"pool", 4, "p x p tokens of an old frame become one"}}};
}

MemoryFacts FarMemory::Declared() const { return {.bounded = false, .reach = -1, .ports = "K", .family = "consolidation"}; }

LayerActivation FarMemory::Coarsen(int64_t layer, const at::Tensor& features, int64_t frames) const {
  const auto& g = geometry_;
  const int64_t B = features.size(0), D = g.Dim(), n = Coarse();
  const at::Tensor x = at::layer_norm(features.to(at::kFloat), {D}, {}, {}, kNormEps);
  const at::Tensor pooled = x.reshape({B, frames, small_.rows, pool_, small_.columns, pool_, D}).mean({3, 5}).reshape({B, frames * n, D});
  torch::nn::Linear project = project_[static_cast<size_t>(layer)];
  const auto kv = project(pooled).to(at::kFloat).chunk(2, 2);
  const auto heads = [&](const at::Tensor& t) { return t.reshape({B, frames * n, g.heads, g.head_dim}).transpose(1, 2); };
  const at::Tensor key = heads(kv[0]);
  return {key * at::rsqrt(key.square().mean(-1, true) + kNormEps), heads(kv[1]), {}};
}

at::Tensor FarMemory::Coordinates(int64_t frames, int64_t now) const {
  at::Tensor coord = GridCoordinates(frames, small_.rows, small_.columns);
  // Frames that others hold, and later ones, are masked: any age will do for them.
  const at::Tensor beyond = (now - geometry_.recent - coord.select(1, 0).to(at::kDouble)).clamp_min(1);
  coord.select(1, 0).copy_(-(static_cast<double>(geometry_.recent) + (1 + beyond).log2()));
  const double half = 0.5 * static_cast<double>(pool_ - 1);
  coord.narrow(1, 1, 2).mul_(static_cast<double>(pool_)).add_(half);
  return coord;
}

FarMemory::Reader::Reader(const FarMemory& memory, const ClipQuery& clip) : memory_(memory), batch_(clip.batch), frames_(clip.frames) {
  frame_ = at::arange(frames_, at::kLong).repeat_interleave(memory.Coarse());
  std::vector<at::Tensor> coords, hidden;
  for (int64_t t = 0; t < frames_; ++t) {
    coords.push_back(memory.Coordinates(frames_, t));
    hidden.push_back((frame_ >= t - memory.geometry_.recent).to(at::kFloat) * kAbsent);
  }
  const at::Device device = clip.latent.device();
  coord_ = at::stack(coords).to(device).repeat({batch_, 1, 1});
  hidden_ = at::stack(hidden).to(device).repeat({batch_, 1}).view({batch_ * frames_, 1, 1, -1});
}

LayerRead FarMemory::Reader::Read(int64_t layer, const LayerActivation& own, const at::Tensor&) {
  const LayerActivation coarse = memory_.Coarsen(layer, own.features, frames_);
  const auto rows = [&](const at::Tensor& x) { return x.unsqueeze(1).expand({batch_, frames_, -1, -1, -1}).flatten(0, 1); };
  LayerRead read;
  read.context = {rows(coarse.key), rows(coarse.value), coord_, hidden_ + memory_.gate_[layer], frame_};
  return read;
}

AttentionContext FarMemory::Context(const Parts& state, const ReadPlan&, int64_t layer, const at::Tensor&) const {
  const int64_t T = FrameCache::Committed(state), old = T - geometry_.recent;
  if (old <= 0) return {};
  const at::Tensor key = cache_.Keys(state, layer, 0, old);
  return {key, cache_.Values(state, layer, 0, old), Coordinates(old, T).to(key.device()),
          gate_[layer].expand({key.size(0), 1, 1, key.size(2)}), at::arange(old, at::kLong).repeat_interleave(Coarse())};
}

void FarMemory::Commit(Parts& state, const ReadPlan&, const CleanFrame& clean) const {
  const at::NoGradGuard guard;
  std::vector<LayerActivation> layers;
  for (int64_t l = 0; l < geometry_.layers; ++l) layers.push_back(Coarsen(l, clean.layers[l].features, 1));
  cache_.Append(state, layers);
}

MemoryCost FarMemory::Cost(int64_t frames) const {
  const double N = static_cast<double>(geometry_.Tokens()), D = static_cast<double>(geometry_.Dim()), n = static_cast<double>(Coarse());
  const auto old = static_cast<double>(std::max<int64_t>(0, frames - geometry_.recent));
  return {.read = 2 * N * old * n * D, .write = static_cast<double>(geometry_.layers) * n * 2 * D * D};
}

Json FarMemory::Audit(const Parts& state, const ReadPlan&) const {
  const int64_t old = std::max<int64_t>(0, FrameCache::Committed(state) - geometry_.recent);
  return {{"frames", old}, {"tokens", old * Coarse()}};
}

}  // namespace orrery
