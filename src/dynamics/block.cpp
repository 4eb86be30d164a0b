#include "dynamics/block.h"

#include "nn/attention.h"
#include "nn/fused.h"

namespace orrery {

namespace nn = torch::nn;

BlockImpl::BlockImpl(const TransitionOptions& options) : options_(options) {
  const int64_t D = options.dim;
  if (options.layout == "axial") spatial_ = MakeAttention("spatial");
  attention_ = MakeAttention("attention");
  up_ = register_module("up", nn::Linear(D, D * options.mlp));
  down_ = register_module("down", nn::Linear(D * options.mlp, D));
  modulation_ = register_parameter("modulation", at::zeros({Modulations(options) * D}));
  // A branch adds nothing at first because its last product is zero, with its gate open: the matrix learns from the first step, whereas
  // behind a shut gate it would wait for the gate.
  const torch::NoGradGuard guard;
  for (int64_t i = 2; i < Modulations(options); i += 3) modulation_.narrow(0, i * D, D).fill_(1);
  for (nn::Linear linear : {attention_.out, spatial_.out, down_})
    if (linear) {
      linear->weight.zero_();
      linear->bias.zero_();
    }
}

BlockImpl::AttentionWeights BlockImpl::MakeAttention(const std::string& name) {
  const int64_t D = options_.dim;
  AttentionWeights w;
  w.qkv = register_module(name + "_qkv", nn::Linear(nn::LinearOptions(D, 3 * D).bias(false)));
  w.out = register_module(name + "_out", nn::Linear(D, D));
  w.q_norm = register_parameter(name + "_q_norm", at::ones({D / options_.heads}));
  w.k_norm = register_parameter(name + "_k_norm", at::ones({D / options_.heads}));
  return w;
}

namespace {

// [B, H, S, d] -> [B, S, H d]
at::Tensor MergeHeads(const at::Tensor& x) { return x.transpose(1, 2).reshape({x.size(0), x.size(2), x.size(1) * x.size(3)}); }

// [B, H, T * N, d] <-> [B * N, H, T, d]
at::Tensor ByPosition(const at::Tensor& x, int64_t tokens) {
  const int64_t B = x.size(0), H = x.size(1), T = x.size(2) / tokens, d = x.size(3);
  return x.reshape({B, H, T, tokens, d}).permute({0, 3, 1, 2, 4}).reshape({B * tokens, H, T, d});
}
at::Tensor ByFrame(const at::Tensor& x, int64_t tokens) {
  const int64_t B = x.size(0) / tokens, H = x.size(1), T = x.size(2), d = x.size(3);
  return x.reshape({B, tokens, H, T, d}).permute({0, 2, 3, 1, 4}).reshape({B, H, T * tokens, d});
}

}  // namespace

at::Tensor BlockImpl::FrameCausal(const at::Tensor& x, const ClipShape& clip, const LayerContext* context, LayerActivation* keep) {
  const int64_t D = options_.dim, S = clip.frames * clip.tokens;
  const at::Tensor qkv = attention_.qkv(x.reshape({-1, D})).view({clip.batch, S, 3 * D});
  QueryKeyValue h = SplitHeads(qkv, options_.heads, attention_.q_norm, attention_.k_norm, clip.rope, keep != nullptr);
  if (keep) *keep = {h.k_plain, h.v};
  at::Tensor mixed;
  if (context && context->key.size(2) > 0) {
    at::Tensor bias = context->bias;
    if (bias.defined()) bias = at::cat({bias, at::zeros({bias.size(0), bias.size(1), 1, S}, bias.options())}, 3);
    mixed = DenseAttention(h.q, at::cat({context->key, h.k}, 2), at::cat({context->value, h.v}, 2), bias);
  } else {
    mixed = FrameCausalAttention(h.q, h.k, h.v, clip.tokens, clip.reach);
  }
  return attention_.out(MergeHeads(mixed).view({-1, D})).view(x.sizes());
}

at::Tensor BlockImpl::Spatial(const at::Tensor& x, const ClipShape& clip) {
  const int64_t D = options_.dim, R = clip.batch * clip.frames;
  const at::Tensor qkv = spatial_.qkv(x.reshape({-1, D})).view({R, clip.tokens, 3 * D});
  const RopeTable frame{clip.rope.cos.narrow(0, 0, clip.tokens), clip.rope.sin.narrow(0, 0, clip.tokens)};
  const QueryKeyValue h = SplitHeads(qkv, options_.heads, spatial_.q_norm, spatial_.k_norm, frame, false);
  return spatial_.out(MergeHeads(DenseAttention(h.q, h.k, h.v)).view({-1, D})).view(x.sizes());
}

at::Tensor BlockImpl::Temporal(const at::Tensor& x, const ClipShape& clip, const LayerContext* context, LayerActivation* keep) {
  const int64_t D = options_.dim, N = clip.tokens, S = clip.frames * N;
  const at::Tensor qkv = attention_.qkv(x.reshape({-1, D})).view({clip.batch, S, 3 * D});
  const QueryKeyValue h = SplitHeads(qkv, options_.heads, attention_.q_norm, attention_.k_norm, clip.rope, keep != nullptr);
  if (keep) *keep = {h.k_plain, h.v};
  at::Tensor q = ByPosition(h.q, N), k = ByPosition(h.k, N), v = ByPosition(h.v, N), mixed;
  if (context && context->key.size(2) > 0) {
    if (context->bias.defined() || context->key.size(2) % N != 0)
      Fail("axial attention needs whole frames as context; use layout frame_causal with this state");
    mixed = DenseAttention(q, at::cat({ByPosition(context->key, N), k}, 2), at::cat({ByPosition(context->value, N), v}, 2));
  } else if (clip.reach < 0 || clip.reach >= clip.frames - 1) {
    mixed = at::scaled_dot_product_attention(q, k, v, {}, 0.0, /*is_causal=*/true);
  } else {
    mixed = FrameCausalAttentionReference(q, k, v, 1, clip.reach);
  }
  return attention_.out(MergeHeads(ByFrame(mixed, N)).view({-1, D})).view(x.sizes());
}

at::Tensor BlockImpl::forward(const at::Tensor& x_RND, const at::Tensor& shared_RE, const ClipShape& clip, const LayerContext* context,
                              LayerActivation* keep) {
  const int64_t D = options_.dim;
  const auto m = (shared_RE + modulation_).split(D, 1);
  at::Tensor x = x_RND;
  size_t next = 0;
  const auto sublayer = [&](auto&& f) {
    const at::Tensor y = f(NormModulate(x, m[next], m[next + 1]));
    x = GatedAdd(x, y, m[next + 2]);
    next += 3;
  };
  if (options_.layout == "axial") {
    sublayer([&](const at::Tensor& y) { return Spatial(y, clip); });
    sublayer([&](const at::Tensor& y) { return Temporal(y, clip, context, keep); });
  } else {
    sublayer([&](const at::Tensor& y) { return FrameCausal(y, clip, context, keep); });
  }
  sublayer([&](const at::Tensor& y) { return down_(Gelu(up_(y.view({-1, D})))).view(y.sizes()); });
  return x;
}

}  // namespace orrery
