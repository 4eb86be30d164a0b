// Memory-bound steps of a transformer block as one pass each. On the CPU they are vectorised kernels with hand-written
// gradients; elsewhere, and for dtypes they do not know, the composition of ATen operators that defines them.
// R frames (batch x time), N tokens a frame, D width, H heads, d = D / H, P = d / 2.
#pragma once
#include <ATen/core/Tensor.h>

#include "nn/rope.h"

namespace orrery {

constexpr double kNormEps = 1e-6;

// bfloat16 under autocast, else x's dtype: what a matrix product will want.
at::ScalarType ComputeType(const at::Tensor& x);

// LayerNorm without affine over D, then * (1 + scale) + shift. x_RND; shift_RD, scale_RD fp32 -> [R, N, D] of ComputeType.
at::Tensor NormModulate(const at::Tensor& x_RND, const at::Tensor& shift_RD, const at::Tensor& scale_RD);

// x + gate * y. x_RND fp32, y_RND, gate_RD fp32 -> fp32.
at::Tensor GatedAdd(const at::Tensor& x_RND, const at::Tensor& y_RND, const at::Tensor& gate_RD);

// GELU in its tanh form, element by element; dtype kept.
at::Tensor Gelu(const at::Tensor& x);

// ApplyRope in one pass. x [R, H, c, d]; table [c, d / 2] or [R, c, d / 2]; dtype kept.
at::Tensor Rotate(const at::Tensor& x, const RopeTable& table);

// Query-key normalisation (RMS over d, learned weight_d; Henry et al., arXiv 2010.04245) of one of q, k.
// x [..., d] -> same shape and dtype.
at::Tensor HeadNorm(const at::Tensor& x, const at::Tensor& weight_d);

// Tokens of qkv_BS3Hd through HeadNorm and ApplyRope: three tensors [B, H, S, d]; `k_plain` is the normalised key before rotation
// (what a cache keeps). Undefined weights: no normalisation.
struct QueryKeyValue {
  at::Tensor q, k, v, k_plain;
};
QueryKeyValue SplitHeads(const at::Tensor& qkv_BSE, int64_t heads, const at::Tensor& q_weight_d, const at::Tensor& k_weight_d,
                         const RopeTable& rope, bool keep_plain_key);

}  // namespace orrery
