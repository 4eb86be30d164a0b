#include "state/implicit/compression/tome.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "nn/rope.h"

namespace orrery {

// Parts: "sum" [L, B, M, 2 D] of keys and values, "place" [L, B, M, 4] (token_merge.h), fp32; "key", "value" [L, B, H, recent, N, d], a
// ring of the frames that wait; "committed" [] int64.

TomeMemory::TomeMemory(const TomeOptions& options, const MemoryGeometry& geometry)
    : options_(options),
      geometry_(geometry),
      rule_{options.frames * geometry.Tokens(), geometry.Tokens(), geometry.heads, options.first},
      place_(GridCoordinates(1, geometry.rows, geometry.columns).narrow(1, 1, 2)) {
  const int64_t least = options.first ? 2 : 1;
  if (options.frames < least) Fail("tome: frames >= {} expected, got {}", least, options.frames);
  const std::vector<std::string> times{"log", "exact"};
  if (options.times != times[0] && options.times != times[1]) FailUnknown("times of tome", options.times, times);
  if (options.every < 1) Fail("tome: every >= 1 expected, got {}", options.every);
  gate_ = register_parameter("gate", at::full({Count()}, kFirstGate));
}

Facts TomeMemory::Describe() {
  return {"tome",
          "old tokens merged by likeness into a fixed number",
          "arXiv 2210.09461",
          {{"frames", 8, "size of the merged memory, in frames' worth of tokens"},
           {"first", true, "the first frame is never merged"},
           {"times", "log", "how old a token looks: log (compressed beyond the recent frames) or exact"},
           {"every", 3, "in the last layer and every k-th before it; 1: all layers"}}};
}

std::shared_ptr<Memory> TomeMemory::Make(const Json& p, const MemoryGeometry& geometry) {
  return std::make_shared<TomeMemory>(
      TomeOptions{p["frames"].get<int64_t>(), p["first"].get<bool>(), p["times"].get<std::string>(), p["every"].get<int64_t>()}, geometry);
}

MemoryFacts TomeMemory::Declared() const { return {.bounded = true, .reach = -1, .ports = "K", .family = "compression"}; }

std::string TomeMemory::Spec() const {
  return FormatSpec("tome", {{"frames", options_.frames}, {"first", options_.first}, {"times", options_.times}, {"every", options_.every}});
}

Parts TomeMemory::Reset(int64_t batch, at::Device device, at::ScalarType dtype, uint64_t) const {
  const auto& g = geometry_;
  const at::TensorOptions sums = at::TensorOptions(device).dtype(at::kFloat);
  const at::Tensor ring = at::zeros({Count(), batch, g.heads, g.recent, g.Tokens(), g.head_dim}, sums.dtype(dtype));
  Parts state;
  state.Add("sum", "layer batch slot key,value", at::zeros({Count(), batch, rule_.slots, 2 * g.Dim()}, sums));
  state.Add("place", "layer batch slot t,y,x,count", at::zeros({Count(), batch, rule_.slots, 4}, sums));
  state.Add("key", "layer batch head slot token dim", ring);
  state.Add("value", "layer batch head slot token dim", ring.clone());
  state.Add("committed", "", at::zeros({}, at::kLong));
  return state;
}

AttentionContext TomeMemory::Show(const at::Tensor& key, const at::Tensor& value, const at::Tensor& place, const at::Tensor& now,
                                  int64_t index) const {
  const at::Tensor count = place.select(-1, 3), mean = place.narrow(-1, 0, 3) / count.clamp_min(1).unsqueeze(-1);  // [R, m], [R, m, 3]
  const double recent = static_cast<double>(geometry_.recent);
  at::Tensor age = now.view({-1, 1}) - mean.select(-1, 0);
  if (options_.times == "log") age = recent + (1 + (age - recent).clamp_min(0)).log2();
  AttentionContext out{key, value, {}, {}, {}};
  out.coord = at::cat({age.neg().unsqueeze(-1), mean.narrow(-1, 1, 2)}, -1);
  const at::Tensor bias = at::where(count > 0, count.clamp_min(1).log() + gate_[index], at::full({}, kAbsent, count.options()));
  out.bias = bias.unsqueeze(1).unsqueeze(1);
  out.frame = at::where(count == 1, mean.select(-1, 0), at::full({}, -1., count.options())).to(at::kLong);
  return out;
}

AttentionContext TomeMemory::Context(const Parts& state, const ReadPlan& plan, int64_t layer, const at::Tensor&) const {
  const auto& g = geometry_;
  const int64_t old = state.Get("committed").item<int64_t>() - g.recent, index = IndexOf(layer);
  if (old <= 0 || index < 0) return {};
  const int64_t m = rule_.Filled(old);
  const at::Tensor place = state.Get("place").select(0, index).narrow(1, 0, m);
  const at::Tensor mean = state.Get("sum").select(0, index).narrow(1, 0, m) / place.narrow(2, 3, 1);
  const at::Tensor rows = mean.to(state.Get("key").scalar_type()).view({place.size(0), m, 2, g.heads, g.head_dim}).permute({2, 0, 3, 1, 4});
  return Show(rows[0], rows[1], place, at::full({1}, static_cast<double>(plan.query.frame), place.options()), index);
}

void TomeMemory::Absorb(Parts& state, const std::vector<LayerActivation>& layers, int64_t frame) const {
  const int64_t D = geometry_.Dim();
  at::Tensor &sums = state.Mutable("sum"), &places = state.Mutable("place");
  for (int64_t l = 0; l < Count(); ++l) {
    at::Tensor sum = sums.select(0, l), place = places.select(0, l);
    const auto rows = [](const at::Tensor& x) { return x.transpose(1, 2).to(at::kFloat).flatten(2, 3); };
    const at::Tensor key = rows(layers[l].key), tokens = at::cat({key, rows(layers[l].value)}, 2);
    const at::Tensor target = MergeTargets(rule_, sum.narrow(2, 0, D), key, frame);
    const at::Tensor where = TokenPlaces(place_, key.size(0), static_cast<double>(frame)).to(place.device());
    sum.copy_(MergeRows(sum, tokens, target));
    place.copy_(MergeRows(place, where, target));
  }
}

void TomeMemory::Commit(Parts& state, const ReadPlan&, const CleanFrame& clean) const {
  const at::NoGradGuard guard;
  ORRERY_CHECK(static_cast<int64_t>(clean.layers.size()) == geometry_.layers);
  const int64_t frame = state.Get("committed").item<int64_t>(), recent = geometry_.recent;
  std::vector<LayerActivation> layers;
  for (int64_t l = First(); l < geometry_.layers; l += options_.every) layers.push_back(clean.layers[static_cast<size_t>(l)]);
  if (recent == 0) {
    Absorb(state, layers, frame);
  } else {
    const int64_t slot = frame % recent;
    at::Tensor &key = state.Mutable("key"), &value = state.Mutable("value");
    if (frame >= recent) {
      std::vector<LayerActivation> leaving;
      for (int64_t l = 0; l < Count(); ++l) leaving.push_back({key[l].select(2, slot), value[l].select(2, slot), {}});
      Absorb(state, leaving, frame - recent);
    }
    for (int64_t l = 0; l < Count(); ++l) {
      key[l].select(2, slot).copy_(layers[l].key);
      value[l].select(2, slot).copy_(layers[l].value);
    }
  }
  state.Mutable("committed").add_(1);
}

// Frame t of a clip finds what the clip's frames before its recent ones became.
class TomeMemory::Reader : public MemoryReader {
 public:
  Reader(const TomeMemory& memory, const ClipQuery& clip) : memory_(memory), batch_(clip.batch), frames_(clip.frames) {}
  bool WantsTokens() const override { return true; }

  LayerRead Read(int64_t layer, const LayerActivation& own, const at::Tensor&) override {
    const int64_t recent = memory_.geometry_.recent, index = memory_.IndexOf(layer);
    if (frames_ <= recent + 1 || index < 0) return {};
    const MergedClip merged = MergeClip(memory_.rule_, own.key, own.value, memory_.place_, recent);
    const at::Tensor place = merged.place.flatten(0, 1);
    const at::Tensor now = at::arange(frames_, place.options()).repeat({batch_});
    return {{}, memory_.Show(merged.key.flatten(0, 1), merged.value.flatten(0, 1), place, now, index)};
  }

 private:
  const TomeMemory& memory_;
  int64_t batch_, frames_;
};

std::unique_ptr<MemoryReader> TomeMemory::OpenClip(const ClipQuery& clip) const { return std::make_unique<Reader>(*this, clip); }

size_t TomeMemory::StateBytes(int64_t, at::ScalarType dtype) const {
  const auto& g = geometry_;
  return static_cast<size_t>(Count() * rule_.slots * (2 * g.Dim() + 4)) * sizeof(float) +
         static_cast<size_t>(2 * Count() * g.recent * g.Tokens() * g.Dim()) * c10::elementSize(dtype) + sizeof(int64_t);
}

MemoryCost TomeMemory::Cost(int64_t frames) const {
  const auto& g = geometry_;
  const int64_t old = std::max<int64_t>(0, frames - g.recent);
  const double N = static_cast<double>(g.Tokens()), D = static_cast<double>(g.Dim()), m = static_cast<double>(rule_.Filled(old));
  // The frame that is merged next.
  const double match = static_cast<double>(rule_.Matches(old) * rule_.Partners() * g.head_dim);
  const double layers = static_cast<double>(Count());
  return {.read = 2 * N * m * D * layers / static_cast<double>(g.layers), .write = frames >= g.recent ? layers * match : 0};
}

Json TomeMemory::Audit(const Parts& state, const ReadPlan&) const {
  const int64_t old = std::max<int64_t>(0, state.Get("committed").item<int64_t>() - geometry_.recent), m = rule_.Filled(old);
  Json audit{{"frames", old}, {"tokens", m}};
  if (m > 0) audit["largest"] = state.Get("place").narrow(2, 0, m).select(3, 3).max().item<double>();
  return audit;
}

}  // namespace orrery
