// The state of a world model: what is remembered, how it is written and how it is read.
//   S_t = Write(S_{t-1}, z_t, a_{t-1});   z_{t+1} ~ Sample(Read(S_t, query), a_t)
// B batch, T frames, L layers, H heads, d head width, D = H d, N tokens a frame, c context tokens, C x h x w latents;
// R rows: B in the streaming form, B T in the training form.
//
// A frame has two phases. Denoise: several passes over the noisy frame; the state is read-only and what is read is chosen once
// (BeginFrame). Commit: one pass of the finished frame at the context level; only Commit writes state.
// A Memory holds learned parameters and is const while running; the mutable state is a Parts value owned by a session.
// Memory enters the network through three ports:
//   I  input: clean context tokens that run through the network once a frame, or features added to the frame's own tokens
//   K  keys and values that attention sees beside the frame itself, a layer
//   R  a residual branch with a recurrent state of its own, a layer
#pragma once
#include <torch/nn/module.h>

#include "core/parts.h"
#include "core/spec.h"
#include "state/reader.h"

namespace orrery {

// Sizes that a memory needs to know of the transition it serves.
struct MemoryGeometry {
  int64_t layers = 6, heads = 4, head_dim = 64;
  int64_t rows = 4, columns = 4;    // tokens of a frame: N = rows * columns
  int64_t channels = 8, patch = 2;  // a latent is [channels, rows * patch, columns * patch]
  int64_t actions = 0;              // number of discrete actions; 0: none, or continuous
  int64_t recent = 0;               // newest frames that another part of the state holds already: leave these out

  int64_t Tokens() const { return rows * columns; }
  int64_t Dim() const { return heads * head_dim; }
};

// What is known before frame `frame` is generated.
struct FrameQuery {
  int64_t frame = 0;  // index since the session's reset
  at::Tensor action;  // [B, A], leads to this frame; undefined without actions
  at::Tensor pose;    // [B, 3], of this frame; undefined unless the model takes poses
};

struct CleanFrame {
  FrameQuery query;
  at::Tensor latent;                    // [B, C, h, w]
  std::vector<LayerActivation> layers;  // L
};

// Choices for one frame, made once and kept for all its denoising passes. Owned by the caller.
struct ReadPlan {
  FrameQuery query;
  Parts selection;  // mechanism's own
};

// A whole clip, of which every frame is a query and a memory of later ones.
struct ClipQuery {
  int64_t batch = 1, frames = 1;
  at::Tensor latent;              // [B, T, C, h, w] fp32, as later frames remember it: clean, or roughened as imperfect history
  at::Tensor action, pose;        // [B, T, A], [B, T, 3]; undefined without
  at::Tensor target;              // [B, T] bool: frames in the loss; others may go without input tokens. Undefined: all
  int64_t first = 0;              // index of the clip's first frame
  const Parts* before = nullptr;  // state at the clip's beginning, detached, read by OpenClip alone; null: Reset
};

// The network's token embedding, for memories that embed latents alike: weight [D, C p p], bias [D], place [N, D].
struct TokenEmbedding {
  at::Tensor weight, bias, place;
};

// Multiply-accumulates of one session at one history length, beside those of the network without a memory.
struct MemoryCost {
  double read = 0;    // a pass and layer: scores and values of N queries, or the branch
  double select = 0;  // a frame, all layers
  double write = 0;   // a frame, all layers
};

// Declared facts that the conformance suite checks.
struct MemoryFacts {
  bool bounded = true;  // state stops growing
  bool needs_pose = false;
  int64_t reach = 0;        // frames before this one that an output may depend on within a clip; < 0: all
  int64_t held = 0;         // newest frames held whole by this part (a stack tells the other parts)
  std::string ports;        // of "IKR"
  std::string family;       // "baseline", "compression", "retrieval", "consolidation", "hidden", "parametric", "geometry"
  double tolerance = 1e-4;  // of parallel against streaming outputs in fp32
};

class Memory : public torch::nn::Module {
 public:
  virtual MemoryFacts Declared() const = 0;
  virtual std::string Spec() const = 0;

  // The state of sessions that have seen nothing.
  virtual Parts Reset(int64_t batch, at::Device device, at::ScalarType dtype, uint64_t seed) const = 0;
  // Chooses what to read. Throws Error when the query lacks a pose that is needed.
  virtual ReadPlan BeginFrame(const Parts& state, const FrameQuery& query) const { return {query, {}}; }
  // Port I, once a frame.
  virtual InputContext Input(const Parts& state, const ReadPlan& plan) const { return {}; }
  // Port K, once a frame and layer; `query` [B, H, N, d], un-rotated, is that of the frame's first pass. c may be 0.
  virtual AttentionContext Context(const Parts& state, const ReadPlan& plan, int64_t layer, const at::Tensor& query) const { return {}; }
  virtual bool ReadsQueries() const { return false; }  // whether Context looks at `query`; undefined otherwise
  // Port R, every pass: x [B, N, D] -> what is added to it. Undefined: nothing.
  virtual at::Tensor Branch(const Parts& state, const ReadPlan& plan, int64_t layer, const at::Tensor& x) const { return {}; }
  // The same of frames after one another that are made together, none of them committed: x [B, T N, D]. A recurrence gives each frame what
  // those before it would write; here each reads the state as it is.
  virtual at::Tensor BranchOfFlight(const Parts& state, const std::vector<ReadPlan>& plans, int64_t layer, const at::Tensor& x) const;
  // The only writer.
  virtual void Commit(Parts& state, const ReadPlan& plan, const CleanFrame& frame) const = 0;
  // Puts what `other`, of as many frames, remembers in place of what `state` does, but for the newest frames that a window holds: whether
  // what lies farther back is heard at all. What holds new and old frames in one is replaced whole.
  virtual void TakeOlder(Parts& state, const Parts& other) const { state = other.Fork(); }

  // The same reads and writes over a clip at once, with gradients: frame t reads what Commit of the frames before it would have
  // written. `this` outlives it.
  virtual std::unique_ptr<MemoryReader> OpenClip(const ClipQuery& clip) const = 0;

  // Called once for new weights, before training: what a memory begins with when it embeds latents as the network does.
  virtual void AdoptEmbedding(const TokenEmbedding& embedding) {}

  // Likewise: mean and deviation [2] of the data's positions; the unit of lengths.
  virtual void AdoptPoses(const at::Tensor& mean, const at::Tensor& deviation) {}

  // The formula for the bytes of one session's state after `frames` committed frames.
  virtual size_t StateBytes(int64_t frames, at::ScalarType dtype) const = 0;
  virtual MemoryCost Cost(int64_t frames) const = 0;
  // What the plan read, for people and tests: frames seen, and whatever else the mechanism chose.
  virtual Json Audit(const Parts& state, const ReadPlan& plan) const = 0;
};

}  // namespace orrery
