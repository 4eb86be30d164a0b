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

at::Tensor RadialMemory::Seen(int64_t distance, bool first) const {
  const int64_t N = geometry_.Tokens();
  if ((first && sink_) || distance <= 1) return at::ones({N, N}, at::kBool);
  const auto g = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(distance)));
  const at::Tensor n = at::arange(N, at::kLong), apart = (n.unsqueeze(1) - n.unsqueeze(0)).abs();
  if (g <= N) return apart + 1 <= N / g;
  if (distance % (g / N + (g % N != 0)) != 0) return at::zeros({N, N}, at::kBool);
  return apart == 0;
}

std::vector<int64_t> RadialMemory::Frames(int64_t frames) const {
  std::vector<int64_t> seen;
  const int64_t N = geometry_.Tokens();
  for (int64_t f = 0; f < frames - geometry_.recent; ++f) {
    const int64_t distance = frames - f;
    const auto g = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(distance)));
    if ((f == 0 && sink_) || g <= N || distance % (g / N + (g % N != 0)) == 0) seen.push_back(f);
  }
  return seen;
}

AttentionContext RadialMemory::Context(const Parts& state, const ReadPlan& plan, int64_t layer, const at::Tensor&) const {
  const int64_t T = FrameCache::Committed(state), N = geometry_.Tokens();
  const std::vector<int64_t> frames = Frames(T);
  if (frames.empty()) return {};
  const auto F = static_cast<int64_t>(frames.size());
  std::vector<at::Tensor> masks;
  for (const int64_t f : frames) masks.push_back(Seen(T - f, f == 0));
  const at::Tensor frame = at::tensor(frames, at::kLong).repeat_interleave(N);
  at::Tensor coord = GridCoordinates(F, geometry_.rows, geometry_.columns);
  coord.select(1, 0).copy_((frame - plan.query.frame).to(at::kFloat));
  const at::Tensor key = cache_.Keys(state, layer, frames);
  const auto flat = [&](const at::Tensor& x) { return x.reshape({x.size(0), x.size(1), F * N, x.size(4)}); };
  const at::Tensor hidden = at::cat(masks, 1).logical_not().to(at::kFloat) * kAbsent;
  const at::Tensor bias = hidden.view({1, 1, N, F * N}).expand({key.size(0), 1, N, F * N}).to(key.device());
  return {flat(key), flat(cache_.Values(state, layer, frames)), coord.to(key.device()), bias, frame};
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
