#include "state/implicit/window.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "core/shape.h"
#include "nn/rope.h"

namespace orrery {

// Parts: "key", "value" [L, B, H, n, N, d], a ring in which frame f has slot f mod n; "committed" [] int64, frames so far.

WindowMemory::WindowMemory(int64_t frames, const MemoryGeometry& geometry) : frames_(frames), geometry_(geometry) {
  if (frames < 1) Fail("window: frames must be >= 1, got {}", frames);
}

Facts WindowMemory::Describe() {
  return {"window", "keys and values of the last n frames", "sliding-window attention; baseline", {{"frames", 16, "frames kept, >= 1"}}};
}

MemoryFacts WindowMemory::Declared() const {
  return {.bounded = true, .reach = frames_, .held = frames_, .ports = "K", .family = "baseline"};
}

std::string WindowMemory::Spec() const { return fmt::format("window(frames={})", frames_); }

Parts WindowMemory::Reset(int64_t batch, at::Device device, at::ScalarType dtype, uint64_t seed) const {
  const auto& g = geometry_;
  const at::Tensor empty = at::zeros({g.layers, batch, g.heads, frames_, g.Tokens(), g.head_dim}, at::TensorOptions(device).dtype(dtype));
  Parts state;
  state.Add("key", "layer batch head slot token dim", empty);
  state.Add("value", "layer batch head slot token dim", empty.clone());
  state.Add("committed", "", at::zeros({}, at::kLong));
  return state;
}

ReadPlan WindowMemory::BeginFrame(const Parts& state, const FrameQuery& query) const {
  const int64_t committed = state.Get("committed").item<int64_t>();
  const int64_t held = std::min(committed, frames_);
  at::Tensor frame = at::arange(committed - held, committed, at::kLong);
  ReadPlan plan{query, {}};
  plan.selection.Add("frame", "slot", frame);
  plan.selection.Add("slot", "slot", frame.remainder(frames_));
  return plan;
}

AttentionContext WindowMemory::Context(const Parts& state, const ReadPlan& plan, int64_t layer, const at::Tensor&) const {
  const auto& g = geometry_;
  const at::Tensor& frame = plan.selection.Get("frame");
  const int64_t held = frame.size(0), N = g.Tokens();
  const at::Tensor key = state.Get("key").select(0, layer), value = state.Get("value").select(0, layer);
  const int64_t first = held ? plan.selection.Get("slot")[0].item<int64_t>() : 0;
  // Oldest first. While the ring has not wrapped this is a view; afterwards one gather.
  const auto ordered = [&](const at::Tensor& ring) {
    const at::Tensor frames =
        first == 0 ? ring.narrow(2, 0, held) : at::cat({ring.narrow(2, first, held - first), ring.narrow(2, 0, first)}, 2);
    return frames.reshape({ring.size(0), g.heads, held * N, g.head_dim});
  };
  at::Tensor coord = GridCoordinates(held, g.rows, g.columns);
  if (held) coord.select(1, 0).add_(static_cast<double>(frame[0].item<int64_t>() - plan.query.frame));
  return {ordered(key), ordered(value), coord.to(key.device()), {}, frame.repeat_interleave(N)};
}

void WindowMemory::Commit(Parts& state, const ReadPlan& plan, const CleanFrame& clean) const {
  ORRERY_CHECK(static_cast<int64_t>(clean.layers.size()) == geometry_.layers);
  at::Tensor& committed = state.Mutable("committed");
  const int64_t slot = committed.item<int64_t>() % frames_;
  at::Tensor &key = state.Mutable("key"), &value = state.Mutable("value");
  for (int64_t l = 0; l < geometry_.layers; ++l) {
    key.select(0, l).select(2, slot).copy_(clean.layers[l].key);
    value.select(0, l).select(2, slot).copy_(clean.layers[l].value);
  }
  committed.add_(1);
}

size_t WindowMemory::StateBytes(int64_t, at::ScalarType dtype) const {
  const auto& g = geometry_;
  return static_cast<size_t>(2 * g.layers * g.heads * frames_ * g.Tokens() * g.head_dim) * c10::elementSize(dtype) + sizeof(int64_t);
}

MemoryCost WindowMemory::Cost(int64_t frames) const {
  const double N = static_cast<double>(geometry_.Tokens());
  return {.read = 2 * N * N * static_cast<double>(std::min(frames, frames_)) * static_cast<double>(geometry_.Dim())};
}

Json WindowMemory::Audit(const Parts& state, const ReadPlan& plan) const {
  const at::Tensor& frame = plan.selection.Get("frame");
  Json frames = Json::array();
  for (int64_t i = 0; i < frame.size(0); ++i) frames.push_back(frame[i].item<int64_t>());
  return {{"frames", frames}, {"tokens", frame.size(0) * geometry_.Tokens()}};
}

}  // namespace orrery
