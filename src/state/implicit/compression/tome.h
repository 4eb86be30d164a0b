// tome: keys and values of old frames in a fixed number of tokens, the most similar of which are merged as new ones come (token merging,
// arXiv 2210.09461, of a causal cache; token_merge.h has the rule). No parameters but a gate a layer. Tokens that merge average their keys,
// values and coordinates, each by the number of frames' tokens in it; attention adds the logarithm of that number. Only frames that no
// other part holds are merged: in window(8) + tome() the newest 8 frames stay whole.
// State, of a layer that has one: M (2 D + 4) numbers in fp32 and the keys and values of the `recent` frames that wait to be merged. Read:
// c = M tokens.
#pragma once
#include "state/implicit/compression/token_merge.h"
#include "state/memory.h"

namespace orrery {

struct TomeOptions {
  int64_t frames = 8;         // M = frames * N
  bool first = true;          // the first frame is never merged
  std::string times = "log";  // age of a token as attention sees it: log (w + log2(1 + age - w) beyond the w recent frames) or exact
  int64_t every = 3;          // in the last layer and every k-th before it
};

class TomeMemory : public Memory {
 public:
  TomeMemory(const TomeOptions& options, const MemoryGeometry& geometry);

  static Facts Describe();
  static std::shared_ptr<Memory> Make(const Json& params, const MemoryGeometry& geometry);
  MemoryFacts Declared() const override;
  std::string Spec() const override;
  Parts Reset(int64_t batch, at::Device device, at::ScalarType dtype, uint64_t seed) const override;
  AttentionContext Context(const Parts& state, const ReadPlan& plan, int64_t layer, const at::Tensor& query) const override;
  void Commit(Parts& state, const ReadPlan& plan, const CleanFrame& frame) const override;
  std::unique_ptr<MemoryReader> OpenClip(const ClipQuery& clip) const override;
  size_t StateBytes(int64_t frames, at::ScalarType dtype) const override;
  MemoryCost Cost(int64_t frames) const override;
  Json Audit(const Parts& state, const ReadPlan& plan) const override;

 private:
  class Reader;
  // Slots that frame `now` finds; key, value [R, H, m, d], place [R, m, 4], now [R] or [1]; of the index-th memory.
  AttentionContext Show(const at::Tensor& key, const at::Tensor& value, const at::Tensor& place, const at::Tensor& now,
                        int64_t index) const;
  int64_t First() const { return (geometry_.layers - 1) % options_.every; }  // layer with a memory
  int64_t Count() const { return (geometry_.layers - 1) / options_.every + 1; }
  int64_t IndexOf(int64_t layer) const {  // among those, -1: it has none
    return layer % options_.every == First() ? layer / options_.every : -1;
  }
  void Absorb(Parts& state, const std::vector<LayerActivation>& layers, int64_t frame) const;

  TomeOptions options_;
  MemoryGeometry geometry_;
  MergeRule rule_;
  at::Tensor place_;  // [N, 2] y, x
  at::Tensor gate_;   // [Count()] bias of merged tokens
};

}  // namespace orrery
