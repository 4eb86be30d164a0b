#include "nn/attention.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>

#include "core/error.h"
#include "nn/fused_kernels.h"

namespace orrery {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

constexpr int64_t kBlockTokens = 512;  // queries of one product, whole frames: bounds the probabilities held at once

std::vector<kernels::FrameRows> Blocks(int64_t frames, int64_t tokens, int64_t reach) {
  const int64_t count = (frames * tokens + kBlockTokens - 1) / kBlockTokens, size = (frames + count - 1) / count;
  std::vector<kernels::FrameRows> blocks;
  for (int64_t t = 0; t < frames; t += size)
    blocks.push_back({tokens, t, reach < 0 ? 0 : std::max<int64_t>(0, t - reach), std::min(frames, t + size), reach});
  return blocks;
}

// A block of queries is one dense product with the keys of its own and earlier frames; what a query may not see is left out by the
// softmax. The gradients of keys and values are summed over blocks in fp32.
struct FrameCausal : torch::autograd::Function<FrameCausal> {
  static Variable forward(AutogradContext* ctx, const Variable& q, const Variable& k, const Variable& v, int64_t tokens, int64_t reach) {
    const at::Tensor query = q.flatten(0, 1), key = k.flatten(0, 1), value = v.flatten(0, 1);
    const float scale = Scale(q);
    std::vector<at::Tensor> outs;
    variable_list saved{q, k, v};
    for (const kernels::FrameRows& b : Blocks(q.size(2) / tokens, tokens, reach)) {
      at::Tensor p = at::bmm(Queries(query, b), Keys(key, b).transpose(1, 2));
      kernels::FrameSoftmaxForward(p, scale, b);
      outs.push_back(at::bmm(p, Keys(value, b)));
      saved.push_back(p);
    }
    ctx->save_for_backward(saved);
    ctx->saved_data["tokens"] = tokens;
    ctx->saved_data["reach"] = reach;
    return (outs.size() == 1 ? outs[0] : at::cat(outs, 1)).view(q.sizes());
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grad) {
    const auto saved = ctx->get_saved_variables();
    const at::Tensor query = saved[0].flatten(0, 1), key = saved[1].flatten(0, 1), value = saved[2].flatten(0, 1);
    const at::Tensor out = grad[0].flatten(0, 1);
    const int64_t tokens = ctx->saved_data["tokens"].toInt(), reach = ctx->saved_data["reach"].toInt();
    const float scale = Scale(saved[0]);
    const std::vector<kernels::FrameRows> blocks = Blocks(query.size(1) / tokens, tokens, reach);
    const bool one = blocks.size() == 1;
    std::vector<at::Tensor> dq;
    at::Tensor dk, dv;
    if (!one) dk = at::zeros(key.sizes(), key.options().dtype(at::kFloat)), dv = at::zeros_like(dk);
    for (size_t i = 0; i < blocks.size(); ++i) {
      const kernels::FrameRows& b = blocks[i];
      const at::Tensor &p = saved[3 + i], g = Queries(out, b);
      at::Tensor ds = at::bmm(g, Keys(value, b).transpose(1, 2));
      kernels::FrameSoftmaxBackward(p, ds, scale);
      dq.push_back(at::bmm(ds, Keys(key, b)));
      const at::Tensor bk = at::bmm(ds.transpose(1, 2), Queries(query, b)), bv = at::bmm(p.transpose(1, 2), g);
      if (one)
        dk = bk, dv = bv;
      else
        Keys(dk, b).add_(bk), Keys(dv, b).add_(bv);
    }
    const auto whole = [&](const at::Tensor& t) { return t.to(key.scalar_type()).view(saved[1].sizes()); };
    return {whole(one ? dq[0] : at::cat(dq, 1)), whole(dk), whole(dv), Variable(), Variable()};
  }

 private:
  static float Scale(const at::Tensor& q) { return 1.f / std::sqrt(static_cast<float>(q.size(3))); }
  static at::Tensor Queries(const at::Tensor& t, const kernels::FrameRows& b) {
    return t.narrow(1, b.query_frame * b.tokens, (b.key_ends - b.query_frame) * b.tokens);
  }
  static at::Tensor Keys(const at::Tensor& t, const kernels::FrameRows& b) {
    return t.narrow(1, b.key_frame * b.tokens, (b.key_ends - b.key_frame) * b.tokens);
  }
};

}  // namespace

at::Tensor FrameCausalAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t tokens, int64_t reach) {
  ORRERY_CHECK(q.size(2) % tokens == 0 && q.sizes() == k.sizes() && k.sizes() == v.sizes());
  if (q.size(2) == tokens) return DenseAttention(q, k, v);
  if (!q.is_cpu() || (q.scalar_type() != at::kFloat && q.scalar_type() != at::kBFloat16))
    return FrameCausalAttentionReference(q, k, v, tokens, reach);
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
