#include "state/explicit/branch_memory.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/autocast.h"
#include "core/error.h"
#include "core/shape.h"
#include "nn/fused.h"

namespace orrery {

namespace nn = torch::nn;

namespace {

// The clip's frames in a branch; attention beside it sees the frame itself.
class BranchReader : public MemoryReader {
 public:
  BranchReader(const BranchMemory& memory, std::vector<BranchMemory::Tensors> start, int64_t first)
      : memory_(memory), start_(std::move(start)), after_(start_), first_(first) {}

  LayerRead Read(int64_t, const LayerActivation&, const at::Tensor&) override { return {}; }
  at::Tensor Branch(int64_t layer, const at::Tensor& x) override { return BranchTwins(layer, x, {}); }
  at::Tensor BranchTwins(int64_t layer, const at::Tensor& x, const at::Tensor& asking) override {
    const int64_t i = memory_.IndexOf(layer);
    if (i < 0) return {};
    after_[i] = start_[i];
    return memory_.RunClip(i, x, first_, after_[i], asking);
  }
  bool Finish(Parts& state) override {
    for (int64_t i = 0; i < memory_.Branches(); ++i) {
      BranchMemory::Tensors value;
      for (const at::Tensor& piece : after_[i]) value.push_back(piece.detach());
      memory_.Store(state, i, value);
    }
    return true;
  }

 private:
  const BranchMemory& memory_;
  std::vector<BranchMemory::Tensors> start_, after_;
  int64_t first_;
};

at::ScalarType StateType(at::ScalarType dtype) { return dtype == at::kDouble ? at::kDouble : at::kFloat; }

}  // namespace

BranchMemory::BranchMemory(const MemoryGeometry& geometry, const BranchOptions& options, const char* name)
    : geometry_(geometry), options_(options), name_(name) {
  if (options.heads < 1) Fail("{}: heads must be >= 1, got {}", name, options.heads);
  if (options.dim < 8 || options.dim % 8 != 0) Fail("{}: dim must be a multiple of 8, got {}", name, options.dim);
  if (options.every < 1) Fail("{}: every must be >= 1, got {}", name, options.every);
  if (options.router < 0) Fail("{}: router must be >= 0 frames, got {}", name, options.router);
  for (int64_t l = (geometry.layers - 1) % options.every; l < geometry.layers; l += options.every) layers_.push_back(l);
  const torch::NoGradGuard guard;
  for (int64_t i = 0; i < Branches(); ++i) {
    if (options.gated) gate_.push_back(Projection("gate", i, Width()));
    out_.push_back(register_module(fmt::format("out{}", LayerOf(i)), nn::Linear(nn::LinearOptions(Width(), geometry.Dim()).bias(false))));
    out_.back()->weight.zero_();
    norm_.push_back(OfBranch("norm", i, at::ones({options.dim})));
    alpha_.push_back(OfBranch("alpha", i, at::ones({geometry.Dim()})));
    if (options.router > 0) router_.push_back(OfBranch("router", i, at::tensor({1.0F, 0.0F})));
  }
}

nn::Linear BranchMemory::Projection(const char* name, int64_t i, int64_t outputs, bool bias) {
  return register_module(fmt::format("{}{}", name, LayerOf(i)), nn::Linear(nn::LinearOptions(geometry_.Dim(), outputs).bias(bias)));
}

at::Tensor BranchMemory::OfBranch(const char* name, int64_t i, const at::Tensor& value) {
  return register_parameter(fmt::format("{}{}", name, LayerOf(i)), value);
}

at::Tensor BranchMemory::Project(nn::Linear linear, const at::Tensor& y) {
  return Wide(linear(y.reshape({-1, y.size(3)}))).view({y.size(0), y.size(1), y.size(2), -1});
}

at::Tensor BranchMemory::Heads(const at::Tensor& x) const {
  return x.reshape({x.size(0), x.size(1), x.size(2), options_.heads, -1}).permute({0, 3, 1, 2, 4});
}

std::string BranchMemory::SharedSpec() const { return fmt::format("every={}, router={}", options_.every, options_.router); }

MemoryFacts BranchMemory::Declared() const { return {.bounded = true, .reach = -1, .held = 0, .ports = "R", .family = "hidden"}; }

int64_t BranchMemory::IndexOf(int64_t layer) const {
  const int64_t first = layers_[0];
  return layer < first || (layer - first) % options_.every != 0 ? -1 : (layer - first) / options_.every;
}

std::string BranchMemory::PartName(int64_t i, const Piece& piece) const { return fmt::format("{}/{}", piece.name, LayerOf(i)); }

BranchMemory::Tensors BranchMemory::StateOf(const Parts& state, int64_t i) const {
  Tensors value;
  for (const Piece& piece : Layout(i)) value.push_back(state.Get(PartName(i, piece)));
  return value;
}

void BranchMemory::Store(Parts& state, int64_t i, const Tensors& value) const {
  const std::vector<Piece> pieces = Layout(i);
  for (size_t p = 0; p < pieces.size(); ++p) state.Set(PartName(i, pieces[p]), value[p].contiguous());
}

BranchMemory::Tensors BranchMemory::Fresh(int64_t i, int64_t batch, const at::TensorOptions& options) const {
  const Tensors start = Start(i);
  const std::vector<Piece> pieces = Layout(i);
  Tensors value;
  for (size_t p = 0; p < pieces.size(); ++p) {
    std::vector<int64_t> shape = pieces[p].shape;
    shape.insert(shape.begin(), batch);
    const bool learned = p < start.size() && start[p].defined();
    value.push_back(learned ? start[p].to(options).unsqueeze(0).expand(shape) : at::zeros(shape, options));
  }
  return value;
}

Parts BranchMemory::Reset(int64_t batch, at::Device device, at::ScalarType dtype, uint64_t) const {
  const torch::NoGradGuard guard;
  Parts state;
  for (int64_t i = 0; i < Branches(); ++i) {
    const Tensors value = Fresh(i, batch, at::TensorOptions(device).dtype(StateType(dtype)));
    const std::vector<Piece> pieces = Layout(i);
    for (size_t p = 0; p < pieces.size(); ++p)
      state.Add(PartName(i, pieces[p]), "batch " + pieces[p].axes, value[p].clone(at::MemoryFormat::Contiguous));
  }
  return state;
}

at::Tensor BranchMemory::Normal(const at::Tensor& x) const { return at::layer_norm(Wide(x), {geometry_.Dim()}, {}, {}, kNormEps); }

// read [B, T, N, W], y [B, T, N, D] -> [B, T, N, D].
at::Tensor BranchMemory::Emit(int64_t i, const at::Tensor& read, const at::Tensor& y, int64_t first) const {
  const int64_t T = y.size(1);
  const at::Tensor heads = read.reshape({read.size(0), T, read.size(2), options_.heads, options_.dim});
  at::Tensor out = HeadNorm(heads, norm_[i]).flatten(3);
  if (options_.gated) out = out * at::silu(Project(gate_[i], y));
  nn::Linear project = out_[i];
  out = Wide(project(out.flatten(0, 2))).view(y.sizes()) * alpha_[i].tanh();
  if (options_.router > 0) {
    const at::Tensor frame = at::arange(first + 1, first + T + 1, alpha_[i].options());
    const at::Tensor age = (frame / static_cast<double>(options_.router)).clamp_max(1).log();
    out = out * (router_[i][0] * age + router_[i][1]).sigmoid().view({1, T, 1, 1});
  }
  return out;
}

at::Tensor BranchMemory::Merge(int64_t, const at::Tensor& read) const { return read.permute({0, 2, 3, 1, 4}).flatten(3); }

at::Tensor BranchMemory::Branch(const Parts& state, const ReadPlan& plan, int64_t layer, const at::Tensor& x) const {
  const int64_t i = IndexOf(layer);
  if (i < 0) return {};
  const at::Tensor y = Normal(x).unsqueeze(1);
  const Tensors query = Query(i, y, plan.query.frame);
  Tensors states = StateOf(state, i);
  for (at::Tensor& piece : states) piece = piece.unsqueeze(2);
  at::Tensor read;
  {
    const Autocast exact(x.device(), false);
    read = Merge(i, Read(i, query, states));
  }
  return Emit(i, read, y, plan.query.frame).squeeze(1);
}

at::Tensor BranchMemory::BranchOfFlight(const Parts& state, const std::vector<ReadPlan>& plans, int64_t layer, const at::Tensor& x) const {
  const int64_t i = IndexOf(layer);
  if (i < 0) return {};
  Tensors value = StateOf(state, i);
  return RunClip(i, x, plans[0].query.frame, value);
}

void BranchMemory::Commit(Parts& state, const ReadPlan& plan, const CleanFrame& frame) const {
  ORRERY_CHECK(static_cast<int64_t>(frame.layers.size()) == geometry_.layers);
  for (int64_t i = 0; i < Branches(); ++i) {
    const at::Tensor& x = frame.layers[LayerOf(i)].features;
    const Tensors write = Write(i, Normal(x).unsqueeze(1), plan.query.frame);
    const Autocast exact(x.device(), false);
    Tensors value = StateOf(state, i);
    Advance(i, write, value);
    Store(state, i, value);
  }
}

at::Tensor BranchMemory::RunClip(int64_t i, const at::Tensor& x, int64_t first, Tensors& state, const at::Tensor& asking) const {
  const int64_t N = geometry_.Tokens();
  CheckShape(x, {state[0].size(0), kAny, geometry_.Dim()}, "features of a clip");
  const auto frames = [&](const at::Tensor& t) { return Normal(t).reshape({t.size(0), t.size(1) / N, N, t.size(2)}); };
  const at::Tensor y = frames(x), twin = asking.defined() ? frames(asking) : at::Tensor();
  const Tensors query = Query(i, y, first), write = Write(i, y, first), ask = twin.defined() ? Query(i, twin, first) : Tensors();
  at::Tensor read, heard;
  {
    const Autocast exact(x.device(), false);
    const Tensors found = Advance(i, write, state);
    read = Merge(i, Read(i, query, found));
    if (twin.defined()) heard = Merge(i, Read(i, ask, found));
  }
  const at::Tensor out = Emit(i, read, y, first).reshape(x.sizes());
  return twin.defined() ? at::cat({out, Emit(i, heard, twin, first).reshape(x.sizes())}, 1) : out;
}

std::unique_ptr<MemoryReader> BranchMemory::OpenClip(const ClipQuery& clip) const {
  std::vector<Tensors> start;
  for (int64_t i = 0; i < Branches(); ++i)
    start.push_back(clip.before ? StateOf(*clip.before, i) : Fresh(i, clip.batch, alpha_[i].options().requires_grad(false)));
  return std::make_unique<BranchReader>(*this, std::move(start), clip.first);
}

size_t BranchMemory::StateBytes(int64_t, at::ScalarType dtype) const {
  size_t bytes = 0;
  for (int64_t i = 0; i < Branches(); ++i)
    for (const Piece& piece : Layout(i)) {
      size_t numbers = 1;
      for (const int64_t n : piece.shape) numbers *= static_cast<size_t>(n);
      bytes += numbers * c10::elementSize(StateType(dtype));
    }
  return bytes;
}

MemoryCost BranchMemory::Cost(int64_t) const {
  const double output = Tokens() * static_cast<double>(geometry_.Dim() * Width()) * (options_.gated ? 2 : 1);
  MemoryCost cost;
  for (int64_t i = 0; i < Branches(); ++i) {
    const Macs own = Count(i);
    cost.read += (own.read + output) / static_cast<double>(geometry_.layers);
    cost.write += own.write;
  }
  return cost;
}

Json BranchMemory::Audit(const Parts& state, const ReadPlan&) const {
  Json layers = Json::array();
  for (int64_t i = 0; i < Branches(); ++i) {
    Json one{{"layer", LayerOf(i)}};
    const Tensors value = StateOf(state, i);
    const std::vector<Piece> pieces = Layout(i);
    for (size_t p = 0; p < pieces.size(); ++p) one["norm"][pieces[p].name] = value[p].norm().item<double>();
    const Json rates = Rates(i);
    if (!rates.is_null()) one["rates"] = rates;
    layers.push_back(one);
  }
  return {{"layers", layers}};
}

at::Tensor Wide(const at::Tensor& x) { return x.scalar_type() == at::kDouble ? x : x.to(at::kFloat); }

at::Tensor UnitLength(const at::Tensor& x) { return x * at::rsqrt(x.square().sum(-1, true) + 1e-6); }

at::Tensor SpreadRates(int64_t heads) { return at::logspace(-1, heads > 1 ? -3 : -1, heads, 10.0, at::kFloat); }

at::Tensor InverseSoftplus(const at::Tensor& x) { return x.expm1().log(); }

}  // namespace orrery
