// Running sums and the delta rule over the frames of a clip, all tokens of a frame written against the state before it. One definition
// serves both forms: a session runs it with T = 1. State S [a, b] a group; "..." any leading sizes, alike in all arguments.
// T frames, N tokens a frame, a width of keys, b width of values.
#pragma once
#include <ATen/core/Tensor.h>

namespace orrery {

struct FrameStates {
  at::Tensor before;  // [..., T, a, b]: what frame t finds
  at::Tensor after;   // [..., a, b]
};

// S_t = exp(log_decay_t) S_{t-1} + write_t: linear attention, retention, SSD (state-mechanisms, "One state algebra").
// write [..., T, a, b], log_decay [..., T] <= 0 or undefined (no decay), start [..., a, b]. Chunks of frames are one product with the
// matrix of their decays.
FrameStates DecayedSum(const at::Tensor& write, const at::Tensor& log_decay, const at::Tensor& start, int64_t chunk = 32);

// The gated delta rule (Yang et al., arXiv 2412.06464): S <- exp(log_decay_t) S once a frame, then tokens in order,
// S <- S + beta k (v - S^T k)^T. A frame's tokens are solved for at once: S <- S + K^T W with (I + tril(beta K K^T, -1)) W = beta (V - K
// S). in_order = false writes all tokens against the same S, with beta / N. key [..., T, N, a], value [..., T, N, b], beta [..., T, N],
// log_decay [..., T], start [..., a, b].
FrameStates DeltaRule(const at::Tensor& key, const at::Tensor& value, const at::Tensor& beta, const at::Tensor& log_decay,
                      const at::Tensor& start, bool in_order);

}  // namespace orrery
