// One block of the transition network.
#pragma once
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>

#include "dynamics/attend.h"
#include "dynamics/transition.h"
#include "nn/fused.h"

namespace orrery {

constexpr double kTimeRopeBase = 10000;  // of rope "pixel"

// What a block needs to know of the clip it works on.
struct ClipShape {
  int64_t batch, frames, tokens;
  at::Tensor coord;      // [T * N, 3]
  RopeTable rope;        // [T * N]
  ClipMask mask;         // which frames see which; under kTeacherForced the clip's noisy twins follow it, at the same times
  RopeTable twins_rope;  // [2 T * N], of both; undefined without twins
  RopeTable image_rope;  // [N], of spatial attention

  int64_t Frames() const { return mask.Twins() ? 2 * frames : frames; }  // of the clip and its twins
  const RopeTable& Rope() const { return mask.Twins() ? twins_rope : rope; }
};

// Clean context tokens on their way through the blocks; they see each other alone.
struct ContextStream {
  at::Tensor x;          // [R, c, D] fp32
  at::Tensor shared;     // [R, Modulations * D] fp32, of a clean frame without action
  at::Tensor coord;      // [c, 3] or [R, c, 3]
  at::Tensor bias;       // [R, 1, 1, c] or undefined
  at::Tensor rows;       // [R] which rows of the clip these are; undefined: all
  int64_t all = 0;       // rows of the clip
  at::Tensor condition;  // [R, D] what `shared` is made of in every block when blocks have projections of their own
};

class BlockImpl : public torch::nn::Module {
 public:
  BlockImpl(const TransitionOptions& options);

  // Modulation vectors (shift, scale, gate) a block takes: 3 a sublayer.
  static int64_t Modulations(const TransitionOptions& options) {
    return options.layout == "spatial_temporal" ? 12 : options.layout == "axial" ? 9 : 6;
  }

  // x_RND fp32; shared_RE [R, Modulations * D] fp32. `stream` and `keep` may be null.
  at::Tensor forward(const at::Tensor& x_RND, const at::Tensor& shared_RE, const ClipShape& clip, int64_t layer, MemoryReader& memory,
                     ContextStream* stream, LayerActivation* keep);

 private:
  struct AttentionWeights {
    torch::nn::Linear qkv{nullptr}, out{nullptr};
    at::Tensor q_norm, k_norm;  // [d]; undefined without normalisation
  };
  struct MlpWeights {
    torch::nn::Linear up{nullptr}, down{nullptr};
    at::Tensor operator()(const at::Tensor& y);
  };
  struct Sight {
    ClipSight clip;
    LayerContext context;
  };
  AttentionWeights MakeAttention(const std::string& name);
  MlpWeights MakeMlp(const std::string& prefix);
  Sight Look(const ClipTokens& own, const ClipTokens& asking, const at::Tensor& features, int64_t layer, MemoryReader& memory,
             ContextStream* stream);
  at::Tensor MixTwins(const QueryKeyValue& h, const at::Tensor& features, const ClipShape& clip, int64_t layer, MemoryReader& memory,
                      ContextStream* stream);
  LayerActivation AdvanceContext(ContextStream& stream);
  at::Tensor FrameCausal(const at::Tensor& x_RND, const at::Tensor& features, const ClipShape& clip, int64_t layer, MemoryReader& memory,
                         ContextStream* stream, LayerActivation* keep);
  at::Tensor Spatial(const at::Tensor& x_RND, const ClipShape& clip);
  at::Tensor Temporal(const at::Tensor& x_RND, const at::Tensor& features, const ClipShape& clip, int64_t layer, MemoryReader& memory,
                      ContextStream* stream, LayerActivation* keep);
  at::Tensor RotateSeen(const AttentionContext& context) const;

  TransitionOptions options_;
  AttentionWeights attention_, spatial_;
  MlpWeights mlp_, spatial_mlp_;
  at::Tensor modulation_;  // [Modulations * D] this block's own, added to the shared one
};

}  // namespace orrery
