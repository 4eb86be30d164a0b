// CPU kernels behind nn/fused.h. Contiguous tensors, fp32 or bfloat16 as said there; sums in fp32.
#pragma once
#include <ATen/core/Tensor.h>

namespace orrery::kernels {

// moments [R * N, 2]: mean and reciprocal deviation of every token, written.
void NormModulateForward(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale, at::Tensor& out, at::Tensor& moments);
void NormModulateBackward(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& scale, const at::Tensor& moments, at::Tensor& dx,
                          at::Tensor& dshift, at::Tensor& dscale);

void GatedAddForward(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate, at::Tensor& out);
void GatedAddBackward(const at::Tensor& grad, const at::Tensor& y, const at::Tensor& gate, at::Tensor& dy, at::Tensor& dgate);

// qkv [B, S, 3 H d] -> q, k, v [B, H, S, d].
void SplitHeadsForward(const at::Tensor& qkv, const at::Tensor& q_weight, const at::Tensor& k_weight, const at::Tensor& cos,
                       const at::Tensor& sin, at::Tensor& q, at::Tensor& k, at::Tensor& v);
// dweights [B, 2, d]: added to.
void SplitHeadsBackward(const at::Tensor& dq, const at::Tensor& dk, const at::Tensor& dv, const at::Tensor& qkv, const at::Tensor& q_weight,
                        const at::Tensor& k_weight, const at::Tensor& cos, const at::Tensor& sin, at::Tensor& dqkv, at::Tensor& dweights);

}  // namespace orrery::kernels
