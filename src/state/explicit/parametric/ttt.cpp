#include "state/explicit/parametric/ttt.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "nn/rope.h"

namespace orrery {

namespace {

constexpr int64_t kExpansion = 4;         // hidden width of the MLP over d
constexpr double kStartDeviation = 0.02;  // of the weights that a head begins with

FastWeights WeightsOf(const BranchMemory::Tensors& state) {
  if (state.size() == 2) return {state[0], state[1], {}, {}};
  return {state[0], state[1], state[2], state[3]};
}

BranchMemory::Tensors StateOfWeights(const FastWeights& w) {
  if (!w.w2.defined()) return {w.w1, w.b1};
  return {w.w1, w.b1, w.w2, w.b2};
}

}  // namespace

FastWeights TttStep(const FastWeights& w, const FastNorm& norm, const at::Tensor& key, const at::Tensor& target, const at::Tensor& rate) {
  const FastPass pass = RunFast(w, key);
  const FastWeights grad = FastGradient(w, pass, key, FastNormGradient(norm, pass.out, target) * rate.unsqueeze(-1));
  const auto less = [](const at::Tensor& x, const at::Tensor& g) { return x.defined() ? x - g : x; };
  return {less(w.w1, grad.w1), less(w.b1, grad.b1), less(w.w2, grad.w2), less(w.b2, grad.b2)};
}

TttMemory::TttMemory(const TttOptions& options, const MemoryGeometry& geometry)
    : BranchMemory(geometry, options.branch, "ttt"), options_(options) {
  if (options.model != "linear" && options.model != "mlp") Fail("ttt: model must be linear or mlp, got {}", options.model);
  if (!(options.eta >= 0)) Fail("ttt: eta must be >= 0, got {}", options.eta);
  const int64_t H = options.branch.heads, d = options.branch.dim, m = Linear() ? d : kExpansion * d;
  for (int64_t i = 0; i < Branches(); ++i) {
    query_.push_back(Projection("query", i, Width()));
    key_value_.push_back(Projection("key_value", i, 2 * Width()));
    if (options.eta > 0) rate_.push_back(Projection("rate", i, H, /*bias=*/true));
    norm_.push_back({OfBranch("inner_scale", i, at::ones({H, 1, d})), OfBranch("inner_shift", i, at::zeros({H, 1, d}))});
    start_.push_back(
        {OfBranch("start_weight", i, at::randn({H, d, m}) * kStartDeviation), OfBranch("start_bias", i, at::zeros({H, 1, m}))});
    if (Linear()) continue;
    start_.back().push_back(OfBranch("start_weight_out", i, at::randn({H, m, d}) * kStartDeviation));
    start_.back().push_back(OfBranch("start_bias_out", i, at::zeros({H, 1, d})));
  }
}

Facts TttMemory::Describe() {
  return {"ttt",
          "weights of a small model a head, trained by one step a frame while the session runs",
          "TTT layers, arXiv 2407.04620; One-Minute Video, arXiv 2504.05298",
          {{"model", "linear", "what is trained: linear, or mlp of hidden width 4 dim"},
           {"heads", 2, "heads, each with a model of its own, >= 1"},
           {"dim", 64, "width of a head, a multiple of 8"},
           {"eta", 1.0, "inner learning rate, >= 0; the papers: 1 for linear, 0.1 for mlp; 0: nothing is remembered"},
           {"every", 3, "branches in the last layer and every k-th before it; 1: all layers"},
           {"router", 0, "frames after which the state is heard in full; 0: from the start"}}};
}

std::shared_ptr<Memory> TttMemory::Make(const Json& p, const MemoryGeometry& geometry) {
  const BranchOptions branch{p["heads"], p["dim"], p["every"], p["router"], /*gated=*/false};
  return std::make_shared<TttMemory>(TttOptions{branch, p["model"], p["eta"]}, geometry);
}

MemoryFacts TttMemory::Declared() const {
  MemoryFacts facts = BranchMemory::Declared();
  facts.family = "parametric";
  return facts;
}

std::string TttMemory::Spec() const {
  return fmt::format("ttt(model={}, heads={}, dim={}, eta={}, {})", options_.model, options_.branch.heads, options_.branch.dim,
                     options_.eta, SharedSpec());
}

at::Tensor TttMemory::UnitPlaced(const at::Tensor& x) const {
  const at::Tensor unit = UnitLength(Heads(x));
  const at::Tensor coord = GridCoordinates(1, geometry_.rows, geometry_.columns).to(x.device());
  return ApplyRope(unit, MakeRope(coord, {.head_dim = unit.size(4)}));
}

FastNorm TttMemory::NormOfFrames(int64_t i) const { return {norm_[i].scale.unsqueeze(1), norm_[i].shift.unsqueeze(1)}; }

BranchMemory::Tensors TttMemory::Query(int64_t i, const at::Tensor& y, int64_t) const { return {UnitPlaced(Project(query_[i], y))}; }

// k, target [B, H, T, N, d]; eta_i / N [B, H, T, N], without a rate nothing.
BranchMemory::Tensors TttMemory::Write(int64_t i, const at::Tensor& y, int64_t) const {
  const auto kv = Project(key_value_[i], y).chunk(2, 3);
  const at::Tensor k = UnitPlaced(kv[0]), target = RunFastNorm(NormOfFrames(i), Heads(kv[1]) - k);
  if (rate_.empty()) return {k, target};
  const double most = options_.eta / static_cast<double>(options_.branch.dim * geometry_.Tokens());
  return {k, target, Project(rate_[i], y).sigmoid().permute({0, 3, 1, 2}) * most};
}

BranchMemory::Tensors TttMemory::Advance(int64_t i, const Tensors& write, Tensors& state) const {
  std::vector<Tensors> found(state.size());  // piece by piece, frame by frame
  for (int64_t t = 0; t < write[0].size(2); ++t) {
    for (size_t p = 0; p < state.size(); ++p) found[p].push_back(state[p]);
    if (rate_.empty()) continue;
    const auto now = [t](const at::Tensor& x) { return x.select(2, t); };
    state = StateOfWeights(TttStep(WeightsOf(state), norm_[i], now(write[0]), now(write[1]), now(write[2])));
  }
  Tensors before;
  for (const Tensors& piece : found) before.push_back(at::stack(piece, 2));
  return before;
}

at::Tensor TttMemory::Read(int64_t i, const Tensors& query, const Tensors& states) const {
  return query[0] + RunFastNorm(NormOfFrames(i), RunFast(WeightsOf(states), query[0]).out);
}

std::vector<BranchMemory::Piece> TttMemory::Layout(int64_t) const {
  const int64_t H = options_.branch.heads, d = options_.branch.dim, m = kExpansion * d;
  if (Linear()) return {{"weight", "head in out", {H, d, d}}, {"bias", "head one out", {H, 1, d}}};
  return {{"weight", "head in hidden", {H, d, m}},
          {"bias", "head one hidden", {H, 1, m}},
          {"weight_out", "head hidden out", {H, m, d}},
          {"bias_out", "head one out", {H, 1, d}}};
}

BranchMemory::Macs TttMemory::Count(int64_t) const {
  const double N = Tokens(), W = static_cast<double>(Width()), D = static_cast<double>(geometry_.Dim());
  const double d = static_cast<double>(options_.branch.dim), H = static_cast<double>(options_.branch.heads);
  const double layer = Linear() ? d : d * kExpansion;  // a token and channel of the branch, one product with a weight matrix
  const double run = layer * (Linear() ? 1 : 2), step = rate_.empty() ? 0 : layer * (Linear() ? 2 : 5);  // MLP: run, back, 2 gradients
  return {.read = N * W * (D + run), .write = N * (2 * W * D + W * step + (rate_.empty() ? 0 : D * H))};
}

Json TttMemory::Rates(int64_t i) const {
  if (rate_.empty()) return {};
  const torch::NoGradGuard guard;
  const double most = options_.eta / static_cast<double>(options_.branch.dim);
  const at::Tensor typical = (rate_[i]->bias.sigmoid() * most).to(at::kDouble).cpu().contiguous();
  return {{"eta", std::vector<double>(typical.data_ptr<double>(), typical.data_ptr<double>() + typical.numel())}};
}

}  // namespace orrery
