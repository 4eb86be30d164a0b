// One block of the transition network.
#pragma once
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>

#include "dynamics/transition.h"

namespace orrery {

// What a block needs to know of the clip it works on.
struct ClipShape {
  int64_t batch, frames, tokens;
  int64_t reach;   // see Transition::Forward
  RopeTable rope;  // [T * N]
};

class BlockImpl : public torch::nn::Module {
 public:
  BlockImpl(const TransitionOptions& options);

  // Modulation vectors (shift, scale, gate) a block takes: 3 a sublayer.
  static int64_t Modulations(const TransitionOptions& options) { return options.layout == "axial" ? 9 : 6; }

  // x_RND fp32; shared_RE [R, Modulations * D] fp32. `context` (streaming) and `keep` may be null.
  at::Tensor forward(const at::Tensor& x_RND, const at::Tensor& shared_RE, const ClipShape& clip, const LayerContext* context,
                     LayerActivation* keep);

 private:
  struct AttentionWeights {
    torch::nn::Linear qkv{nullptr}, out{nullptr};
    at::Tensor q_norm, k_norm;  // [d]
  };
  AttentionWeights MakeAttention(const std::string& name);
  at::Tensor FrameCausal(const at::Tensor& x_RND, const ClipShape& clip, const LayerContext* context, LayerActivation* keep);
  at::Tensor Spatial(const at::Tensor& x_RND, const ClipShape& clip);
  at::Tensor Temporal(const at::Tensor& x_RND, const ClipShape& clip, const LayerContext* context, LayerActivation* keep);

  TransitionOptions options_;
  AttentionWeights attention_, spatial_;
  torch::nn::Linear up_{nullptr}, down_{nullptr};
  at::Tensor modulation_;  // [Modulations * D] this block's own, added to the shared one
};

}  // namespace orrery
