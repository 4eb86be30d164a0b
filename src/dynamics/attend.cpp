#include "dynamics/attend.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "nn/attention.h"

namespace orrery {

namespace {

constexpr double kHidden = -std::numeric_limits<double>::infinity();

// The same tokens as if their frames were at time 0.
at::Tensor AtTimeZero(const at::Tensor& x, const at::Tensor& coord) {
  if (coord.size(0) == 0) return x;
  at::Tensor back = at::zeros_like(coord);
  back.select(1, 0).copy_(coord.select(1, 0).neg());
  return RotateKeys(x, back);
}

// [B, H, S, d] <-> rows [B T, H, N, d]
at::Tensor Rows(const at::Tensor& x, int64_t frames) {
  const int64_t B = x.size(0), H = x.size(1), N = x.size(2) / frames, d = x.size(3);
  return x.reshape({B, H, frames, N, d}).transpose(1, 2).reshape({B * frames, H, N, d});
}
at::Tensor Columns(const at::Tensor& x, int64_t frames) {
  const int64_t B = x.size(0) / frames, H = x.size(1), N = x.size(2), d = x.size(3);
  return x.reshape({B, frames, H, N, d}).transpose(1, 2).reshape({B, H, frames * N, d});
}

at::Tensor NearMask(int64_t frames, int64_t tokens, int64_t reach, at::Device device) {
  const at::Tensor frame = at::arange(frames * tokens, at::TensorOptions(at::kLong).device(device)).floor_divide(tokens);
  const at::Tensor age = frame.unsqueeze(1) - frame.unsqueeze(0);
  return reach < 0 ? age >= 0 : (age >= 0) & (age <= reach);
}

// Scores of queries q with a clip's keys: those of `near` [S, S] at their true distance, and the sight's far ones.
at::Tensor ClipScores(const at::Tensor& q, const ClipTokens& own, const at::Tensor& near, const ClipSight& sight, double scale) {
  const at::Tensor scores = at::matmul(q, own.k.transpose(2, 3)).to(at::kFloat) * scale;
  if (!sight.far.defined()) return scores.masked_fill(near.logical_not(), kHidden);
  ORRERY_CHECK(own.k_plain.defined());
  at::Tensor place = own.coord.clone();
  place.select(1, 0).fill_(-sight.far_time);
  const at::Tensor key = RotateKeys(own.k_plain, place);
  const at::Tensor far = at::matmul(AtTimeZero(q, own.coord), key.transpose(2, 3)).to(at::kFloat) * scale;
  return at::where(near, scores, far.masked_fill(sight.far.logical_not(), kHidden));
}

// Scores [B, H, S, c] of a clip's queries with the context tokens of their own rows.
at::Tensor ContextScores(const ClipTokens& own, const LayerContext& context, double scale) {
  const at::Tensor q = Rows(AtTimeZero(own.q, own.coord), own.frames);
  at::Tensor scores = at::matmul(q, context.key.to(q.scalar_type()).transpose(2, 3)).to(at::kFloat) * scale;
  if (context.bias.defined()) scores = scores + context.bias;
  return Columns(scores, own.frames);
}

// Keys and values of frames t - reach .. t for every frame t, as rows [B T, H, (reach + 1) N, d]; frames before the clip repeat the first.
at::Tensor WindowRows(const at::Tensor& x, int64_t frames, const at::Tensor& index) {
  const int64_t B = x.size(0), H = x.size(1), N = x.size(2) / frames, d = x.size(3);
  const at::Tensor picked = x.reshape({B, H, frames, N * d}).transpose(1, 2).index_select(1, index.clamp_min(0).flatten());
  return picked.view({B * frames, -1, H, N, d}).transpose(1, 2).reshape({B * frames, H, -1, d});
}

// A clip whose frames see few frames and context tokens of their own: every frame is a row, and no pair is computed that is not seen.
at::Tensor AttendRows(const ClipTokens& own, int64_t reach, const LayerContext& context, double scale) {
  const int64_t T = own.frames, B = own.q.size(0);
  const at::TensorOptions whole = at::TensorOptions(at::kLong).device(own.q.device());
  const at::Tensor index = at::arange(T, whole).unsqueeze(1) + at::arange(-reach, 1, whole);  // [T, reach + 1]
  const at::Tensor before = (index < 0).repeat_interleave(own.tokens, 1).repeat({B, 1}).view({B * T, 1, 1, -1});
  const at::Tensor query = own.q * scale, q = Rows(query, T), key = WindowRows(own.k, T, index), value = WindowRows(own.v, T, index);
  const at::Tensor near = at::matmul(q, key.transpose(2, 3)).masked_fill(before, kHidden);
  const at::Tensor still = Rows(AtTimeZero(query, own.coord), T);
  at::Tensor far = at::matmul(still, context.key.to(still.scalar_type()).transpose(2, 3));
  if (context.bias.defined()) far = far + context.bias;
  const int64_t S = near.size(3);
  const at::Tensor p = at::cat({near.to(far.scalar_type()), far}, 3).softmax(3, at::kFloat).to(own.v.scalar_type());
  const at::Tensor seen = at::matmul(p.narrow(3, 0, S), value);
  return Columns(seen + at::matmul(p.narrow(3, S, p.size(3) - S), context.value.to(p.scalar_type())), T);
}

at::Tensor AttendFrame(const ClipTokens& own, const LayerContext& context) {
  at::Tensor bias = context.bias;
  if (bias.defined()) {
    std::vector<int64_t> shape = bias.sizes().vec();
    shape[3] = own.k.size(2);
    bias = at::cat({bias, at::zeros(shape, bias.options())}, 3);
  }
  const auto with = [](const at::Tensor& seen, const at::Tensor& mine) { return at::cat({seen.to(mine.scalar_type()), mine}, 2); };
  return DenseAttention(own.q, with(context.key, own.k), with(context.value, own.v), bias);
}

}  // namespace

at::Tensor PlainQueries(const ClipTokens& own) { return ApplyRope(own.q, {own.rope.cos, own.rope.sin.neg()}); }

at::Tensor Attend(const ClipTokens& own, const ClipSight& seen, const LayerContext& context, const ClipMask& mask) {
  const bool extra = context.key.defined() && context.key.size(2) > 0;
  ORRERY_CHECK(!mask.Twins() && (mask.Plain() || own.frames > 1));
  if (mask.kind == ClipMask::Kind::kFull) {
    ORRERY_CHECK(!extra && !seen.far.defined());
    return DenseAttention(own.q, own.k, own.v);
  }
  ClipSight sight = seen;
  if (!mask.Plain()) {
    ORRERY_CHECK(mask.block == 1 || !extra);
    const at::Tensor shown = TokenMask(FrameMask(mask, own.frames, seen.reach), own.tokens).to(own.q.device());
    sight.near = seen.near.defined() ? seen.near | shown : shown;
    sight.reach = 0;
  }
  if (!sight.far.defined() && !sight.near.defined() && !extra) return FrameCausalAttention(own.q, own.k, own.v, own.tokens, sight.reach);
  if (own.frames == 1) return extra ? AttendFrame(own, context) : DenseAttention(own.q, own.k, own.v);
  const double scale = 1 / std::sqrt(static_cast<double>(own.q.size(3)));
  if (extra && !sight.far.defined() && !sight.near.defined() && sight.reach >= 0 && sight.reach + 1 < own.frames)
    return AttendRows(own, sight.reach, context, scale);
  at::Tensor near = NearMask(own.frames, own.tokens, sight.reach, own.q.device());
  if (sight.near.defined()) near = near | sight.near;
  at::Tensor scores = ClipScores(own.q, own, near, sight, scale);
  const int64_t S = scores.size(3);
  if (extra) scores = at::cat({scores, ContextScores(own, context, scale)}, 3);
  const at::Tensor p = scores.softmax(3).to(own.v.scalar_type());
  at::Tensor out = at::matmul(p.narrow(3, 0, S), own.v);
  if (extra)
    out = out + Columns(at::matmul(Rows(p.narrow(3, S, p.size(3) - S), own.frames), context.value.to(p.scalar_type())), own.frames);
  return out;
}

at::Tensor AttendTwins(const ClipTokens& noisy, const ClipTokens& clean, const ClipSight& sight, const LayerContext& context,
                       const ClipMask& mask) {
  const bool extra = context.key.defined() && context.key.size(2) > 0;
  const int64_t T = clean.frames, S = clean.q.size(2), blocks = T / mask.block, b = mask.block * clean.tokens;
  ORRERY_CHECK(T % mask.block == 0 && (mask.block == 1 || !extra));
  const double scale = 1 / std::sqrt(static_cast<double>(clean.q.size(3)));
  const at::Tensor frames = FrameMask(mask, T, sight.reach).narrow(0, T, T).narrow(1, 0, T);
  at::Tensor near = TokenMask(frames, clean.tokens).to(clean.q.device());
  if (sight.near.defined()) near = near | (sight.near & TokenMask(at::ones({T, T}, at::kBool).tril(-1), clean.tokens).to(near.device()));
  const at::Tensor past = ClipScores(noisy.q, clean, near, sight, scale);
  const at::Tensor own = at::matmul(Rows(noisy.q, blocks), Rows(noisy.k, blocks).transpose(2, 3)).to(at::kFloat) * scale;
  std::vector<at::Tensor> scores{past, Columns(own, blocks)};
  if (extra) scores.push_back(ContextScores(noisy, context, scale));
  const at::Tensor p = at::cat(scores, 3).softmax(3).to(clean.v.scalar_type());
  at::Tensor out = at::matmul(p.narrow(3, 0, S), clean.v);
  out = out + Columns(at::matmul(Rows(p.narrow(3, S, b), blocks), Rows(noisy.v, blocks)), blocks);
  if (extra) out = out + Columns(at::matmul(Rows(p.narrow(3, S + b, p.size(3) - S - b), T), context.value.to(p.scalar_type())), T);
  return out;
}

}  // namespace orrery
