// The two building blocks of convolutional codecs, on channels-last pictures [B, C, H, W].
#pragma once
#include <torch/nn/module.h>

#include "core/rng.h"

namespace orrery {

// Square kernel of odd side, same size out. Weights are drawn from N(0, gain^2 / fan-in), so that unit variance stays about
// unit variance at gain 1; the bias is zero.
class Convolution : public torch::nn::Module {
 public:
  struct Shape {
    int64_t in, out, side = 3;
    double gain = 1;
  };
  Convolution(const Shape& shape, Rng& rng);
  at::Tensor Forward(const at::Tensor& x) const;

 private:
  at::Tensor weight_, bias_;  // [out, in, side, side], [out]
  int64_t padding_;
};

// x + convolution(silu(convolution(silu(x)))), the identity at first. Without normalisation: reconstruction is better for it
// (Lim et al., "Enhanced deep residual networks for single image super-resolution", arXiv 1707.02921).
class ResidualBlock : public torch::nn::Module {
 public:
  ResidualBlock(int64_t channels, Rng& rng);
  at::Tensor Forward(const at::Tensor& x) const;

 private:
  std::shared_ptr<Convolution> first_, second_;
};

}  // namespace orrery
