// Small models that are trained while they run: gradients by hand, of differentiable operators, so that the training of the whole network
// goes through their steps. "..." batch, heads, frames; n tokens, d width, m hidden width.
#pragma once
#include <ATen/core/Tensor.h>

namespace orrery {

// x w1 + b1; with a second layer, GELU (tanh form), then w2 and b2. w1 [..., d, m], b1 [..., 1, m], w2 [..., m, d], b2 [..., 1, d].
// Undefined: w2, there is one layer (m = d); a bias, there is none.
struct FastWeights {
  at::Tensor w1, b1, w2, b2;
};
struct FastPass {
  at::Tensor hidden, active;  // [..., n, m] before and after GELU; undefined with one layer
  at::Tensor out;             // [..., n, d]
};
FastPass RunFast(const FastWeights& weights, const at::Tensor& x);
// Gradient of sum(out * slope) with respect to each weight; `pass` is RunFast(weights, x).
FastWeights FastGradient(const FastWeights& weights, const FastPass& pass, const at::Tensor& x, const at::Tensor& slope);

// LayerNorm over d, then scale and shift, which broadcast to [..., n, d]; undefined scale: the identity.
struct FastNorm {
  at::Tensor scale, shift;
};
at::Tensor RunFastNorm(const FastNorm& norm, const at::Tensor& z);
// Gradient of 0.5 || norm(z) - target ||^2 of each token with respect to z.
at::Tensor FastNormGradient(const FastNorm& norm, const at::Tensor& z, const at::Tensor& target);

}  // namespace orrery
