// CPU kernels behind nn/fused.h. Contiguous tensors, fp32 or bfloat16 as said there; sums in fp32.
#pragma once
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <utility>

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

// x [R, H, c, d] rotated by cos, sin [R or 1, c, d / 2]; sign -1: back.
void Rotate(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin, float sign, at::Tensor& out);

// GELU by its tanh form (Hendrycks & Gimpel, arXiv 1606.08415), element by element.
void GeluForward(const at::Tensor& x, at::Tensor& out);
void GeluBackward(const at::Tensor& grad, const at::Tensor& x, at::Tensor& dx);

// Which keys of a block of scores a query sees. Queries and keys begin with whole frames.
struct FrameRows {
  int64_t tokens;               // a frame
  int64_t query_frame;          // of the first query
  int64_t key_frame, key_ends;  // frames of the keys: [key_frame, key_ends)
  int64_t reach;                // frames before its own that a query sees; < 0: all

  std::pair<int64_t, int64_t> Seen(int64_t query) const {
    const int64_t frame = query_frame + query / tokens;
    const int64_t first = reach < 0 ? key_frame : std::max(key_frame, frame - reach);
    return {(first - key_frame) * tokens, (std::min(frame + 1, key_ends) - key_frame) * tokens};
  }
};

// scores [B H, Q, K] become probabilities of scale * scores over the keys that are seen, 0 elsewhere.
void FrameSoftmaxForward(at::Tensor& scores, float scale, const FrameRows& rows);
// grad [B H, Q, K] of the probabilities becomes that of the scores.
void FrameSoftmaxBackward(const at::Tensor& probability, at::Tensor& grad, float scale);

}  // namespace orrery::kernels
