#include "nn/attention.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/error.h"

namespace orrery {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

struct Span {
  int64_t begin, count;  // tokens of the frames that frame t sees
};

Span Visible(int64_t t, int64_t tokens, int64_t reach) {
  const int64_t first = reach < 0 ? 0 : std::max<int64_t>(0, t - reach);
  return {first * tokens, (t + 1 - first) * tokens};
}

// One flash call a frame. The gradients of keys and values are summed over the frames that saw them in fp32.
struct FrameCausal : torch::autograd::Function<FrameCausal> {
  static Variable forward(AutogradContext* ctx, const Variable& q, const Variable& k, const Variable& v, int64_t tokens, int64_t reach) {
    const int64_t frames = q.size(2) / tokens;
    at::Tensor out = at::empty_like(q);
    std::vector<at::Tensor> lse;
    for (int64_t t = 0; t < frames; ++t) {
      const Span span = Visible(t, tokens, reach);
      auto [o, l] = at::_scaled_dot_product_flash_attention_for_cpu(q.narrow(2, t * tokens, tokens), k.narrow(2, span.begin, span.count),
                                                                    v.narrow(2, span.begin, span.count));
      out.narrow(2, t * tokens, tokens).copy_(o);
      lse.push_back(l);
    }
    ctx->save_for_backward({q, k, v, out});
    ctx->saved_data["lse"] = lse;
    ctx->saved_data["tokens"] = tokens;
    ctx->saved_data["reach"] = reach;
    return out;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grad) {
    const auto saved = ctx->get_saved_variables();
    const at::Tensor &q = saved[0], &k = saved[1], &v = saved[2], &out = saved[3];
    const auto lse = ctx->saved_data["lse"].toTensorVector();
    const int64_t tokens = ctx->saved_data["tokens"].toInt(), reach = ctx->saved_data["reach"].toInt();
    at::Tensor dq = at::empty_like(q);
    at::Tensor dk = at::zeros(k.sizes(), k.options().dtype(at::kFloat)), dv = at::zeros_like(dk);
    for (size_t t = 0; t < lse.size(); ++t) {
      const int64_t at_token = static_cast<int64_t>(t) * tokens;
      const Span span = Visible(static_cast<int64_t>(t), tokens, reach);
      auto [gq, gk, gv] = at::_scaled_dot_product_flash_attention_for_cpu_backward(
          grad[0].narrow(2, at_token, tokens), q.narrow(2, at_token, tokens), k.narrow(2, span.begin, span.count),
          v.narrow(2, span.begin, span.count), out.narrow(2, at_token, tokens), lse[t], 0.0, false);
      dq.narrow(2, at_token, tokens).copy_(gq);
      dk.narrow(2, span.begin, span.count).add_(gk);
      dv.narrow(2, span.begin, span.count).add_(gv);
    }
    return {dq, dk.to(k.scalar_type()), dv.to(v.scalar_type()), Variable(), Variable()};
  }
};

}  // namespace

at::Tensor FrameCausalAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t tokens, int64_t reach) {
  ORRERY_CHECK(q.size(2) % tokens == 0 && q.sizes() == k.sizes() && k.sizes() == v.sizes());
  if (q.size(2) == tokens) return DenseAttention(q, k, v);
  if (!q.is_cpu()) return FrameCausalAttentionReference(q, k, v, tokens, reach);
  return FrameCausal::apply(q, k, v, tokens, reach);
}

at::Tensor FrameCausalAttentionReference(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t tokens, int64_t reach) {
  const at::Tensor frame = at::arange(q.size(2), q.options().dtype(at::kLong)).floor_divide(tokens);
  const at::Tensor age = frame.unsqueeze(1) - frame.unsqueeze(0);
  at::Tensor seen = age >= 0;
  if (reach >= 0) seen = seen & (age <= reach);
  return at::scaled_dot_product_attention(q, k, v, seen);
}

at::Tensor DenseAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& bias) {
  return at::scaled_dot_product_attention(q, k, v, bias.defined() ? std::optional<at::Tensor>(bias.to(q.scalar_type())) : std::nullopt);
}

}  // namespace orrery
