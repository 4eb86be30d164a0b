// The state of a world model: what is remembered, how it is written and how it is read.
//   S_t = Write(S_{t-1}, z_t, a_{t-1});   z_{t+1} ~ Sample(Read(S_t, query), a_t)
// B batch, L layers, H heads, d head width, N tokens a frame, c context tokens.
//
// A frame has two phases. Denoise: several passes over the noisy frame; the state is read-only and what is read is chosen once
// (BeginFrame). Commit: one pass of the finished frame at the context level; only Commit writes state.
// A Memory holds learned parameters and is const while running; the mutable state is a Parts value owned by a session.
#pragma once
#include <torch/nn/module.h>

#include "core/parts.h"
#include "core/spec.h"

namespace orrery {

// Sizes that a memory needs to know of the transition it serves.
struct MemoryGeometry {
  int64_t layers = 6, heads = 4, head_dim = 64;
  int64_t rows = 4, columns = 4;  // tokens of a frame: N = rows * columns

  int64_t Tokens() const { return rows * columns; }
};

// What is known before frame `frame` is generated.
struct FrameQuery {
  int64_t frame = 0;  // index since the session's reset
  at::Tensor action;  // [B, A], leads to this frame; undefined without actions
  at::Tensor pose;    // [B, 3], of this frame; undefined unless the model takes poses
};

// One layer's activations of a committed frame.
struct LayerActivation {
  at::Tensor key, value;  // [B, H, N, d]; keys normalised, not rotated
};

struct CleanFrame {
  FrameQuery query;
  at::Tensor latent;                    // [B, C, h, w]
  std::vector<LayerActivation> layers;  // L
};

// What temporal attention sees in one layer beside the frame itself.
struct AttentionContext {
  at::Tensor key, value;  // [B, H, c, d], un-rotated; c may be 0
  at::Tensor coord;       // [c, 3] fp32: t relative to the frame being made (< 0), y, x
  at::Tensor bias;        // [B, 1|H, 1, c]: log sizes, -inf masks; undefined: none
  at::Tensor frame;       // [c] int64: where each token comes from
};

// Choices for one frame, made once and kept for all its denoising passes. Owned by the caller.
struct ReadPlan {
  FrameQuery query;
  Parts selection;  // mechanism's own
};

// Declared facts that the conformance suite checks.
struct MemoryFacts {
  bool bounded = true;  // state stops growing
  bool needs_pose = false;
  int64_t reach = 0;  // frames before this one that training's parallel form sees; < 0: all
};

class Memory : public torch::nn::Module {
 public:
  virtual MemoryFacts Declared() const = 0;
  virtual std::string Spec() const = 0;

  // The state of sessions that have seen nothing.
  virtual Parts Reset(int64_t batch, at::Device device, at::ScalarType dtype, uint64_t seed) const = 0;
  virtual ReadPlan BeginFrame(const Parts& state, const FrameQuery& query) const = 0;
  // Port K: keys and values for one layer. c = 0 where there is nothing to see.
  virtual AttentionContext Context(const Parts& state, const ReadPlan& plan, int64_t layer) const = 0;
  // The only writer.
  virtual void Commit(Parts& state, const ReadPlan& plan, const CleanFrame& frame) const = 0;

  // The formula for the bytes of one session's state after `frames` committed frames.
  virtual size_t StateBytes(int64_t frames, at::ScalarType dtype) const = 0;
  // What the plan read, for people and tests: frames seen, and whatever else the mechanism chose.
  virtual Json Audit(const Parts& state, const ReadPlan& plan) const = 0;
};

}  // namespace orrery
