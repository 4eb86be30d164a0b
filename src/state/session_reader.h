// One frame of a session read from its state: chosen once, rotated once, used by every pass over the frame.
#pragma once
#include "state/memory.h"

namespace orrery {

// Borrows all three; the state may not be written while it lives.
class SessionReader : public MemoryReader {
 public:
  SessionReader(const Memory& memory, const Parts& state, const ReadPlan& plan) : memory_(memory), state_(state), plan_(plan) {}

  InputContext Input() override {
    if (!input_) input_ = memory_.Input(state_, plan_);
    return *input_;
  }
  LayerRead Read(int64_t layer, const LayerActivation&, const at::Tensor& query) override {
    return {{}, memory_.Context(state_, plan_, layer, query)};
  }
  bool WantsTokens() const override { return memory_.ReadsQueries(); }
  at::Tensor Branch(int64_t layer, const at::Tensor& x) override { return memory_.Branch(state_, plan_, layer, x); }
  std::vector<LayerContext>* Kept() override { return &kept_; }

 private:
  const Memory& memory_;
  const Parts& state_;
  const ReadPlan& plan_;
  std::optional<InputContext> input_;  // found by the first pass
  std::vector<LayerContext> kept_;
};

}  // namespace orrery
