#include "state/explicit/coupled/ssm.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "state/explicit/coupled/scan.h"

namespace orrery {

SsmMemory::SsmMemory(const SsmOptions& options, const MemoryGeometry& geometry)
    : BranchMemory(geometry, options.branch, "ssm"), options_(options) {
  if (options.state < 1) Fail("ssm: state must be >= 1, got {}", options.state);
  if (options.blocks != 1 && options.blocks != 2 && options.blocks != 4)
    Fail("ssm: blocks must be 1, 2 or 4 a side, got {}", options.blocks);
  if (geometry.rows % options.blocks != 0 || geometry.columns % options.blocks != 0)
    Fail("ssm: {} x {} tokens cannot be cut into {} blocks a side; choose fewer blocks", geometry.rows, geometry.columns, options.blocks);
  std::vector<int64_t> cycle;
  for (int64_t side = options.cycle ? 1 : options.blocks; side <= options.blocks; side *= 2) cycle.push_back(side);
  const torch::NoGradGuard guard;
  for (int64_t i = 0; i < Branches(); ++i) {
    sides_.push_back(cycle[static_cast<size_t>(i) % cycle.size()]);
    read_.push_back(Projection("read", i, options.state));
    write_.push_back(Projection("write", i, options.state + Width()));
    step_.push_back(Projection("step", i, options.branch.heads, /*bias=*/true));
    step_.back()->bias.copy_(InverseSoftplus(SpreadRates(options.branch.heads)));
    decay_.push_back(OfBranch("decay", i, at::zeros({options.branch.heads})));
  }
}

Facts SsmMemory::Describe() {
  return {"ssm",
          "state-space scan (Mamba2) over frames, a state a block of the image",
          "Po et al., arXiv 2505.20171; SSD, arXiv 2405.21060; router: VideoSSM, arXiv 2512.04519",
          {{"heads", 4, "heads, each with its own decay, >= 1"},
           {"dim", 32, "width of a head, a multiple of 8"},
           {"state", 64, "numbers kept of each value channel, >= 1"},
           {"blocks", 1, "most blocks a side, 1, 2 or 4"},
           {"cycle", true, "branches cycle through 1, 2, 4 blocks a side up to that; false: all have that many"},
           {"every", 3, "branches in the last layer and every k-th before it; 1: all layers"},
           {"router", 0, "frames after which the state is heard in full; 0: from the start"}}};
}

std::shared_ptr<Memory> SsmMemory::Make(const Json& p, const MemoryGeometry& geometry) {
  return std::make_shared<SsmMemory>(SsmOptions{{p["heads"], p["dim"], p["every"], p["router"]}, p["state"], p["blocks"], p["cycle"]},
                                     geometry);
}

std::string SsmMemory::Spec() const {
  return fmt::format("ssm(heads={}, dim={}, state={}, blocks={}, cycle={}, {})", options_.branch.heads, options_.branch.dim, options_.state,
                     options_.blocks, options_.cycle, SharedSpec());
}

at::Tensor SsmMemory::Split(int64_t i, const at::Tensor& x) const {
  const int64_t s = Side(i), rows = geometry_.rows / s, columns = geometry_.columns / s;
  return x.reshape({x.size(0), x.size(1), s, rows, s, columns, x.size(3)})
      .permute({0, 2, 4, 1, 3, 5, 6})
      .reshape({x.size(0), s * s, x.size(1), rows * columns, x.size(3)});
}

at::Tensor SsmMemory::Join(int64_t i, const at::Tensor& x) const {
  const int64_t s = Side(i), rows = geometry_.rows / s, columns = geometry_.columns / s;
  return x.reshape({x.size(0), s, s, x.size(2), rows, columns, x.size(4)})
      .permute({0, 3, 1, 4, 2, 5, 6})
      .reshape({x.size(0), x.size(2), geometry_.Tokens(), x.size(4)});
}

BranchMemory::Tensors SsmMemory::Query(int64_t i, const at::Tensor& y, int64_t) const { return {Split(i, at::silu(Project(read_[i], y)))}; }

// B [B, nb, T, N / nb, n]; dt x [B, nb, T, N / nb, H d]; log decays [B, nb, T, H].
BranchMemory::Tensors SsmMemory::Write(int64_t i, const at::Tensor& y, int64_t) const {
  const int64_t H = options_.branch.heads, d = options_.branch.dim;
  const at::Tensor both = at::silu(Project(write_[i], y));
  const at::Tensor dt = at::softplus(Project(step_[i], y));  // [B, T, N, H]
  const at::Tensor x = both.narrow(3, options_.state, H * d).unflatten(3, {H, d}) * dt.unsqueeze(4);
  const at::Tensor decay = -Split(i, dt).mean(3) * decay_[i].exp();
  return {Split(i, both.narrow(3, 0, options_.state)), Split(i, x.flatten(3)), decay};
}

BranchMemory::Tensors SsmMemory::Advance(int64_t, const Tensors& write, Tensors& state) const {
  const int64_t H = options_.branch.heads, d = options_.branch.dim;
  // The state is kept as [B, nb, H, n, d]: a head of values, the decay of its own.
  const at::Tensor outer = at::matmul(write[0].transpose(3, 4), write[1]).unflatten(4, {H, d}).permute({0, 1, 4, 2, 3, 5});
  const FrameStates h = DecayedSum(outer.contiguous(), write[2].transpose(2, 3), state[0]);
  state = {h.after};
  return {h.before.transpose(2, 3)};  // [B, nb, T, H, n, d]
}

at::Tensor SsmMemory::Read(int64_t, const Tensors& query, const Tensors& states) const {
  const at::Tensor& h = states[0];
  return at::matmul(query[0], h.transpose(3, 4).flatten(4));  // [B, nb, T, N / nb, n] x [.., n, H d]
}

at::Tensor SsmMemory::Merge(int64_t i, const at::Tensor& read) const { return Join(i, read); }

std::vector<BranchMemory::Piece> SsmMemory::Layout(int64_t i) const {
  return {{"h", "block head state value", {Side(i) * Side(i), options_.branch.heads, options_.state, options_.branch.dim}}};
}

BranchMemory::Macs SsmMemory::Count(int64_t) const {
  const double W = static_cast<double>(Width()), n = static_cast<double>(options_.state), D = static_cast<double>(geometry_.Dim());
  const double H = static_cast<double>(options_.branch.heads);
  return {.read = Tokens() * n * (D + W), .write = Tokens() * (D * (n + W + H) + n * W)};
}

Json SsmMemory::Rates(int64_t i) const {
  const torch::NoGradGuard guard;
  const at::Tensor kept = (-at::softplus(step_[i]->bias) * decay_[i].exp()).exp().to(at::kDouble).cpu().contiguous();
  return std::vector<double>(kept.data_ptr<double>(), kept.data_ptr<double>() + kept.numel());
}

}  // namespace orrery
