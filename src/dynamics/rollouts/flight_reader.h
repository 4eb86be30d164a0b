// Frames in flight read a session's memory together: each what the state offers to it, and each other.
// B batch, T frames in flight, R = B T rows, H heads, N tokens a frame, d head width, c context tokens, D width.
#pragma once
#include "state/memory.h"

namespace orrery {

// What frames see of each other and of the finished ones.
struct FlightSight {
  bool joint = false;             // all frames in flight see each other; false: none sees a later block
  int64_t block = 1;              // frames that see each other both ways
  int64_t offset = 0;             // of the first frame in its block
  int64_t window = 0;             // newest finished frames that are seen, those of the sink included; 0: all that the state offers
  int64_t sink = 0;               // first frames that stay in sight, just before the others
  const Parts* kept = nullptr;    // their key, value [L, B, H, s N, d]; those of them that are finished
  int64_t rows = 0, columns = 0;  // tokens of a frame
};

// Of one frame it is what SessionReader is. Borrows the memory, the state and the sink's keys, which may not be written while it lives.
class FlightReader : public MemoryReader {
 public:
  // `queries` of consecutive frames.
  FlightReader(const Memory& memory, const Parts& state, const std::vector<FrameQuery>& queries, const FlightSight& sight);

  const ReadPlan& Plan(size_t frame) const { return plans_[frame]; }

  InputContext Input() override;
  LayerRead Read(int64_t layer, const LayerActivation& own, const at::Tensor& query) override;
  bool WantsTokens() const override { return memory_.ReadsQueries(); }
  at::Tensor Branch(int64_t layer, const at::Tensor& x) override;
  std::vector<LayerContext>* Kept() override { return plans_.size() == 1 ? &kept_ : nullptr; }

 private:
  AttentionContext ContextOf(size_t frame, int64_t layer, const at::Tensor& query) const;
  AttentionContext Limited(AttentionContext all, int64_t frame) const;
  AttentionContext SinkOf(int64_t layer, int64_t frame) const;
  ClipSight SightOf(at::Device device) const;
  bool Plain() const { return plans_.size() == 1 && sight_.window == 0 && sight_.sink == 0; }
  int64_t Recent() const;

  const Memory& memory_;
  const Parts& state_;
  std::vector<ReadPlan> plans_;
  FlightSight sight_;
  MemoryFacts facts_;
  std::optional<InputContext> input_;  // found by the first pass
  std::vector<LayerContext> kept_;     // of one frame
  std::vector<LayerRead> read_;        // of several
};

}  // namespace orrery
