#include "state/explicit/parametric/titans.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/error.h"

namespace orrery {

namespace {

constexpr double kThetaBias = -1, kEtaBias = 0, kAlphaBias = -4;  // of the sigmoids before training: 0.27, 0.5, 0.018

}  // namespace

at::Tensor TitansRead(const FastWeights& memory, const at::Tensor& x) { return x + RunFast(memory, x).out; }

FastWeights TitansGradient(const FastWeights& memory, const at::Tensor& key, const at::Tensor& value) {
  const FastPass pass = RunFast(memory, key);
  return FastGradient(memory, pass, key, (key + pass.out - value) * (2 / static_cast<double>(key.size(-2))));
}

at::Tensor TitansNorm(const FastWeights& gradient) {
  const auto squared = [](const at::Tensor& x) { return at::linalg_vector_norm(x, 2, {-2, -1}, /*keepdim=*/true).square(); };
  return (squared(gradient.w1) + squared(gradient.w2) + 1e-12).sqrt();
}

TitansState TitansStep(const TitansState& state, const at::Tensor& key, const at::Tensor& value, const TitansRates& rates, double clip) {
  const FastWeights grad = TitansGradient(state.memory, key, value);
  const at::Tensor theta = rates.theta * (clip / TitansNorm(grad)).clamp_max(1);
  TitansState next;
  for (const auto w : {&FastWeights::w1, &FastWeights::w2}) {
    at::Tensor change = -theta * grad.*w;
    if (rates.eta.defined()) next.surprise.*w = change = at::addcmul(change, rates.eta, state.surprise.*w);
    next.memory.*w = rates.alpha.defined() ? at::addcmul(change, 1 - rates.alpha, state.memory.*w) : change + state.memory.*w;
  }
  return next;
}

TitansMemory::TitansMemory(const TitansOptions& options, const MemoryGeometry& geometry)
    : BranchMemory(geometry, options.branch, "titans"), options_(options) {
  if (options.hidden < 1) Fail("titans: hidden must be >= 1, got {}", options.hidden);
  if (!(options.rate >= 0 && options.rate <= 1)) Fail("titans: rate must lie in [0, 1], got {}", options.rate);
  if (!(options.clip > 0)) Fail("titans: clip must be > 0, got {}", options.clip);
  const int64_t H = options.branch.heads, d = options.branch.dim, m = options.hidden * d;
  const torch::NoGradGuard guard;
  const auto gate = [&](std::vector<torch::nn::Linear>& gates, const char* name, int64_t i, double bias) {
    gates.push_back(Projection(name, i, H, /*bias=*/true));
    gates.back()->bias.fill_(bias);
  };
  for (int64_t i = 0; i < Branches(); ++i) {
    query_.push_back(Projection("query", i, Width()));
    key_value_.push_back(Projection("key_value", i, 2 * Width()));
    if (options.rate > 0) gate(theta_, "theta", i, kThetaBias);
    if (options.momentum) gate(momentum_, "momentum", i, kEtaBias);
    if (options.forgetting) gate(forget_, "forget", i, kAlphaBias);
    start_.push_back({OfBranch("start_in", i, at::randn({H, d, m}) / std::sqrt(static_cast<double>(d))),
                      OfBranch("start_out", i, at::randn({H, m, d}) / std::sqrt(static_cast<double>(m)))});
  }
}

Facts TitansMemory::Describe() {
  return {"titans",
          "weights of a small MLP a head, trained while the session runs with momentum and forgetting",
          "Titans, arXiv 2501.00663",
          {{"heads", 2, "heads, each with a model of its own, >= 1"},
           {"dim", 64, "width of a head, a multiple of 8"},
           {"hidden", 2, "hidden width of the MLP in units of dim, >= 1"},
           {"momentum", true, "surprise is carried from frame to frame"},
           {"forgetting", true, "weights decay at a learned rate"},
           {"rate", 1.0, "largest inner learning rate, in [0, 1]; 0: nothing is written"},
           {"clip", 3.0, "largest norm of a head's gradient, > 0"},
           {"every", 3, "branches in the last layer and every k-th before it; 1: all layers"},
           {"router", 0, "frames after which the state is heard in full; 0: from the start"}}};
}

std::shared_ptr<Memory> TitansMemory::Make(const Json& p, const MemoryGeometry& geometry) {
  const BranchOptions branch{p["heads"], p["dim"], p["every"], p["router"]};
  return std::make_shared<TitansMemory>(TitansOptions{branch, p["hidden"], p["momentum"], p["forgetting"], p["rate"], p["clip"]}, geometry);
}

MemoryFacts TitansMemory::Declared() const {
  MemoryFacts facts = BranchMemory::Declared();
  facts.family = "parametric";
  return facts;
}

std::string TitansMemory::Spec() const {
  return fmt::format("titans(heads={}, dim={}, hidden={}, momentum={}, forgetting={}, rate={}, clip={}, {})", options_.branch.heads,
                     options_.branch.dim, options_.hidden, options_.momentum, options_.forgetting, options_.rate, options_.clip,
                     SharedSpec());
}

BranchMemory::Tensors TitansMemory::Query(int64_t i, const at::Tensor& y, int64_t) const {
  return {UnitLength(Heads(Project(query_[i], y)))};
}

at::Tensor TitansMemory::Gate(const std::vector<torch::nn::Linear>& gate, int64_t i, const at::Tensor& mean) const {
  if (gate.empty()) return {};
  return Project(gate[i], mean).sigmoid().permute({0, 3, 1, 2}).unsqueeze(4);
}

// k, v [B, H, T, N, d]; theta, eta, alpha [B, H, T, 1, 1], of which the last two may be undefined.
BranchMemory::Tensors TitansMemory::Write(int64_t i, const at::Tensor& y, int64_t) const {
  const auto kv = Project(key_value_[i], y).chunk(2, 3);
  const at::Tensor k = UnitLength(Heads(kv[0])), mean = y.mean(2, true), theta = Gate(theta_, i, mean);
  const at::Tensor none = at::zeros({k.size(0), k.size(1), k.size(2), 1, 1}, k.options());
  return {k, Heads(kv[1]), theta.defined() ? options_.rate * theta : none, Gate(momentum_, i, mean), Gate(forget_, i, mean)};
}

BranchMemory::Tensors TitansMemory::Advance(int64_t, const Tensors& write, Tensors& state) const {
  TitansState now{{state[0], {}, state[1], {}}, {}};
  if (options_.momentum) now.surprise = {state[2], {}, state[3], {}};
  Tensors w1, w2;
  for (int64_t t = 0; t < write[0].size(2); ++t) {
    w1.push_back(now.memory.w1);
    w2.push_back(now.memory.w2);
    const auto of = [&](size_t p) { return write[p].defined() ? write[p].select(2, t) : at::Tensor(); };
    now = TitansStep(now, of(0), of(1), {of(2), of(3), of(4)}, options_.clip);
  }
  state = {now.memory.w1, now.memory.w2};
  if (options_.momentum) state.insert(state.end(), {now.surprise.w1, now.surprise.w2});
  return {at::stack(w1, 2), at::stack(w2, 2)};
}

at::Tensor TitansMemory::Read(int64_t, const Tensors& query, const Tensors& states) const {
  return TitansRead({states[0], {}, states[1], {}}, query[0]);
}

std::vector<BranchMemory::Piece> TitansMemory::Layout(int64_t) const {
  const int64_t H = options_.branch.heads, d = options_.branch.dim, m = options_.hidden * d;
  std::vector<Piece> pieces{{"in", "head in hidden", {H, d, m}}, {"out", "head hidden out", {H, m, d}}};
  if (options_.momentum) {
    pieces.push_back({"surprise_in", "head in hidden", {H, d, m}});
    pieces.push_back({"surprise_out", "head hidden out", {H, m, d}});
  }
  return pieces;
}

BranchMemory::Macs TitansMemory::Count(int64_t) const {
  const double N = Tokens(), W = static_cast<double>(Width()), D = static_cast<double>(geometry_.Dim());
  const double m = static_cast<double>(options_.hidden * options_.branch.dim), H = static_cast<double>(options_.branch.heads);
  const int gates = !theta_.empty() + !momentum_.empty() + !forget_.empty();  // of the mean token
  return {.read = N * W * (D + 2 * m), .write = N * W * (2 * D + 5 * m) + gates * D * H};
}

Json TitansMemory::Rates(int64_t i) const {
  const torch::NoGradGuard guard;
  Json rates = Json::object();
  const auto add = [&](const char* name, const std::vector<torch::nn::Linear>& gate, double most) {
    if (gate.empty()) return;
    const at::Tensor typical = (gate[i]->bias.sigmoid() * most).to(at::kDouble).cpu().contiguous();
    rates[name] = std::vector<double>(typical.data_ptr<double>(), typical.data_ptr<double>() + typical.numel());
  };
  add("theta", theta_, options_.rate);
  add("eta", momentum_, 1);
  add("alpha", forget_, 1);
  return rates;
}

}  // namespace orrery
