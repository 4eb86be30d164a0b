#include "state/implicit/retrieval/radial.h"

#include <ATen/ATen.h>

#include <bit>

namespace orrery {

namespace {

class RadialReader : public MemoryReader {
 public:
  explicit RadialReader(at::Tensor near) : near_(std::move(near)) {}
  LayerRead Read(int64_t, const LayerActivation&, const at::Tensor&) override {
    LayerRead read;
    read.sight.near = near_;
    return read;
  }

 private:
  at::Tensor near_;
};

}  // namespace

Facts RadialMemory::Describe() {
  return {
      "radial", "fewer tokens the farther a frame lies back", "arXiv 2506.19852", {{"sink", true, "the first frame is always seen whole"}}};
}

MemoryFacts RadialMemory::Declared() const { return {.bounded = false, .reach = -1, .ports = "K", .family = "retrieval"}; }

// g, the power of two that a distance reaches, and how many frames lie between those that are seen at it: 1 while a frame is wide.
int64_t RadialMemory::Every(int64_t distance) const {
  const auto g = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(distance)));
  return std::max<int64_t>(1, (g + geometry_.Tokens() - 1) / geometry_.Tokens());
}

at::Tensor RadialMemory::Seen(int64_t distance, bool first) const {
  const int64_t N = geometry_.Tokens();
  if ((first && sink_) || distance <= 1) return at::ones({N, N}, at::kBool);
  if (distance % Every(distance) != 0) return at::zeros({N, N}, at::kBool);
  const auto g = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(distance)));
  const at::Tensor n = at::arange(N, at::kLong), apart = (n.unsqueeze(1) - n.unsqueeze(0)).abs();
  return apart + 1 <= std::max<int64_t>(1, N / g);
}

std::vector<int64_t> RadialMemory::Frames(int64_t frames) const {
  std::vector<int64_t> seen;
  for (int64_t f = 0; f < frames - geometry_.recent; ++f)
    if ((f == 0 && sink_) || (frames - f) % Every(frames - f) == 0) seen.push_back(f);
  return seen;
}

// Selection: "frame" [F], "coord" [F N, 3], "bias" [1, 1, N, F N], the same for all layers.
ReadPlan RadialMemory::BeginFrame(const Parts& state, const FrameQuery& query) const {
  ReadPlan plan{query, {}};
  const int64_t T = FrameCache::Committed(state), N = geometry_.Tokens();
  const std::vector<int64_t> frames = Frames(T);
  if (frames.empty()) return plan;
  std::vector<at::Tensor> masks;
  for (const int64_t f : frames) masks.push_back(Seen(T - f, f == 0));
  const at::Tensor frame = at::tensor(frames, at::kLong);
  at::Tensor coord = GridCoordinates(frame.size(0), geometry_.rows, geometry_.columns);
  coord.select(1, 0).copy_((frame - query.frame).repeat_interleave(N).to(at::kFloat));
  plan.selection.Add("frame", "frame", frame);
  plan.selection.Add("coord", "token t,y,x", coord);
  plan.selection.Add("bias", "one one query token", at::cat(masks, 1).logical_not().to(at::kFloat).view({1, 1, N, -1}) * kAbsent);
  return plan;
}

AttentionContext RadialMemory::Context(const Parts& state, const ReadPlan& plan, int64_t layer, const at::Tensor&) const {
  if (!plan.selection.Has("frame")) return {};
  const at::Tensor& frame = plan.selection.Get("frame");
  const std::vector<int64_t> frames(frame.const_data_ptr<int64_t>(), frame.const_data_ptr<int64_t>() + frame.numel());
  const at::Tensor key = cache_.Keys(state, layer, frames);
  const at::Tensor bias = plan.selection.Get("bias").to(key.device()).expand({key.size(0), -1, -1, -1});
  return {key, cache_.Values(state, layer, frames), plan.selection.Get("coord").to(key.device()), bias,
          frame.repeat_interleave(geometry_.Tokens())};
}

std::unique_ptr<MemoryReader> RadialMemory::OpenClip(const ClipQuery& clip) const {
  const int64_t T = clip.frames, N = geometry_.Tokens();
  at::Tensor near = at::zeros({T, N, T, N}, at::kBool);
  for (int64_t t = 0; t < T; ++t)
    for (const int64_t f : Frames(t)) near.select(0, t).select(1, f).copy_(Seen(t - f, f == 0));
  return std::make_unique<RadialReader>(near.view({T * N, T * N}).to(clip.latent.device()));
}

MemoryCost RadialMemory::Cost(int64_t frames) const {
  const double N = static_cast<double>(geometry_.Tokens());
  return {.read = 2 * N * N * static_cast<double>(Frames(frames).size()) * static_cast<double>(geometry_.Dim())};
}

Json RadialMemory::Audit(const Parts& state, const ReadPlan&) const {
  const int64_t T = FrameCache::Committed(state);
  int64_t pairs = 0;
  const std::vector<int64_t> frames = Frames(T);
  for (const int64_t f : frames) pairs += Seen(T - f, f == 0).sum().item<int64_t>();
  return {{"frames", frames}, {"tokens a query", static_cast<double>(pairs) / static_cast<double>(geometry_.Tokens())}};
}

}  // namespace orrery
