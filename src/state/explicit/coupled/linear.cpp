#include "state/explicit/coupled/linear.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "nn/rope.h"
#include "state/explicit/coupled/scan.h"

namespace orrery {

namespace {

constexpr double kDenominatorEps = 1e-6;

}  // namespace

LinearMemory::LinearMemory(const LinearOptions& options, const MemoryGeometry& geometry)
    : BranchMemory(geometry, options.branch, "linear"), options_(options) {
  if (options.feature != "relu" && options.feature != "elu") Fail("linear: feature must be relu or elu, got {}", options.feature);
  if (!(options.decay >= 0 && options.decay < 1)) Fail("linear: decay must lie in [0, 1), got {}", options.decay);
  for (int64_t i = 0; i < Branches(); ++i) {
    query_.push_back(Projection("query", i, Width()));
    key_value_.push_back(Projection("key_value", i, 2 * Width()));
  }
}

Facts LinearMemory::Describe() {
  return {"linear",
          "linear attention: two running sums a head, never forgotten unless decay is given",
          "SANA-Video, arXiv 2509.24695; decay: retention, arXiv 2307.08621",
          {{"heads", 2, "heads, >= 1"},
           {"dim", 64, "width of a head, a multiple of 8"},
           {"feature", "relu", "what makes queries and keys positive: relu or elu (elu + 1)"},
           {"decay", 0.0, "share that head 0 forgets a frame, head h 2^-h of it; 0: nothing is forgotten, retention: 0.03125"},
           {"rope", true, "rotate queries and keys of the sum of values by time and place"},
           {"every", 3, "branches in the last layer and every k-th before it; 1: all layers"},
           {"router", 0, "frames after which the state is heard in full; 0: from the start"}}};
}

std::shared_ptr<Memory> LinearMemory::Make(const Json& p, const MemoryGeometry& geometry) {
  return std::make_shared<LinearMemory>(LinearOptions{{p["heads"], p["dim"], p["every"], p["router"]}, p["feature"], p["decay"], p["rope"]},
                                        geometry);
}

std::string LinearMemory::Spec() const {
  return fmt::format("linear(heads={}, dim={}, feature={}, decay={}, rope={}, {})", options_.branch.heads, options_.branch.dim,
                     options_.feature, options_.decay, options_.rope, SharedSpec());
}

at::Tensor LinearMemory::Feature(const at::Tensor& x) const { return options_.feature == "relu" ? x.relu() : at::elu(x) + 1; }

// [B, H, T, N, d]
at::Tensor LinearMemory::Rotate(const at::Tensor& x, int64_t first) const {
  if (!options_.rope) return x;
  const at::Tensor coord = GridCoordinates(x.size(2), geometry_.rows, geometry_.columns, static_cast<double>(first)).to(x.device());
  return ApplyRope(x.flatten(2, 3), MakeRope(coord, {.head_dim = x.size(4)})).view(x.sizes());
}

BranchMemory::Tensors LinearMemory::Query(int64_t i, const at::Tensor& y, int64_t first) const {
  const at::Tensor q = Feature(Heads(Project(query_[i], y)));
  return {Rotate(q, first), q};
}

BranchMemory::Tensors LinearMemory::Write(int64_t i, const at::Tensor& y, int64_t first) const {
  const auto kv = Project(key_value_[i], y).chunk(2, 3);
  const at::Tensor k = Feature(Heads(kv[0]));
  return {Rotate(k, first), k, Heads(kv[1])};
}

at::Tensor LinearMemory::Forgetting() const {
  const at::Tensor head = at::arange(options_.branch.heads, at::kDouble);
  return at::log1p(-options_.decay * at::exp2(-head));
}

BranchMemory::Tensors LinearMemory::Advance(int64_t, const Tensors& write, Tensors& state) const {
  const at::Tensor values = at::matmul(write[0].transpose(3, 4), write[2]), keys = write[1].sum(3).unsqueeze(4);
  at::Tensor decay;
  if (options_.decay > 0) decay = Forgetting().to(values.options()).view({1, -1, 1}).expand({values.size(0), -1, values.size(2)});
  const FrameStates s = DecayedSum(values, decay, state[0]), z = DecayedSum(keys, decay, state[1]);
  state = {s.after, z.after};
  return {s.before, z.before};
}

at::Tensor LinearMemory::Read(int64_t, const Tensors& query, const Tensors& states) const {
  return at::matmul(query[0], states[0]) / (at::matmul(query[1], states[1]) + kDenominatorEps);
}

std::vector<BranchMemory::Piece> LinearMemory::Layout(int64_t) const {
  const int64_t H = options_.branch.heads, d = options_.branch.dim;
  return {{"sum", "head key value", {H, d, d}}, {"keys", "head key one", {H, d, 1}}};
}

BranchMemory::Macs LinearMemory::Count(int64_t) const {
  const double W = static_cast<double>(Width()), d = static_cast<double>(options_.branch.dim), D = static_cast<double>(geometry_.Dim());
  return {.read = Tokens() * W * (D + d + 1), .write = Tokens() * W * (2 * D + d)};
}

Json LinearMemory::Rates(int64_t) const {
  const at::Tensor kept = Forgetting().exp();
  return std::vector<double>(kept.data_ptr<double>(), kept.data_ptr<double>() + kept.numel());
}

}  // namespace orrery
