// Attention between the tokens of frames. B batch, H heads, T frames of N tokens, S = T * N, d head width, c context tokens.
#pragma once
#include <ATen/core/Tensor.h>

namespace orrery {

// Every token of frame t sees all tokens of frames max(0, t - reach) .. t. q, k, v [B, H, T*N, d] -> [B, H, T*N, d].
// reach < 0: the whole past. On the CPU a block of frames is one dense product with its past, the softmax leaves out what a frame may
// not see, and the probabilities are kept for the gradients: about 512 x S numbers a block and head.
at::Tensor FrameCausalAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t tokens_per_frame, int64_t reach);

// The same by one masked product; the definition that tests compare with.
at::Tensor FrameCausalAttentionReference(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t tokens_per_frame,
                                         int64_t reach);

// Dense attention; bias [B, 1|H, 1|Sq, c] (log sizes, -inf masks) is added to the scores when defined.
at::Tensor DenseAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& bias = {});

}  // namespace orrery
