#include "state/explicit/parametric/fast_weights.h"

#include <ATen/ATen.h>

#include "nn/fused.h"

namespace orrery {

namespace {

at::Tensor Add(const at::Tensor& x, const at::Tensor& bias) { return bias.defined() ? x + bias : x; }

at::Tensor Outer(const at::Tensor& x, const at::Tensor& slope) { return at::matmul(x.transpose(-1, -2), slope); }

struct Standard {
  at::Tensor value, inverse;  // (x - mean) / deviation, 1 / deviation
};
Standard Standardised(const at::Tensor& x) {
  const at::Tensor centred = x - x.mean(-1, true);
  const at::Tensor inverse = at::rsqrt(centred.square().mean(-1, true) + kNormEps);
  return {centred * inverse, inverse};
}

}  // namespace

FastPass RunFast(const FastWeights& w, const at::Tensor& x) {
  const at::Tensor first = Add(at::matmul(x, w.w1), w.b1);
  if (!w.w2.defined()) return {{}, {}, first};
  const at::Tensor active = at::gelu(first, "tanh");
  return {first, active, Add(at::matmul(active, w.w2), w.b2)};
}

FastWeights FastGradient(const FastWeights& w, const FastPass& pass, const at::Tensor& x, const at::Tensor& slope) {
  FastWeights grad;
  at::Tensor first = slope;
  if (w.w2.defined()) {
    grad.w2 = Outer(pass.active, slope);
    if (w.b2.defined()) grad.b2 = slope.sum(-2, true);
    first = at::gelu_backward(at::matmul(slope, w.w2.transpose(-1, -2)), pass.hidden, "tanh");
  }
  grad.w1 = Outer(x, first);
  if (w.b1.defined()) grad.b1 = first.sum(-2, true);
  return grad;
}

at::Tensor RunFastNorm(const FastNorm& norm, const at::Tensor& z) {
  return norm.scale.defined() ? Standardised(z).value * norm.scale + norm.shift : z;
}

at::Tensor FastNormGradient(const FastNorm& norm, const at::Tensor& z, const at::Tensor& target) {
  if (!norm.scale.defined()) return z - target;
  const Standard s = Standardised(z);
  const at::Tensor g = (s.value * norm.scale + norm.shift - target) * norm.scale;
  return (g - g.mean(-1, true) - s.value * (g * s.value).mean(-1, true)) * s.inverse;
}

}  // namespace orrery
