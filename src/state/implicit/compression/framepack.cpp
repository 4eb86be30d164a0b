#include "state/implicit/compression/framepack.h"

#include <ATen/ATen.h>

#include <charconv>

#include "core/error.h"
#include "state/clip_rows.h"

namespace orrery {

namespace {

// "4x1x2" -> {4, 1, 2}
PackGroup ParseGroup(std::string_view text) {
  std::array<int64_t, 3> n{};
  size_t at = 0;
  for (size_t i = 0; i < 3; ++i) {
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), n[i]);
    at = static_cast<size_t>(end - text.data());
    const bool last = i == 2;
    if (error != std::errc() || n[i] < 1 || (last ? at != text.size() : at >= text.size() || text[at] != 'x'))
      Fail("framepack: a group is FRAMESxTIMExSPACE, as 4x1x2, got \"{}\"", text);
    if (!last) ++at;
  }
  if (n[0] % n[1] != 0) Fail("framepack: the time kernel {} does not divide the {} frames of a group", n[1], n[0]);
  return {n[0], n[1], n[2]};
}

std::vector<PackGroup> ParseGroups(std::string_view text) {
  std::vector<PackGroup> groups;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    groups.push_back(ParseGroup(text.substr(0, comma)));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  if (groups.empty()) Fail("framepack: at least one group expected, as 1x1x1,4x1x2");
  return groups;
}

}  // namespace

FramePackMemory::FramePackMemory(const std::string& groups, bool tail, const MemoryGeometry& geometry)
    : text_(groups), tail_(tail), geometry_(geometry), groups_(ParseGroups(groups)) {
  for (size_t i = 0; i < groups_.size(); ++i) {
    ring_ += groups_[i].frames;
    embeddings_.push_back(
        register_module("group" + std::to_string(i), std::make_shared<LatentEmbedding>(geometry, groups_[i].space, false)));
  }
  if (geometry.rows != geometry.columns && tail) Fail("framepack: the tail token needs square frames of tokens; set tail=false");
  if (tail_) embeddings_.push_back(register_module("tail", std::make_shared<LatentEmbedding>(geometry, geometry.rows, false)));
  gate_ = register_parameter("gate", at::full({}, kFirstGate));
}

Facts FramePackMemory::Describe() {
  return {"framepack",
          "older frames as fewer, larger tokens",
          "arXiv 2504.12626",
          {{"groups", "1x1x1,2x1x2,4x1x4,8x2x4", "newest first: frames x time kernel x space kernel (in tokens)"},
           {"tail", true, "one token for the mean of everything older"}}};
}

MemoryFacts FramePackMemory::Declared() const { return {.bounded = true, .reach = -1, .ports = "I", .family = "compression"}; }

std::string FramePackMemory::Spec() const { return FormatSpec("framepack", {{"groups", text_}, {"tail", tail_}}); }

Parts FramePackMemory::Reset(int64_t batch, at::Device device, at::ScalarType dtype, uint64_t) const {
  const auto& g = geometry_;
  const auto latent = [&](std::vector<int64_t> lead, at::ScalarType type) {
    lead.insert(lead.end(), {g.channels, g.rows * g.patch, g.columns * g.patch});
    return at::zeros(lead, at::TensorOptions(device).dtype(type));
  };
  Parts state;
  state.Add("latent", "batch slot channel row column", latent({batch, ring_ + g.recent}, dtype));
  state.Add("mean", "batch channel row column", latent({batch}, at::kFloat));
  state.Add("committed", "", at::zeros({}, at::kLong));
  return state;
}

void FramePackMemory::Commit(Parts& state, const ReadPlan&, const CleanFrame& clean) const {
  const int64_t frame = state.Get("committed").item<int64_t>(), slots = ring_ + geometry_.recent, slot = frame % slots;
  if (frame >= slots) {
    const at::Tensor leaving = state.Get("latent").select(1, slot).to(at::kFloat);
    at::Tensor& mean = state.Mutable("mean");
    mean.add_((leaving - mean) / static_cast<double>(frame - slots + 1));
  }
  state.Mutable("latent").select(1, slot).copy_(clean.latent);
  state.Mutable("committed").add_(1);
}

InputContext FramePackMemory::Pack(const at::Tensor& history, const at::Tensor& count, const at::Tensor& mean,
                                   const at::Tensor& older) const {
  const int64_t R = history.size(0);
  const double recent = static_cast<double>(geometry_.recent);
  std::vector<at::Tensor> tokens, coords, theres;
  const auto add = [&](size_t i, const at::Tensor& latent, double first_age, double step, const at::Tensor& there) {
    const LatentEmbedding& embedding = *embeddings_[i];
    const int64_t k = latent.size(1), n = embedding.Tokens();
    const at::Tensor age = at::arange(k, at::kFloat) * step + first_age;
    tokens.push_back(embedding.Embed(latent, {}, age.expand({R, k}).to(latent.device())).view({R, k * n, -1}));
    coords.push_back(at::cat({age.neg().repeat_interleave(n).unsqueeze(1), embedding.Places().repeat({k, 1})}, 1));
    theres.push_back(there.repeat_interleave(n, 1));
  };
  int64_t first = 0;
  for (size_t i = 0; i < groups_.size(); ++i) {
    const PackGroup& g = groups_[i];
    const int64_t k = g.frames / g.time;
    std::vector<int64_t> shape = history.sizes().vec();
    shape[1] = k;
    shape.insert(shape.begin() + 2, g.time);
    const at::Tensor band = history.narrow(1, first, g.frames).view(shape).mean(2);
    // A packed token is there when all of its frames are.
    const at::Tensor last = (at::arange(1, k + 1, at::kLong) * g.time + first).unsqueeze(0);
    add(i, band, recent + static_cast<double>(first) + 0.5 * static_cast<double>(g.time + 1), static_cast<double>(g.time),
        count.unsqueeze(1) >= last);
    first += g.frames;
  }
  if (tail_)
    add(groups_.size(), mean.unsqueeze(1).to(history.scalar_type()), recent + static_cast<double>(ring_) + 1, 1, older.unsqueeze(1) > 0);
  InputContext out;
  out.tokens = at::cat(tokens, 1);
  out.coord = at::cat(coords).to(history.device());
  out.bias = GatedBias(at::cat(theres, 1).to(history.device()), gate_);
  return out;
}

InputContext FramePackMemory::Input(const Parts& state, const ReadPlan&) const {
  const int64_t T = state.Get("committed").item<int64_t>(), recent = geometry_.recent, slots = ring_ + recent;
  if (T <= recent) return {};
  const at::Tensor& latent = state.Get("latent");
  const int64_t B = latent.size(0), held = std::min(T - recent, ring_);
  // Newest first; slots that are not filled yet are absent by `count`.
  const at::Tensor age = at::arange(recent + 1, recent + 1 + ring_, at::kLong);
  const at::Tensor history = latent.index_select(1, (T - age).remainder(slots).to(latent.device()));
  const auto all = [&](int64_t n) { return at::full({B}, n, at::kLong); };
  return Pack(history, all(held), state.Get("mean"), all(std::max<int64_t>(0, T - slots)));
}

// Every frame of a clip packs the clip's frames before it.
class FramePackReader : public MemoryReader {
 public:
  FramePackReader(const FramePackMemory& memory, const ClipQuery& clip) : memory_(memory), clip_(clip) {}
  LayerRead Read(int64_t, const LayerActivation&, const at::Tensor&) override { return {}; }

  InputContext Input() override {
    const int64_t T = clip_.frames, recent = memory_.geometry_.recent, ring = memory_.ring_, slots = ring + recent;
    const std::vector<ClipRow> rows = ReadingRows(clip_, recent);
    if (rows.empty()) return {};
    std::vector<int64_t> source, count, older;
    for (const auto& [b, t] : rows) {
      count.push_back(std::min(t - recent, ring));
      older.push_back(std::max<int64_t>(0, t - slots));
      for (int64_t i = 0; i < ring; ++i) source.push_back(b * T + std::max<int64_t>(0, t - recent - 1 - i));
    }
    const at::Device device = clip_.latent.device();
    const at::Tensor row = RowIndex(rows, T), gone = at::tensor(older, at::kLong);
    const at::Tensor history = PickFrames(clip_.latent, at::tensor(source, at::kLong).view({-1, ring}));
    // Means of the first n frames of a clip, n = 1 .. T; row n - 1.
    const at::Tensor n = at::arange(1, T + 1, at::TensorOptions(at::kFloat).device(device)).view({1, T, 1, 1, 1});
    const at::Tensor means = clip_.latent.to(at::kFloat).cumsum(1) / n;
    const at::Tensor of = row.floor_divide(T) * T + (gone - 1).clamp_min(0);
    InputContext out = memory_.Pack(history, at::tensor(count, at::kLong), PickFrames(means, of), gone);
    out.rows = row.to(device);
    return out;
  }

 private:
  const FramePackMemory& memory_;
  ClipQuery clip_;
};

std::unique_ptr<MemoryReader> FramePackMemory::OpenClip(const ClipQuery& clip) const {
  return std::make_unique<FramePackReader>(*this, clip);
}

void FramePackMemory::AdoptEmbedding(const TokenEmbedding& embedding) {
  for (const auto& e : embeddings_) e->Adopt(embedding);
}

int64_t FramePackMemory::Tokens(int64_t frames) const {
  int64_t left = frames - geometry_.recent, tokens = 0;
  for (size_t i = 0; i < groups_.size(); ++i) {
    tokens += std::clamp<int64_t>(left, 0, groups_[i].frames) / groups_[i].time * embeddings_[i]->Tokens();
    left -= groups_[i].frames;
  }
  return tokens + (tail_ && left > 0 ? 1 : 0);
}

size_t FramePackMemory::StateBytes(int64_t, at::ScalarType dtype) const {
  const auto& g = geometry_;
  const int64_t latent = g.channels * g.Tokens() * g.patch * g.patch;
  return static_cast<size_t>(latent * (ring_ + g.recent)) * c10::elementSize(dtype) + static_cast<size_t>(latent) * sizeof(float) +
         sizeof(int64_t);
}

MemoryCost FramePackMemory::Cost(int64_t frames) const {
  const double N = static_cast<double>(geometry_.Tokens()), D = static_cast<double>(geometry_.Dim());
  // Absent tokens are computed too: the shapes do not change with time.
  const double c = frames > geometry_.recent ? static_cast<double>(Tokens(geometry_.recent + ring_ + 1)) : 0;
  return {.read = 2 * N * c * D, .select = static_cast<double>(geometry_.layers) * (c * 12 * D * D + 2 * c * c * D)};
}

Json FramePackMemory::Audit(const Parts& state, const ReadPlan&) const {
  const int64_t T = state.Get("committed").item<int64_t>();
  return {{"tokens", Tokens(T)},
          {"frames", std::min(T, ring_ + geometry_.recent)},
          {"older", std::max<int64_t>(0, T - ring_ - geometry_.recent)}};
}

}  // namespace orrery
