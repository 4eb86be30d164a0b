// Names the action between two frames: a small convolutional network.
#pragma once
#include <torch/nn/module.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include "core/action_space.h"

namespace orrery {

class InverseModel : public torch::nn::Module {
 public:
  InverseModel(const ActionSpace& actions, int64_t height, int64_t width, uint64_t seed);

  // before, after [B, H, W, 3] uint8 -> logits [B, count], or values [B, dims].
  at::Tensor Forward(const at::Tensor& before, const at::Tensor& after);
  // Index [B] of the likeliest action, or values [B, dims].
  at::Tensor Predict(const at::Tensor& before, const at::Tensor& after);

  // before, after [P, H, W, 3], action [P, A]: AdamW, cosine, `epochs` passes in batches of 64 in an order that `seed` gives.
  // Rare actions weigh as much as frequent ones.
  void Fit(const at::Tensor& before, const at::Tensor& after, const at::Tensor& action, int64_t epochs, uint64_t seed);

 private:
  ActionSpace actions_;
  torch::nn::Conv2d conv1_{nullptr}, conv2_{nullptr}, conv3_{nullptr};
  torch::nn::Linear hidden_{nullptr}, out_{nullptr};
};

}  // namespace orrery
