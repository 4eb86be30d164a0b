#include "state/implicit/consolidation/far.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/error.h"
#include "nn/fused.h"

namespace orrery {

namespace {

constexpr double kFirstGate = -2;  // logit of a coarse token at first: an eighth of what a token of the window weighs

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

double FarMemory::Age(int64_t distance) const {
  const double beyond = static_cast<double>(distance - geometry_.recent);
  return static_cast<double>(geometry_.recent) + std::log2(1 + beyond);
}

at::Tensor FarMemory::Coordinates(int64_t frames, int64_t now) const {
  at::Tensor coord = GridCoordinates(frames, small_.rows, small_.columns);
  for (int64_t f = 0; f < frames; ++f)
    coord.narrow(0, f * Coarse(), Coarse()).select(1, 0).fill_(now > f ? -Age(std::max(now - f, geometry_.recent + 1)) : -1);
  const double half = 0.5 * static_cast<double>(pool_ - 1);
  coord.narrow(1, 1, 2).mul_(static_cast<double>(pool_)).add_(half);
  return coord;
}

LayerRead FarMemory::Reader::Read(int64_t layer, const LayerActivation& own, const at::Tensor&) {
  const int64_t T = frames_, n = memory_.Coarse(), recent = memory_.geometry_.recent;
  const LayerActivation coarse = memory_.Coarsen(layer, own.features, T);
  const auto rows = [&](const at::Tensor& x) { return x.unsqueeze(1).expand({batch_, T, -1, -1, -1}).flatten(0, 1); };
  std::vector<at::Tensor> coords, biases;
  const at::Tensor frame = at::arange(T, at::kLong).repeat_interleave(n);
  for (int64_t t = 0; t < T; ++t) {
    coords.push_back(memory_.Coordinates(T, t));
    biases.push_back((frame >= t - recent).to(at::kFloat) * kAbsent);
  }
  const at::Device device = own.features.device();
  const at::Tensor bias = at::stack(biases).to(device) + memory_.gate_[layer];  // [T, c]
  LayerRead read;
  read.context.key = rows(coarse.key);
  read.context.value = rows(coarse.value);
  read.context.coord = at::stack(coords).to(device).repeat({batch_, 1, 1});
  read.context.bias = bias.repeat({batch_, 1}).view({batch_ * T, 1, 1, T * n});
  read.context.frame = frame;
  return read;
}

AttentionContext FarMemory::Context(const Parts& state, const ReadPlan& plan, int64_t layer, const at::Tensor&) const {
  const int64_t T = FrameCache::Committed(state), old = T - geometry_.recent, n = Coarse();
  if (old <= 0) return {};
  const at::Tensor key = cache_.Keys(state, layer, 0, old);
  const auto flat = [&](const at::Tensor& x) { return x.reshape({x.size(0), x.size(1), old * n, x.size(4)}); };
  const at::Tensor bias = gate_[layer].expand({key.size(0), 1, 1, old * n});
  return {flat(key), flat(cache_.Values(state, layer, 0, old)), Coordinates(old, T).to(key.device()), bias,
          at::arange(old, at::kLong).repeat_interleave(n)};
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
