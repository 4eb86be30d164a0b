#include "state/implicit/retrieval/moba.h"

#include <ATen/ATen.h>

#include "core/error.h"

namespace orrery {

namespace {

// Parts "mean/i" [L, B, H, kChunk, d] beside the cache's.
std::string MeanName(int64_t chunk) { return fmt::format("mean/{}", chunk); }

// [B, H, S, d] -> means over the tokens of each frame, fp32 [B, H, T, d].
at::Tensor FrameMeans(const at::Tensor& x, int64_t frames) {
  return x.to(at::kFloat).view({x.size(0), x.size(1), frames, -1, x.size(3)}).mean(3);
}

}  // namespace

MobaMemory::MobaMemory(int64_t k, bool anchor, const MemoryGeometry& geometry)
    : k_(k), anchor_(anchor), geometry_(geometry), cache_(geometry) {
  if (k < 1) Fail("moba: k >= 1 frames expected, got {}", k);
}

Facts MobaMemory::Describe() {
  return {"moba",
          "each head reads the old frames whose mean key fits best",
          "arXiv 2502.13189; anchors: arXiv 2508.21058",
          {{"k", 4, "frames a head reads, >= 1"}, {"anchor", true, "the first frame is always read besides"}}};
}

MemoryFacts MobaMemory::Declared() const { return {.bounded = false, .reach = -1, .ports = "K", .family = "retrieval"}; }

at::Tensor MobaMemory::Select(const at::Tensor& gates, int64_t candidates) const {
  at::Tensor chosen = at::zeros_like(gates, gates.options().dtype(at::kBool));
  const int64_t first = anchor_ ? 1 : 0, n = candidates - first;
  if (anchor_ && candidates > 0) chosen.select(-1, 0).fill_(true);
  if (n <= 0) return chosen;
  // A stable sort, so that of equal gates the older frame is taken, whatever the kernel.
  const at::Tensor order = std::get<1>(gates.narrow(-1, first, n).sort(/*stable=*/true, -1, /*descending=*/true));
  return chosen.scatter(-1, order.narrow(-1, 0, std::min(k_, n)) + first, true);
}

LayerRead MobaMemory::Reader::Read(int64_t, const LayerActivation& own, const at::Tensor& query) {
  const int64_t T = frames_, N = memory_.geometry_.Tokens();
  const at::Tensor keys = FrameMeans(own.key.detach(), T), queries = FrameMeans(query.detach(), T);
  const at::Tensor gates = at::matmul(queries, keys.transpose(2, 3));  // [B, H, T, T]
  std::vector<at::Tensor> rows;
  for (int64_t t = 0; t < T; ++t) rows.push_back(memory_.Select(gates.select(2, t), t - memory_.geometry_.recent));
  const at::Tensor frames = at::stack(rows, 2);
  LayerRead read;
  read.sight.far = frames.repeat_interleave(N, 2).repeat_interleave(N, 3);
  read.sight.far_time = memory_.FarTime();
  return read;
}

AttentionContext MobaMemory::Context(const Parts& state, const ReadPlan&, int64_t layer, const at::Tensor& query) const {
  const int64_t T = FrameCache::Committed(state), candidates = T - geometry_.recent, N = geometry_.Tokens();
  if (candidates <= 0) return {};
  std::vector<at::Tensor> means;
  for (int64_t f = 0; f < candidates; f += FrameCache::kChunk)
    means.push_back(
        state.Get(MeanName(f / FrameCache::kChunk)).select(0, layer).narrow(2, 0, std::min(FrameCache::kChunk, candidates - f)));
  const at::Tensor mean = at::cat(means, 2), ask = FrameMeans(query, 1);
  const at::Tensor chosen = Select(at::matmul(ask, mean.transpose(2, 3)).squeeze(2), candidates);  // [B, H, candidates]
  // Frames that some head chose are copied together, and each head takes its own of them, oldest first.
  const int64_t count = std::min(candidates, k_ + (anchor_ ? 1 : 0));
  const at::Tensor own = std::get<1>(chosen.to(at::kByte).sort(/*stable=*/true, -1, /*descending=*/true)).narrow(-1, 0, count);
  const at::Tensor any = chosen.flatten(0, 1).any(0), held = any.nonzero().flatten().cpu();
  const std::vector<int64_t> frames(held.const_data_ptr<int64_t>(), held.const_data_ptr<int64_t>() + held.numel());
  const at::Tensor where = (any.cumsum(0) - 1).index({own}).unsqueeze(-1).unsqueeze(-1);  // [B, H, count, 1, 1]
  const auto take = [&](const at::Tensor& x) {
    const at::Tensor all = x.view({x.size(0), x.size(1), -1, N, x.size(3)});
    return all.gather(2, where.expand({-1, -1, -1, N, x.size(3)})).flatten(2, 3);
  };
  at::Tensor coord = GridCoordinates(count, geometry_.rows, geometry_.columns);
  coord.select(1, 0).fill_(-FarTime());
  const at::Tensor alike = (own == own.narrow(1, 0, 1)).all(1);  // heads that chose one frame at one place
  const at::Tensor frame = at::where(alike, own.select(1, 0), at::full({}, -1, own.options())).repeat_interleave(N, 1);
  return {take(cache_.Keys(state, layer, frames)), take(cache_.Values(state, layer, frames)), coord.to(query.device()), {}, frame};
}

void MobaMemory::Commit(Parts& state, const ReadPlan&, const CleanFrame& clean) const {
  const int64_t frame = FrameCache::Committed(state), chunk = frame / FrameCache::kChunk;
  const at::Tensor& like = clean.layers[0].key;
  if (!state.Has(MeanName(chunk)))
    state.Add(
        MeanName(chunk), "layer batch head frame dim",
        at::zeros({geometry_.layers, like.size(0), like.size(1), FrameCache::kChunk, like.size(3)}, like.options().dtype(at::kFloat)));
  at::Tensor& mean = state.Mutable(MeanName(chunk));
  for (int64_t l = 0; l < geometry_.layers; ++l)
    mean.select(0, l).select(2, frame % FrameCache::kChunk).copy_(FrameMeans(clean.layers[l].key, 1).squeeze(2));
  cache_.Append(state, clean.layers);
}

size_t MobaMemory::StateBytes(int64_t frames, at::ScalarType dtype) const {
  const int64_t chunks = (frames + FrameCache::kChunk - 1) / FrameCache::kChunk;
  return cache_.Bytes(frames, dtype) +
         static_cast<size_t>(geometry_.layers * chunks * FrameCache::kChunk * geometry_.Dim()) * sizeof(float);
}

MemoryCost MobaMemory::Cost(int64_t frames) const {
  const double N = static_cast<double>(geometry_.Tokens()), D = static_cast<double>(geometry_.Dim());
  const int64_t old = std::max<int64_t>(0, frames - geometry_.recent);
  const auto read = static_cast<double>(std::min(old, k_ + (anchor_ ? 1 : 0)));
  return {.read = 2 * N * read * N * D, .select = static_cast<double>(geometry_.layers * old) * D};
}

Json MobaMemory::Audit(const Parts& state, const ReadPlan&) const {
  const int64_t old = std::max<int64_t>(0, FrameCache::Committed(state) - geometry_.recent);
  return {{"frames", old}, {"read a head", std::min(old, k_ + (anchor_ ? 1 : 0))}};
}

}  // namespace orrery
