// The transition network: a diffusion transformer over frames of latent tokens (after Peebles & Xie, arXiv 2212.09748), modulated by
// noise level and action. Two layouts of attention:
//   frame_causal  every token of a frame sees all tokens of this frame and of the past: follows content across the image
//   axial         spatial attention inside the frame, then temporal attention a position, then an MLP
//   spatial_temporal  the same with an MLP after each of the two (ST-DiT, as open-oasis)
// B batch, T frames, C x h x w latents, p patch, N = (h / p)(w / p) tokens, D width, R = B T, A action width.
#pragma once
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>

#include "codec/codec.h"
#include "core/action_space.h"
#include "dynamics/mask.h"
#include "nn/rope.h"
#include "state/memory.h"

namespace orrery {

struct TransitionOptions {
  std::string layout = "frame_causal";  // or "axial", "spatial_temporal"
  int64_t dim = 256, depth = 6, heads = 4;
  int64_t patch = 2;  // latent cells a token side: 8x8 latents give 16 tokens at 2, 64 at 1
  int64_t mlp = 4;    // hidden width / dim
  bool pose = false;  // take the pose of the frame as a condition
  bool step = false;  // take the size of the denoising step as a condition (shortcut models, arXiv 2410.12557)

  // What other projects' networks have otherwise, so that their weights can be loaded (model/convert).
  bool own_modulation = false;   // a projection of the conditions in every block (adaLN of arXiv 2212.09748), not one for all and a bias
  bool qk_norm = true;           // normalise queries and keys
  bool plain_tokens = false;     // tokens are their patches alone: no learned place, and the action enters by the modulation only
  std::string rope = "grid";     // (t, y, x) together; "pixel": MakePixelRope inside a frame, MakeTimeRope (base 10,000) through time
  int64_t levels = 0;            // trained on so many discrete levels: level u is index u levels - 1, rounded; 0: continuous
  int64_t level_features = 128;  // cosines and sines of a noise level
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(TransitionOptions, layout, dim, depth, heads, patch, mlp, pose, step, own_modulation,
                                                qk_norm, plain_tokens, rope, levels, level_features)

// Conditions of every frame. Undefined tensors: no such condition for the whole clip.
struct FrameCondition {
  at::Tensor action;  // [B, T, A] float32, leads to frame t
  at::Tensor known;   // [B, T] bool: false where the action is unknown or dropped; undefined: all known
  at::Tensor pose;    // [B, T, 3]
  at::Tensor step{};  // [B, T] how far down the denoising step goes, in levels; 0, or undefined for all: the network is not told
};

class BlockImpl;
struct ContextStream;

class Transition : public torch::nn::Module {
 public:
  Transition(const TransitionOptions& options, const LatentShape& latent, const ActionSpace& actions);

  const TransitionOptions& Options() const { return options_; }
  MemoryGeometry Geometry() const;
  int64_t Tokens() const { return Geometry().Tokens(); }

  // A clip in parallel (training), or one frame of a session (T = 1): `memory` says what its frames see, within `mask`.
  // x [B, T, C, h, w], level [B, T] -> network output [B, T, C, h, w] fp32. Under ClipMask::kTeacherForced T counts the clip's T / 2
  // frames, which `memory` remembers, and their noisy twins after them. `keep`, when given, receives the activations of every layer; not
  // with twins.
  at::Tensor Forward(const at::Tensor& x, const at::Tensor& level, const FrameCondition& condition, MemoryReader& memory,
                     std::vector<LayerActivation>* keep = nullptr, const ClipMask& mask = {});
  // The same sizes and weights in new tensors.
  std::shared_ptr<Transition> Copy() const;

  TokenEmbedding Embedding() const;

  // Mean and deviation of the poses' x and y in training, for normalisation; stored with the weights.
  void SetPoseScale(const at::Tensor& mean_2, const at::Tensor& deviation_2);

 private:
  ContextStream OpenStream(const InputContext& input, int64_t rows);
  at::Tensor LevelEmbedding(const at::Tensor& level);
  at::Tensor Modulation(const at::Tensor& condition, size_t layer);
  at::Tensor Condition(const at::Tensor& level, const FrameCondition& condition);
  at::Tensor Patchify(const at::Tensor& x) const;
  at::Tensor Unpatchify(const at::Tensor& tokens, int64_t batch) const;

  TransitionOptions options_;
  LatentShape latent_;
  ActionSpace actions_;
  torch::nn::Linear patch_{nullptr}, level_in_{nullptr}, level_out_{nullptr}, modulation_{nullptr}, output_{nullptr}, action_{nullptr},
      pose_{nullptr}, step_in_{nullptr}, step_out_{nullptr};
  std::vector<torch::nn::Linear> own_modulation_;  // of every block and of the output; empty: all share modulation_
  at::Tensor place_;                               // [N, D] learned position inside the frame; undefined with plain tokens
  at::Tensor action_null_;                         // [D] stands for an unknown action
  at::Tensor output_bias_;                         // [2 D] modulation of the last norm, beside the shared one
  at::Tensor pose_mean_, pose_deviation_;          // [2] buffers
  std::vector<std::shared_ptr<BlockImpl>> blocks_;
};

}  // namespace orrery
