#include "state/join.h"

#include <ATen/ATen.h>

#include "core/error.h"

namespace orrery {

namespace {

// [c, 3] -> [R, c, 3]; [c] -> [R, c]
at::Tensor PerRow(const at::Tensor& x, int64_t rows, int64_t dims) {
  if (x.dim() == dims) return x;
  std::vector<int64_t> shape = x.sizes().vec();
  shape.insert(shape.begin(), rows);
  return x.unsqueeze(0).expand(shape);
}

at::Tensor CatRows(const at::Tensor& a, const at::Tensor& b, int64_t rows, int64_t dims) {
  if (!a.defined() || !b.defined()) return {};
  if (a.dim() < dims && b.dim() < dims) return at::cat({a, b}, 0);
  return at::cat({PerRow(a, rows, dims), PerRow(b, rows, dims)}, 1);
}

// Biases of two contexts, [R, H, N, c] each or undefined, over the keys of both.
at::Tensor CatBias(const at::Tensor& a, const at::Tensor& b, const at::Tensor& key_a, const at::Tensor& key_b) {
  if (!a.defined() && !b.defined()) return {};
  const auto full = [](const at::Tensor& bias, const at::Tensor& key) {
    return bias.defined() ? bias : at::zeros({key.size(0), 1, 1, key.size(2)}, key.options().dtype(at::kFloat));
  };
  const at::Tensor x = full(a, key_a), y = full(b, key_b);
  const int64_t R = x.size(0), H = std::max(x.size(1), y.size(1)), N = std::max(x.size(2), y.size(2));
  return at::cat({x.expand({R, H, N, x.size(3)}), y.expand({R, H, N, y.size(3)})}, 3);
}

}  // namespace

at::Tensor AddDefined(const at::Tensor& a, const at::Tensor& b) {
  if (!a.defined()) return b;
  return b.defined() ? a + b : a;
}

InputContext JoinInputs(const InputContext& a, const InputContext& b) {
  InputContext out;
  out.features = AddDefined(a.features, b.features);
  if (!a.tokens.defined() || !b.tokens.defined()) {
    const InputContext& one = a.tokens.defined() ? a : b;
    out.tokens = one.tokens;
    out.coord = one.coord;
    out.bias = one.bias;
    out.rows = one.rows;
    return out;
  }
  const int64_t R = a.tokens.size(0);
  ORRERY_CHECK(a.rows.defined() == b.rows.defined() && (!a.rows.defined() || at::equal(a.rows, b.rows)));
  out.rows = a.rows;
  out.tokens = at::cat({a.tokens, b.tokens}, 1);
  out.coord = CatRows(a.coord, b.coord, R, 3);
  if (a.bias.defined() || b.bias.defined()) {
    const auto full = [](const InputContext& c) {
      return c.bias.defined() ? c.bias : at::zeros({c.tokens.size(0), c.tokens.size(1)}, c.tokens.options().dtype(at::kFloat));
    };
    out.bias = at::cat({full(a), full(b)}, 1);
  }
  return out;
}

AttentionContext JoinContexts(const AttentionContext& a, const AttentionContext& b) {
  if (a.Size() == 0) return b;
  if (b.Size() == 0) return a;
  const int64_t R = a.key.size(0);
  AttentionContext out;
  out.key = at::cat({a.key, b.key.to(a.key.scalar_type())}, 2);
  out.value = at::cat({a.value, b.value.to(a.value.scalar_type())}, 2);
  out.coord = CatRows(a.coord, b.coord, R, 3);
  out.frame = CatRows(a.frame, b.frame, R, 2);
  out.bias = CatBias(a.bias, b.bias, a.key, b.key);
  return out;
}

LayerContext JoinContexts(const LayerContext& a, const LayerContext& b) {
  if (!a.key.defined() || a.key.size(2) == 0) return b;
  if (!b.key.defined() || b.key.size(2) == 0) return a;
  return {at::cat({a.key, b.key.to(a.key.scalar_type())}, 2), at::cat({a.value, b.value.to(a.value.scalar_type())}, 2),
          CatBias(a.bias, b.bias, a.key, b.key)};
}

ClipSight JoinSights(const ClipSight& a, const ClipSight& b) {
  ClipSight out;
  out.reach = a.reach < 0 || b.reach < 0 ? -1 : std::max(a.reach, b.reach);
  if (a.far.defined() && b.far.defined()) {
    if (a.far_time != b.far_time) Fail("two parts of one state place old frames at different times ({} and {})", a.far_time, b.far_time);
    out.far = a.far | b.far;
  } else {
    out.far = a.far.defined() ? a.far : b.far;
  }
  out.far_time = a.far.defined() ? a.far_time : b.far_time;
  out.near = a.near.defined() && b.near.defined() ? a.near | b.near : a.near.defined() ? a.near : b.near;
  return out;
}

}  // namespace orrery
