#include "state/implicit/consolidation/anchor.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/error.h"

namespace orrery {

AnchorMemory::AnchorMemory(const AnchorOptions& options, const MemoryGeometry& geometry)
    : BranchMemory(geometry, options.branch, "anchor"), anchor_(options) {
  if (options.pool < 1 || geometry.rows % options.pool != 0 || geometry.columns % options.pool != 0)
    Fail("anchor: a pool of {0} x {0} does not divide the {1} x {2} tokens of a frame", options.pool, geometry.rows, geometry.columns);
  for (int64_t i = 0; i < Branches(); ++i) {
    query_.push_back(Projection("query", i, Width()));
    hidden_.push_back(Projection("hidden", i, Width(), /*bias=*/true));
    key_value_.push_back(register_module(fmt::format("key_value{}", LayerOf(i)), torch::nn::Linear(Width(), 2 * Width())));
  }
}

Facts AnchorMemory::Describe() {
  return {"anchor",
          "the first frame as a fixed point of appearance",
          "StreamingT2V, arXiv 2403.14773",
          {{"heads", 2, "heads, >= 1"},
           {"dim", 64, "width of a head, a multiple of 8"},
           {"pool", 1, "p x p tokens of the first frame become one"},
           {"every", 1, "in the last layer and every k-th before it; 1: all layers"}}};
}

std::shared_ptr<Memory> AnchorMemory::Make(const Json& p, const MemoryGeometry& geometry) {
  AnchorOptions o;
  o.branch.heads = p["heads"].get<int64_t>();
  o.branch.dim = p["dim"].get<int64_t>();
  o.branch.every = p["every"].get<int64_t>();
  o.pool = p["pool"].get<int64_t>();
  return std::make_shared<AnchorMemory>(o, geometry);
}

MemoryFacts AnchorMemory::Declared() const { return {.bounded = true, .reach = -1, .ports = "R", .family = "consolidation"}; }

std::string AnchorMemory::Spec() const {
  return FormatSpec("anchor", {{"heads", options_.heads}, {"dim", options_.dim}, {"pool", anchor_.pool}, {"every", options_.every}});
}

BranchMemory::Tensors AnchorMemory::Query(int64_t i, const at::Tensor& y, int64_t) const { return {Heads(Project(query_[i], y))}; }

// Keys and values of every frame, [B, H, T, m, d]: only those of the first are kept.
BranchMemory::Tensors AnchorMemory::Write(int64_t i, const at::Tensor& y, int64_t) const {
  const int64_t p = anchor_.pool, rows = geometry_.rows / p, columns = geometry_.columns / p;
  const at::Tensor pooled =
      y.reshape({y.size(0), y.size(1), rows, p, columns, p, y.size(3)}).mean({3, 5}).reshape({y.size(0), y.size(1), Kept(), y.size(3)});
  const auto kv = Project(key_value_[i], at::gelu(Project(hidden_[i], pooled))).chunk(2, 3);
  return {Heads(kv[0]), Heads(kv[1])};
}

BranchMemory::Tensors AnchorMemory::Advance(int64_t, const Tensors& write, Tensors& state) const {
  const int64_t T = write[0].size(2);
  const at::Tensor set = state[2] > 0;  // [B, 1, 1, 1]
  const auto anchor = [&](const at::Tensor& kept, const at::Tensor& fresh) { return at::where(set, kept, fresh.select(2, 0)); };
  const at::Tensor key = anchor(state[0], write[0]), value = anchor(state[1], write[1]);
  // Frame t finds what was there before it: frame 0 of a new session finds nothing.
  const auto found = [&](const at::Tensor& before, const at::Tensor& after) {
    std::vector<at::Tensor> all{before.unsqueeze(2)};
    if (T > 1) all.push_back(after.unsqueeze(2).expand({-1, -1, T - 1, -1, -1}));
    return at::cat(all, 2);
  };
  const at::Tensor now_set = at::ones_like(state[2]);
  const Tensors states{found(state[0], key), found(state[1], value), found(state[2], now_set)};
  state = {key, value, now_set};
  return states;
}

at::Tensor AnchorMemory::Read(int64_t, const Tensors& query, const Tensors& states) const {
  const double scale = 1 / std::sqrt(static_cast<double>(options_.dim));
  const at::Tensor p = (at::matmul(query[0], states[0].transpose(-1, -2)) * scale).softmax(-1);
  return at::matmul(p, states[1]) * states[2];
}

std::vector<BranchMemory::Piece> AnchorMemory::Layout(int64_t) const {
  const int64_t H = options_.heads, d = options_.dim;
  return {{"key", "head token dim", {H, Kept(), d}}, {"value", "head token dim", {H, Kept(), d}}, {"set", "one one one", {1, 1, 1}}};
}

BranchMemory::Macs AnchorMemory::Count(int64_t) const {
  const double W = static_cast<double>(Width()), D = static_cast<double>(geometry_.Dim()), m = static_cast<double>(Kept());
  return {.read = Tokens() * W * (D + 2 * m), .write = m * W * (D + 2 * W)};
}

}  // namespace orrery
