#include "dynamics/block.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "nn/attention.h"
#include "nn/fused.h"
#include "state/join.h"

namespace orrery {

namespace nn = torch::nn;

BlockImpl::BlockImpl(const TransitionOptions& options) : options_(options) {
  const int64_t D = options.dim;
  if (options.layout != "frame_causal") spatial_ = MakeAttention("spatial");
  attention_ = MakeAttention("attention");
  mlp_ = MakeMlp("");
  if (options.layout == "spatial_temporal") spatial_mlp_ = MakeMlp("spatial_");
  modulation_ = register_parameter("modulation", at::zeros({Modulations(options) * D}));
  // A branch adds nothing at first because its last product is zero, with its gate open: the matrix learns from the first step, whereas
  // behind a shut gate it would wait for the gate.
  const torch::NoGradGuard guard;
  for (int64_t i = 2; i < Modulations(options); i += 3) modulation_.narrow(0, i * D, D).fill_(1);
  for (nn::Linear linear : {attention_.out, spatial_.out, mlp_.down, spatial_mlp_.down})
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
  if (!options_.qk_norm) return w;
  w.q_norm = register_parameter(name + "_q_norm", at::ones({D / options_.heads}));
  w.k_norm = register_parameter(name + "_k_norm", at::ones({D / options_.heads}));
  return w;
}

BlockImpl::MlpWeights BlockImpl::MakeMlp(const std::string& prefix) {
  const int64_t D = options_.dim, hidden = D * options_.mlp;
  return {register_module(prefix + "up", nn::Linear(D, hidden)), register_module(prefix + "down", nn::Linear(hidden, D))};
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

// Tokens of some rows as tokens of all, absent from the others.
LayerContext Spread(const LayerContext& some, const ContextStream& stream) {
  if (!stream.rows.defined()) return some;
  const auto all = [&](const at::Tensor& x, double value) {
    std::vector<int64_t> shape = x.sizes().vec();
    shape[0] = stream.all;
    return at::full(shape, value, x.options()).index_copy(0, stream.rows, x);
  };
  const at::Tensor bias =
      some.bias.defined() ? some.bias : at::zeros({some.key.size(0), 1, 1, some.key.size(2)}, some.key.options().dtype(at::kFloat));
  return {all(some.key, 0), all(some.value, 0), all(bias, kAbsent)};
}

}  // namespace

// What this layer may see: of a session it is found by the frame's first pass and kept for the others.
BlockImpl::Sight BlockImpl::Look(const ClipTokens& own, const ClipTokens& asking, const at::Tensor& features, int64_t layer,
                                 MemoryReader& memory, ContextStream* stream) {
  std::vector<LayerContext>* kept = memory.Kept();
  if (kept && layer < static_cast<int64_t>(kept->size())) return {{}, (*kept)[layer]};
  const bool wants = memory.WantsTokens();
  LayerRead read = memory.Read(layer, {own.k_plain, own.v, features}, wants ? PlainQueries(asking) : at::Tensor());
  LayerContext context;
  if (read.context.Size() > 0) context = {RotateSeen(read.context), read.context.value, read.context.bias};
  if (stream) {
    const LayerActivation tokens = AdvanceContext(*stream);
    context = JoinContexts(context, Spread({RotateKeys(tokens.key, stream->coord), tokens.value, stream->bias}, *stream));
  }
  if (kept) kept->push_back(context);
  return {read.sight, context};
}

at::Tensor BlockImpl::RotateSeen(const AttentionContext& context) const {
  if (options_.rope != "pixel") return RotateKeys(context.key, context.coord);
  const at::Tensor time = context.coord.select(-1, 0).reshape({-1}).to(context.key.device());
  return Rotate(context.key, MakeTimeRope(time, context.key.size(3), kTimeRopeBase));
}

// One layer of the context tokens among themselves; their keys and values are what frames see of them here.
LayerActivation BlockImpl::AdvanceContext(ContextStream& stream) {
  const int64_t D = options_.dim, R = stream.x.size(0), c = stream.x.size(1);
  const auto m = (stream.shared + modulation_).split(D, 1);
  const at::Tensor y = NormModulate(stream.x, m[0], m[1]);
  const at::Tensor qkv = attention_.qkv(y.reshape({-1, D})).view({R, c, 3 * D});
  const RopeTable still = MakeRope(at::zeros({c, 3}, stream.x.options()), {.head_dim = D / options_.heads});
  const QueryKeyValue h = SplitHeads(qkv, options_.heads, attention_.q_norm, attention_.k_norm, still, false);
  const at::Tensor mixed = DenseAttention(RotateKeys(h.q, stream.coord), RotateKeys(h.k, stream.coord), h.v, stream.bias);
  stream.x = GatedAdd(stream.x, attention_.out(MergeHeads(mixed).view({-1, D})).view(stream.x.sizes()), m[2]);
  stream.x = GatedAdd(stream.x, mlp_(NormModulate(stream.x, m[3], m[4])), m[5]);
  return {h.k, h.v, {}};
}

at::Tensor BlockImpl::FrameCausal(const at::Tensor& x, const at::Tensor& features, const ClipShape& clip, int64_t layer,
                                  MemoryReader& memory, ContextStream* stream, LayerActivation* keep) {
  const int64_t D = options_.dim, S = clip.Frames() * clip.tokens;
  const at::Tensor qkv = attention_.qkv(x.reshape({-1, D})).view({clip.batch, S, 3 * D});
  const QueryKeyValue h =
      SplitHeads(qkv, options_.heads, attention_.q_norm, attention_.k_norm, clip.Rope(), keep != nullptr || memory.WantsTokens());
  if (keep) keep->key = h.k_plain, keep->value = h.v;
  at::Tensor mixed;
  if (clip.mask.Twins()) {
    mixed = MixTwins(h, features, clip, layer, memory, stream);
  } else {
    const ClipTokens own{h.q, h.k, h.v, h.k_plain, clip.frames, clip.tokens, clip.rope, clip.coord};
    const Sight sight = Look(own, own, features, layer, memory, stream);
    mixed = Attend(own, sight.clip, sight.context, clip.mask);
  }
  return attention_.out(MergeHeads(mixed).view({-1, D})).view(x.sizes());
}

// The clip is what the memory remembers; its twins read with queries of their own, and alone see input tokens.
at::Tensor BlockImpl::MixTwins(const QueryKeyValue& h, const at::Tensor& features, const ClipShape& clip, int64_t layer,
                               MemoryReader& memory, ContextStream* stream) {
  const int64_t S = clip.frames * clip.tokens;
  const auto half = [&](int64_t i) -> ClipTokens {
    const auto part = [&](const at::Tensor& t) { return t.defined() ? t.narrow(2, i * S, S) : t; };
    return {part(h.q), part(h.k), part(h.v), part(h.k_plain), clip.frames, clip.tokens, clip.rope, clip.coord};
  };
  const ClipTokens clean = half(0), noisy = half(1);
  const at::Tensor written = features.narrow(1, 0, S);
  const Sight seen = Look(clean, clean, written, layer, memory, nullptr);
  const Sight asked = stream || memory.WantsTokens() ? Look(clean, noisy, written, layer, memory, stream) : seen;
  ClipMask past = clip.mask;
  past.kind = ClipMask::Kind::kCausal;
  return at::cat({Attend(clean, seen.clip, seen.context, past), AttendTwins(noisy, clean, asked.clip, asked.context, clip.mask)}, 2);
}

at::Tensor BlockImpl::Spatial(const at::Tensor& x, const ClipShape& clip) {
  const int64_t D = options_.dim, R = clip.batch * clip.Frames();
  const at::Tensor qkv = spatial_.qkv(x.reshape({-1, D})).view({R, clip.tokens, 3 * D});
  const QueryKeyValue h = SplitHeads(qkv, options_.heads, spatial_.q_norm, spatial_.k_norm, clip.image_rope, false);
  return spatial_.out(MergeHeads(DenseAttention(h.q, h.k, h.v)).view({-1, D})).view(x.sizes());
}

at::Tensor BlockImpl::Temporal(const at::Tensor& x, const at::Tensor& features, const ClipShape& clip, int64_t layer, MemoryReader& memory,
                               ContextStream* stream, LayerActivation* keep) {
  const int64_t D = options_.dim, N = clip.tokens, S = clip.Frames() * N;
  const at::Tensor qkv = attention_.qkv(x.reshape({-1, D})).view({clip.batch, S, 3 * D});
  const QueryKeyValue h =
      SplitHeads(qkv, options_.heads, attention_.q_norm, attention_.k_norm, clip.Rope(), keep != nullptr || memory.WantsTokens());
  if (keep) keep->key = h.k_plain, keep->value = h.v;
  const ClipTokens own{h.q, h.k, h.v, h.k_plain, clip.frames, N, clip.rope, clip.coord};
  const auto [seen, context] = Look(own, own, features.narrow(1, 0, clip.frames * N), layer, memory, stream);
  const int64_t c = context.key.defined() ? context.key.size(2) : 0;
  if (stream || seen.far.defined() || seen.near.defined() || context.bias.defined() || c % N != 0 || (c > 0 && clip.frames > 1))
    Fail("axial attention sees whole recent frames only; use layout frame_causal with this state");
  at::Tensor q = ByPosition(h.q, N), k = ByPosition(h.k, N), v = ByPosition(h.v, N), mixed;
  if (c > 0) {
    mixed = DenseAttention(q, at::cat({ByPosition(context.key, N), k}, 2), at::cat({ByPosition(context.value, N), v}, 2));
  } else if (!clip.mask.Plain()) {
    mixed = at::scaled_dot_product_attention(q, k, v, FrameMask(clip.mask, clip.frames, seen.reach).to(q.device()));
  } else if (seen.reach < 0 || seen.reach >= clip.frames - 1) {
    mixed = at::scaled_dot_product_attention(q, k, v, {}, 0.0, /*is_causal=*/true);
  } else {
    mixed = FrameCausalAttentionReference(q, k, v, 1, seen.reach);
  }
  return attention_.out(MergeHeads(ByFrame(mixed, N)).view({-1, D})).view(x.sizes());
}

at::Tensor BlockImpl::MlpWeights::operator()(const at::Tensor& y) { return down(Gelu(up(y.reshape({-1, y.size(-1)})))).view(y.sizes()); }

at::Tensor BlockImpl::forward(const at::Tensor& x_RND, const at::Tensor& shared_RE, const ClipShape& clip, int64_t layer,
                              MemoryReader& memory, ContextStream* stream, LayerActivation* keep) {
  const int64_t D = options_.dim;
  const auto m = (shared_RE + modulation_).split(D, 1);
  at::Tensor x = x_RND;
  const int64_t S = clip.frames * clip.tokens;
  const at::Tensor features = x.reshape({clip.batch, clip.Frames() * clip.tokens, D});
  if (keep) keep->features = features;
  const at::Tensor add =
      clip.mask.Twins() ? memory.BranchTwins(layer, features.narrow(1, 0, S), features.narrow(1, S, S)) : memory.Branch(layer, features);
  size_t next = 0;
  const auto sublayer = [&](auto&& f) {
    const at::Tensor y = f(NormModulate(x, m[next], m[next + 1]));
    x = GatedAdd(x, y, m[next + 2]);
    next += 3;
  };
  if (options_.layout != "frame_causal") {
    sublayer([&](const at::Tensor& y) { return Spatial(y, clip); });
    if (options_.layout == "spatial_temporal") sublayer([&](const at::Tensor& y) { return spatial_mlp_(y); });
    sublayer([&](const at::Tensor& y) { return Temporal(y, features, clip, layer, memory, stream, keep); });
  } else {
    sublayer([&](const at::Tensor& y) { return FrameCausal(y, features, clip, layer, memory, stream, keep); });
  }
  if (add.defined()) x = x + add.to(at::kFloat).reshape(x.sizes());
  sublayer([&](const at::Tensor& y) { return mlp_(y); });
  return x;
}

}  // namespace orrery
