// What the transition network sees of a memory, in one layout for both forms: a clip in training, one frame in a session.
// B batch, T frames, R = B T rows, H heads, d head width, D = H d, N tokens a frame, S = T N, c context tokens.
#pragma once
#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "core/parts.h"
#include "nn/rope.h"

namespace orrery {

constexpr double kAbsent = -1e9;  // bias of a token that is not there: finite, so that a row without any stays a number

constexpr double kFirstGate = -2;  // what a memory's learned gate begins at: its tokens weigh an eighth of a window's

// One layer's activations of frames.
struct LayerActivation {
  at::Tensor key, value;  // [B, H, S, d]; keys normalised, not rotated
  at::Tensor features;    // [B, S, D] the layer's input, fp32
};

// Port K: tokens that attention of one frame sees beside its own. An undefined key: none.
struct AttentionContext {
  at::Tensor key, value;  // [R, H, c, d], un-rotated; c may be 0
  at::Tensor coord;       // [c, 3] or [R, c, 3] fp32: t relative to the frame being made, y, x
  at::Tensor bias;        // [R, 1|H, 1|N, c]: log sizes, -inf masks; undefined: none
  at::Tensor frame;       // [c] or [R, c] int64: where each token comes from; -1: from several or none

  int64_t Size() const { return key.defined() ? key.size(2) : 0; }
};

// Port I. Undefined tensors: nothing.
struct InputContext {
  at::Tensor tokens;    // [R, c, D] clean tokens, embedded; they see each other and never the frame
  at::Tensor coord;     // [c, 3] or [R, c, 3] relative to the frame
  at::Tensor bias;      // [R, c] fp32 added to the scores: a learned gate, kAbsent where a row has no such token; undefined: 0
  at::Tensor rows;      // [R'] int64: tokens, coord and bias are of these rows alone, the others have none; undefined: of all
  at::Tensor features;  // [R, N, D] added to the frame's own tokens
};

// Which frames of the clip itself a layer's attention sees; in a session there is only the frame itself.
struct ClipSight {
  int64_t reach = 0;  // frames t - reach .. t, at their true distance; < 0: all
  at::Tensor far;     // [B|1, 1|H, S, S] bool, query by key: seen too, as if `far_time` frames ago; disjoint from reach; undefined: none
  double far_time = 0;
  at::Tensor near;  // [S, S] bool, query by key: single tokens at their true distance, beside those of `reach`; undefined: none
};

struct LayerRead {
  ClipSight sight;
  AttentionContext context;
};

// Keys and values that are rotated once a frame and used by all its passes.
struct LayerContext {
  at::Tensor key, value, bias;  // as AttentionContext; undefined: none
};

class MemoryReader {
 public:
  virtual ~MemoryReader() = default;

  virtual InputContext Input() { return {}; }
  // `own`: activations of the frames themselves; its keys, and `query` [B, H, S, d], un-rotated, are there only if WantsTokens.
  virtual LayerRead Read(int64_t layer, const LayerActivation& own, const at::Tensor& query) = 0;
  virtual bool WantsTokens() const { return false; }
  // The layer's input x [B, S, D], layers in order -> what is added to it, beside attention. Undefined: nothing.
  virtual at::Tensor Branch(int64_t layer, const at::Tensor& x) { return {}; }
  // The same where the frames x, which are remembered, have twins `asking` [B, S, D] at the same times, which read and are not remembered:
  // what is added to x, then to the twins, [B, 2 S, D].
  virtual at::Tensor BranchTwins(int64_t layer, const at::Tensor& x, const at::Tensor& asking) { return {}; }
  // A loss of the memory's own (a selector, a depth head) over the clip, after all layers. Undefined: none.
  virtual at::Tensor Loss() { return {}; }
  // Puts what the clip left, detached, into `state` (of Memory::Reset, or the clip's `before`), after the network ran: the next window of
  // the same episode goes on from there. false: this memory carries nothing over from clip to clip (of a sum: no part does).
  virtual bool Finish(Parts& state) { return false; }
  // Of a session: one entry a layer, kept between the passes of a frame; empty before the first. Null in training.
  virtual std::vector<LayerContext>* Kept() { return nullptr; }
};

// Frames t - reach .. t and nothing else: the training form of a window.
class WindowReader : public MemoryReader {
 public:
  explicit WindowReader(int64_t reach) : reach_(reach) {}
  LayerRead Read(int64_t, const LayerActivation&, const at::Tensor&) override { return {{reach_, {}, 0, {}}, {}}; }

 private:
  int64_t reach_;
};

// The bias of tokens that are there (bool) or not: a learned gate [] or kAbsent, of the shape of `there`.
at::Tensor GatedBias(const at::Tensor& there, const at::Tensor& gate);

// key [R, H, c, d] rotated by coord [c, 3] or [R, c, 3].
at::Tensor RotateKeys(const at::Tensor& key, const at::Tensor& coord);

}  // namespace orrery
