// A recurrent state alone, without a network: frames of random features are written, and read with given tokens.
#pragma once
#include <ATen/ATen.h>

#include <map>
#include <string>

#include "core/tensor_rng.h"
#include "state/registry.h"

namespace orrery {

class History {
 public:
  // Outputs that begin at zero are opened, so that what is read shows. kDouble: all in fp64.
  explicit History(const std::string& spec, at::ScalarType type = at::kFloat, int64_t side = 2) : type_(type) {
    geometry_.rows = geometry_.columns = side;
    at::manual_seed(4);
    memory_ = MakeMemory(spec, geometry_);
    const at::NoGradGuard guard;
    for (auto& item : memory_->named_parameters())
      if (item.key().starts_with("out")) item.value().normal_(0, 0.2);
    memory_->to(type);
  }

  int64_t Tokens() const { return geometry_.Tokens(); }
  int64_t Last() const { return geometry_.layers - 1; }  // a layer with a branch
  const Memory& Get() const { return *memory_; }
  at::Tensor Weight(const std::string& name) const { return memory_->named_parameters()[name].detach(); }

  Parts Fresh() const { return memory_->Reset(1, at::kCPU, type_, 0); }
  // Features of frame t, alike in all layers: [1, N, D].
  at::Tensor Frame(int64_t t, uint64_t seed = 0) const {
    Rng rng(DeriveSeed(seed, static_cast<uint64_t>(t)));
    return NormalTensor({1, Tokens(), geometry_.Dim()}, rng).to(type_);
  }
  at::Tensor Blank() const { return at::zeros({1, Tokens(), geometry_.Dim()}, type_); }  // its keys and values are 0

  void Commit(Parts& state, int64_t t, const at::Tensor& features) const {
    const at::NoGradGuard guard;
    CleanFrame frame{{t, {}, {}}, {}, {}};
    for (int64_t l = 0; l < geometry_.layers; ++l) frame.layers.push_back({{}, {}, features});
    memory_->Commit(state, memory_->BeginFrame(state, frame.query), frame);
  }
  Parts After(int64_t frames) const {
    Parts state = Fresh();
    for (int64_t t = 0; t < frames; ++t) Commit(state, t, Frame(t));
    return state;
  }
  // What the last layer's branch adds to `features` of frame t.
  at::Tensor Read(const Parts& state, int64_t t, const at::Tensor& features) const {
    const at::NoGradGuard guard;
    return memory_->Branch(state, {{t, {}, {}}, {}}, Last(), features);
  }
  at::Tensor Read(const Parts& state) const { return Read(state, 100, Frame(100)); }

 private:
  MemoryGeometry geometry_{.layers = 2, .heads = 2, .head_dim = 8, .rows = 2, .columns = 2, .channels = 3, .patch = 1};
  at::ScalarType type_;
  std::shared_ptr<Memory> memory_;
};

}  // namespace orrery
