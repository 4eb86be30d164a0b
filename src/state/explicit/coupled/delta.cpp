#include "state/explicit/coupled/delta.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "state/explicit/coupled/scan.h"

namespace orrery {

DeltaMemory::DeltaMemory(const DeltaOptions& options, const MemoryGeometry& geometry)
    : BranchMemory(geometry, options.branch, "delta"), options_(options) {
  if (options.order != "tokens" && options.order != "mean") Fail("delta: order must be tokens or mean, got {}", options.order);
  const int64_t H = options.branch.heads;
  const torch::NoGradGuard guard;
  for (int64_t i = 0; i < Branches(); ++i) {
    query_.push_back(Projection("query", i, Width()));
    key_value_.push_back(Projection("key_value", i, 2 * Width()));
    forget_.push_back(Projection("forget", i, H, /*bias=*/true));
    forget_.back()->bias.copy_(InverseSoftplus(SpreadRates(H)));
    strength_.push_back(Projection("strength", i, H, /*bias=*/true));
    decay_.push_back(OfBranch("decay", i, at::zeros({H})));
  }
}

Facts DeltaMemory::Describe() {
  return {"delta",
          "gated delta rule: a key written again replaces its value",
          "VideoSSM, arXiv 2512.04519; Gated DeltaNet, arXiv 2412.06464",
          {{"heads", 2, "heads, each with its own decay, >= 1"},
           {"dim", 64, "width of a head, a multiple of 8; a head recalls as many pairs"},
           {"order", "tokens", "tokens: those of a frame one after the other; mean: at once, each with 1 / N of its strength"},
           {"every", 3, "branches in the last layer and every k-th before it; 1: all layers"},
           {"router", 0, "frames after which the state is heard in full; 0: from the start"}}};
}

std::shared_ptr<Memory> DeltaMemory::Make(const Json& p, const MemoryGeometry& geometry) {
  return std::make_shared<DeltaMemory>(DeltaOptions{{p["heads"], p["dim"], p["every"], p["router"]}, p["order"]}, geometry);
}

std::string DeltaMemory::Spec() const {
  return fmt::format("delta(heads={}, dim={}, order={}, {})", options_.branch.heads, options_.branch.dim, options_.order, SharedSpec());
}

BranchMemory::Tensors DeltaMemory::Query(int64_t i, const at::Tensor& y, int64_t) const {
  return {UnitLength(Heads(Project(query_[i], y)))};
}

// k, v [B, H, T, N, d]; beta [B, H, T, N]; log alpha [B, H, T].
BranchMemory::Tensors DeltaMemory::Write(int64_t i, const at::Tensor& y, int64_t) const {
  const auto kv = Project(key_value_[i], y).chunk(2, 3);
  const at::Tensor beta = Project(strength_[i], y).sigmoid().permute({0, 3, 1, 2});
  const at::Tensor forget = at::softplus(Project(forget_[i], y).mean(2)) * decay_[i].exp();  // [B, T, H]
  return {UnitLength(Heads(kv[0])), Heads(kv[1]), beta, -forget.transpose(1, 2)};
}

BranchMemory::Tensors DeltaMemory::Advance(int64_t, const Tensors& write, Tensors& state) const {
  const FrameStates s = DeltaRule(write[0], write[1], write[2], write[3], state[0], options_.order == "tokens");
  state = {s.after};
  return {s.before};
}

at::Tensor DeltaMemory::Read(int64_t, const Tensors& query, const Tensors& states) const { return at::matmul(query[0], states[0]); }

std::vector<BranchMemory::Piece> DeltaMemory::Layout(int64_t) const {
  return {{"fast", "head key value", {options_.branch.heads, options_.branch.dim, options_.branch.dim}}};
}

BranchMemory::Macs DeltaMemory::Count(int64_t) const {
  const double W = static_cast<double>(Width()), d = static_cast<double>(options_.branch.dim), D = static_cast<double>(geometry_.Dim());
  const double H = static_cast<double>(options_.branch.heads), N = Tokens();
  const double among = options_.order == "tokens" ? N * N * W * 2 : 0;  // K K^T, and a triangular solve for 2 d columns
  return {.read = N * W * (D + d), .write = N * (D * (2 * W + 2 * H) + 2 * W * d) + among};
}

Json DeltaMemory::Rates(int64_t i) const {
  const torch::NoGradGuard guard;
  const at::Tensor kept = (-at::softplus(forget_[i]->bias) * decay_[i].exp()).exp().to(at::kDouble).cpu().contiguous();
  return std::vector<double>(kept.data_ptr<double>(), kept.data_ptr<double>() + kept.numel());
}

}  // namespace orrery
