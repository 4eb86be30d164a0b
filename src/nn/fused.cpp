#include "nn/fused.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>

#include "core/error.h"
#include "nn/fused_kernels.h"

namespace orrery {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

bool Fusable(std::initializer_list<at::Tensor> tensors) {
  for (const at::Tensor& t : tensors)
    if (!t.is_cpu() || (t.scalar_type() != at::kFloat && t.scalar_type() != at::kBFloat16)) return false;
  return true;
}

struct NormModulateOp : torch::autograd::Function<NormModulateOp> {
  static Variable forward(AutogradContext* ctx, const Variable& x, const Variable& shift, const Variable& scale, at::ScalarType type) {
    at::Tensor out = at::empty(x.sizes(), x.options().dtype(type));
    at::Tensor moments = at::empty({x.size(0) * x.size(1), 2}, x.options().dtype(at::kFloat));
    kernels::NormModulateForward(x, shift, scale, out, moments);
    ctx->save_for_backward({x, scale, moments});
    return out;
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grad) {
    const auto saved = ctx->get_saved_variables();
    const at::Tensor& x = saved[0];
    at::Tensor dx = at::empty_like(x), dshift = at::empty_like(saved[1]), dscale = at::empty_like(saved[1]);
    kernels::NormModulateBackward(grad[0].contiguous(), x, saved[1], saved[2], dx, dshift, dscale);
    return {dx, dshift, dscale, Variable()};
  }
};

struct GatedAddOp : torch::autograd::Function<GatedAddOp> {
  static Variable forward(AutogradContext* ctx, const Variable& x, const Variable& y, const Variable& gate) {
    at::Tensor out = at::empty_like(x);
    kernels::GatedAddForward(x, y, gate, out);
    ctx->save_for_backward({y, gate});
    return out;
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grad) {
    const auto saved = ctx->get_saved_variables();
    at::Tensor dy = at::empty_like(saved[0]), dgate = at::empty_like(saved[1]);
    const at::Tensor g = grad[0].contiguous();
    kernels::GatedAddBackward(g, saved[0], saved[1], dy, dgate);
    return {g, dy, dgate};
  }
};

struct GeluOp : torch::autograd::Function<GeluOp> {
  static Variable forward(AutogradContext* ctx, const Variable& x) {
    at::Tensor out = at::empty_like(x);
    kernels::GeluForward(x, out);
    ctx->save_for_backward({x});
    return out;
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grad) {
    const at::Tensor x = ctx->get_saved_variables()[0];
    at::Tensor dx = at::empty_like(x);
    kernels::GeluBackward(grad[0].contiguous(), x, dx);
    return {dx};
  }
};

struct RotateOp : torch::autograd::Function<RotateOp> {
  static Variable forward(AutogradContext* ctx, const Variable& x, const at::Tensor& cos, const at::Tensor& sin) {
    at::Tensor out = at::empty_like(x);
    kernels::Rotate(x, cos, sin, 1, out);
    ctx->saved_data["cos"] = cos;
    ctx->saved_data["sin"] = sin;
    return out;
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grad) {
    const at::Tensor g = grad[0].contiguous();
    at::Tensor dx = at::empty_like(g);
    kernels::Rotate(g, ctx->saved_data["cos"].toTensor(), ctx->saved_data["sin"].toTensor(), -1, dx);
    return {dx, Variable(), Variable()};
  }
};

struct SplitHeadsOp : torch::autograd::Function<SplitHeadsOp> {
  static variable_list forward(AutogradContext* ctx, const Variable& qkv, const Variable& qw, const Variable& kw, const at::Tensor& cos,
                               const at::Tensor& sin, int64_t heads) {
    const int64_t B = qkv.size(0), S = qkv.size(1), d = qkv.size(2) / (3 * heads);
    at::Tensor q = at::empty({B, heads, S, d}, qkv.options()), k = at::empty_like(q), v = at::empty_like(q);
    kernels::SplitHeadsForward(qkv, qw, kw, cos, sin, q, k, v);
    ctx->save_for_backward({qkv, qw, kw});
    ctx->saved_data["cos"] = cos;
    ctx->saved_data["sin"] = sin;
    return {q, k, v};
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grad) {
    const auto saved = ctx->get_saved_variables();
    at::Tensor dqkv = at::empty_like(saved[0]);
    at::Tensor dweights = at::zeros({saved[0].size(0), 2, saved[1].size(0)}, saved[1].options());
    kernels::SplitHeadsBackward(grad[0].contiguous(), grad[1].contiguous(), grad[2].contiguous(), saved[0], saved[1], saved[2],
                                ctx->saved_data["cos"].toTensor(), ctx->saved_data["sin"].toTensor(), dqkv, dweights);
    const at::Tensor dw = dweights.sum(0);
    return {dqkv, dw[0], dw[1], Variable(), Variable(), Variable()};
  }
};

}  // namespace

at::ScalarType ComputeType(const at::Tensor& x) {
  return at::autocast::is_autocast_enabled(x.device().type()) ? at::kBFloat16 : x.scalar_type();
}

at::Tensor NormModulate(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale) {
  const at::ScalarType type = ComputeType(x);
  if (Fusable({x, shift, scale}) && shift.scalar_type() == at::kFloat)
    return NormModulateOp::apply(x.contiguous(), shift.contiguous(), scale.contiguous(), type);
  const at::Tensor normal = at::layer_norm(x, {x.size(-1)}, {}, {}, kNormEps);
  return (normal * (1 + scale.unsqueeze(1)) + shift.unsqueeze(1)).to(type);
}

at::Tensor GatedAdd(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate) {
  if (Fusable({x, y, gate}) && x.scalar_type() == at::kFloat && gate.scalar_type() == at::kFloat)
    return GatedAddOp::apply(x.contiguous(), y.contiguous(), gate.contiguous());
  return x + gate.unsqueeze(1) * y.to(x.scalar_type());
}

at::Tensor Gelu(const at::Tensor& x) { return Fusable({x}) ? GeluOp::apply(x.contiguous()) : at::gelu(x, "tanh"); }

at::Tensor Rotate(const at::Tensor& x, const RopeTable& table) {
  const int64_t c = x.size(2), p = x.size(3) / 2;
  const at::Tensor cos = table.cos.reshape({-1, c, p}), sin = table.sin.reshape({-1, c, p});
  if (Fusable({x}) && x.numel() > 0 && cos.scalar_type() == at::kFloat) return RotateOp::apply(x.contiguous(), cos, sin);
  return ApplyRope(x, {cos.unsqueeze(1), sin.unsqueeze(1)});
}

at::Tensor HeadNorm(const at::Tensor& x, const at::Tensor& weight) {
  const at::Tensor f = x.to(x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
  return (f * at::rsqrt(f.square().mean(-1, true) + kNormEps) * weight.to(f.scalar_type())).to(x.scalar_type());
}

QueryKeyValue SplitHeads(const at::Tensor& qkv, int64_t heads, const at::Tensor& qw, const at::Tensor& kw, const RopeTable& rope,
                         bool keep_plain_key) {
  const int64_t B = qkv.size(0), S = qkv.size(1), d = qkv.size(2) / (3 * heads);
  ORRERY_CHECK(rope.cos.size(0) == S && rope.cos.size(1) == d / 2);
  if (!qw.defined()) {
    const at::Tensor split = qkv.view({B, S, 3, heads, d}).permute({2, 0, 3, 1, 4});
    return {Rotate(split[0], rope), Rotate(split[1], rope), split[2].contiguous(), keep_plain_key ? split[1].contiguous() : at::Tensor()};
  }
  // In training a plain key is the rotated one turned back; a session's, which is kept, is exact.
  const bool turn_back = keep_plain_key && at::GradMode::is_enabled() && qkv.requires_grad();
  if ((!keep_plain_key || turn_back) && Fusable({qkv, qw, kw}) && qw.scalar_type() == at::kFloat) {
    const auto out = SplitHeadsOp::apply(qkv.contiguous(), qw, kw, rope.cos, rope.sin, heads);
    return {out[0], out[1], out[2], turn_back ? Rotate(out[1], {rope.cos, rope.sin.neg()}) : at::Tensor()};
  }
  const at::Tensor split = qkv.view({B, S, 3, heads, d}).permute({2, 0, 3, 1, 4});
  const at::Tensor k_plain = HeadNorm(split[1], kw);
  return {ApplyRope(HeadNorm(split[0], qw), rope), ApplyRope(k_plain, rope), split[2].contiguous(), k_plain};
}

}  // namespace orrery
