// Latents of remembered frames as context tokens of the network. R rows, k frames, N tokens a frame, D width.
#pragma once
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>

#include "state/memory.h"

namespace orrery {

// Begins as the network's own embedding of a frame (AdoptEmbedding); what it adds of pose and age begins at zero.
class LatentEmbedding : public torch::nn::Module {
 public:
  // `pool` p: p x p neighbouring tokens become one, their kernel beginning as the mean.
  LatentEmbedding(const MemoryGeometry& geometry, int64_t pool, bool with_pose);

  void Adopt(const TokenEmbedding& embedding);
  int64_t Tokens() const { return geometry_.Tokens() / (pool_ * pool_); }  // a frame
  // latent [R, k, C, h, w], pose [R, k, 4] as RelativePose or undefined, age [R, k] in frames -> [R, k, Tokens(), D].
  at::Tensor Embed(const at::Tensor& latent, const at::Tensor& pose, const at::Tensor& age) const;
  // (y, x) of a frame's tokens, [Tokens(), 2].
  at::Tensor Places() const;

 private:
  MemoryGeometry geometry_;
  int64_t pool_;
  torch::nn::Linear token_{nullptr}, pose_{nullptr};
  at::Tensor place_, age_;  // [Tokens(), D], [2, D]
};

// Poses [..., 3] seen from `viewer` [..., 3]: forward and left offset over `unit`, cosine and sine of the difference of headings.
at::Tensor RelativePose(const at::Tensor& pose, const at::Tensor& viewer, double unit);

}  // namespace orrery
