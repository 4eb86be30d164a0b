// Memories of keys and values alone, without a network: frames of random activations are committed, and a frame's attention is read.
#pragma once
#include <ATen/ATen.h>

#include <map>
#include <string>

#include "core/tensor_rng.h"
#include "nn/attention.h"
#include "state/registry.h"

namespace orrery {

class CacheReads {
 public:
  explicit CacheReads(const std::string& spec, const MemoryGeometry& geometry) : geometry_(geometry) {
    at::manual_seed(5);
    memory_ = MakeMemory(spec, geometry);
    state_ = memory_->Reset(1, at::kCPU, at::kFloat, 0);
  }
  Memory& Get() { return *memory_; }
  const Parts& State() const { return state_; }
  int64_t Frames() const { return frames_; }

  LayerActivation Frame(int64_t t) const {
    Rng rng(DeriveSeed(6, static_cast<uint64_t>(t)));
    const std::vector<int64_t> heads{1, geometry_.heads, geometry_.Tokens(), geometry_.head_dim};
    const at::Tensor key = NormalTensor(heads, rng), value = NormalTensor(heads, rng);
    return {key, value, NormalTensor({1, geometry_.Tokens(), geometry_.Dim()}, rng)};
  }
  // Alike in all layers.
  void Commit(const LayerActivation& frame) {
    const at::NoGradGuard guard;
    CleanFrame clean{{frames_, {}, {}}, {}, std::vector<LayerActivation>(static_cast<size_t>(geometry_.layers), frame)};
    memory_->Commit(state_, memory_->BeginFrame(state_, clean.query), clean);
    ++frames_;
  }
  void Commit(int64_t frames) {
    for (int64_t i = 0; i < frames; ++i) Commit(Frame(frames_));
  }
  // What layer 0 offers to the next frame.
  AttentionContext Context(const at::Tensor& query = {}) const {
    const at::NoGradGuard guard;
    return memory_->Context(state_, memory_->BeginFrame(state_, {frames_, {}, {}}), 0, query);
  }
  // Attention of `query` [1, H, N, d] to a context alone; rotated: with its coordinates.
  static at::Tensor Attend(const at::Tensor& query, const AttentionContext& c, bool rotated = true) {
    const at::Tensor bias = c.bias.defined() ? c.bias : at::zeros({1, 1, 1, c.Size()});
    return DenseAttention(query, rotated ? RotateKeys(c.key, c.coord) : c.key, c.value, bias);
  }

 private:
  MemoryGeometry geometry_;
  std::shared_ptr<Memory> memory_;
  Parts state_;
  int64_t frames_ = 0;
};

}  // namespace orrery
