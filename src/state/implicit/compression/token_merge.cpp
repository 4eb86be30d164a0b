#include "state/implicit/compression/token_merge.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <limits>

#include "core/error.h"
#include "core/rng.h"

namespace orrery {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

// The half of the slots that may leave when frame number `frames` enters a full table, numbered from the first slot that may merge.
// Halves are drawn by a hash: by a bit of the slot's number, tokens of one place in every frame would lie in one half for ever.
at::Tensor LeavingHalf(const MergeRule& rule, int64_t frames, at::Device device) {
  std::vector<int64_t> half;
  for (int64_t slot = 0; slot < rule.Partners(); ++slot)
    if (DeriveSeed(static_cast<uint64_t>(frames), static_cast<uint64_t>(slot)) & 1) half.push_back(slot);
  return at::tensor(half, at::kLong).to(device);
}

// [B, n, D] -> directions of the keys averaged over heads, [B, n, d].
at::Tensor Direction(const at::Tensor& key, int64_t heads) {
  const at::Tensor mean = key.view({key.size(0), key.size(1), heads, -1}).mean(2);
  return mean / (mean.norm(2, -1, true) + 1e-12);
}

// [B, H, T N, d] -> frame t, [B, N, D], fp32 or fp64.
at::Tensor FrameRows(const at::Tensor& x, int64_t frame, int64_t tokens, at::ScalarType type) {
  return x.narrow(2, frame * tokens, tokens).transpose(1, 2).to(type).flatten(2, 3);
}

// Keys beside values.
at::Tensor FrameRows(const at::Tensor& key, const at::Tensor& value, int64_t frame, int64_t tokens, at::ScalarType type) {
  return at::cat({FrameRows(key, frame, tokens, type), FrameRows(value, frame, tokens, type)}, 2);
}

at::Tensor Count(const at::Tensor& place) { return place.narrow(-1, 3, 1).clamp_min(1); }

at::ScalarType SumType(const at::Tensor& x) { return x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat; }

// Frame after frame in one pass: the sums stay in the processor's cache and only means are kept. Its gradient runs back over the same
// targets.
struct MergeScan : torch::autograd::Function<MergeScan> {
  static variable_list forward(AutogradContext* ctx, const Variable& key, const Variable& value, const at::Tensor& place,
                               const MergeRule& rule, int64_t recent) {
    const int64_t B = key.size(0), H = key.size(1), d = key.size(3), N = rule.tokens, T = key.size(2) / N, D = H * d;
    const int64_t entering = T - recent - 1, m = rule.Filled(entering);
    const at::ScalarType type = SumType(key);
    at::Tensor keys = at::zeros({B, T, H, m, d}, key.options()), values = at::zeros_like(keys);
    at::Tensor places = at::zeros({B, T, m, 4}, key.options().dtype(at::kFloat));
    at::Tensor sum = at::zeros({B, rule.slots, 2 * D}, key.options().dtype(type));
    at::Tensor where = at::zeros({B, rule.slots, 4}, places.options());
    std::vector<at::Tensor> targets;
    for (int64_t f = 0; f < entering; ++f) {
      const at::Tensor tokens = FrameRows(key, value, f, N, type);
      targets.push_back(MergeTargets(rule, sum.narrow(2, 0, D), tokens.narrow(2, 0, D), f));
      sum = MergeRows(sum, tokens, targets.back());
      where = MergeRows(where, TokenPlaces(place, B, static_cast<double>(f)).to(where.device()), targets.back());
      const at::Tensor mean = (sum.narrow(1, 0, m) / Count(where.narrow(1, 0, m)).to(type)).view({B, m, 2, H, d}).permute({2, 0, 3, 1, 4});
      keys.select(1, f + recent + 1).copy_(mean[0]);
      values.select(1, f + recent + 1).copy_(mean[1]);
      places.select(1, f + recent + 1).copy_(where.narrow(1, 0, m));
    }
    ctx->save_for_backward({at::stack(targets), places});
    ctx->saved_data["tokens"] = N;
    ctx->saved_data["slots"] = rule.slots;
    ctx->saved_data["recent"] = recent;
    ctx->mark_non_differentiable({places});
    return {keys, values, places};
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grad) {
    const auto saved = ctx->get_saved_variables();
    const at::Tensor &targets = saved[0], &places = saved[1];
    const int64_t N = ctx->saved_data["tokens"].toInt(), M = ctx->saved_data["slots"].toInt(), recent = ctx->saved_data["recent"].toInt();
    const int64_t B = grad[0].size(0), T = grad[0].size(1), H = grad[0].size(2), m = grad[0].size(3), d = grad[0].size(4), W = 2 * H * d;
    const at::ScalarType type = SumType(grad[0]);
    at::Tensor key = at::zeros({B, H, T * N, d}, grad[0].options()), value = at::zeros_like(key);
    at::Tensor sum = at::zeros({B, M, W}, key.options().dtype(type));
    for (int64_t f = targets.size(0) - 1; f >= 0; --f) {
      const int64_t t = f + recent + 1;
      const at::Tensor mean = at::stack({grad[0].select(1, t), grad[1].select(1, t)}).permute({1, 3, 0, 2, 4}).reshape({B, m, W});
      sum.narrow(1, 0, m).add_(mean.to(type) / Count(places.select(1, t)).to(type));
      const at::Tensor back = sum.gather(1, targets[f].unsqueeze(2).expand({-1, -1, W}));
      sum = back.narrow(1, 0, M).contiguous();
      const at::Tensor own = back.narrow(1, M, N).reshape({B, N, 2, H, d}).permute({2, 0, 3, 1, 4});
      key.narrow(2, f * N, N).copy_(own[0]);
      value.narrow(2, f * N, N).copy_(own[1]);
    }
    return {key, value, Variable(), Variable(), Variable()};
  }
};

}  // namespace

int64_t MergeRule::Matches(int64_t frames) const {
  return frames * tokens < slots ? 0 : LeavingHalf(*this, frames, at::kCPU).size(0) + tokens;
}

at::Tensor MergeTargets(const MergeRule& rule, const at::Tensor& slot_key, const at::Tensor& key, int64_t frames) {
  const int64_t B = key.size(0), M = rule.slots, N = rule.tokens, fixed = M - rule.Partners(), open = rule.Partners();
  ORRERY_CHECK(M % N == 0 && open >= N);
  const at::TensorOptions index = key.options().dtype(at::kLong);
  const auto all = [&](const at::Tensor& x) { return x.expand({B, x.size(0)}); };
  if (frames * N < M) return all(at::cat({at::arange(M, index), at::arange(frames * N, (frames + 1) * N, index)})).contiguous();

  const at::Tensor half = LeavingHalf(rule, frames, key.device());
  const int64_t U = half.size(0);
  const at::Tensor slots = Direction(slot_key.narrow(1, fixed, open), rule.heads);
  const at::Tensor seekers = at::cat({slots.index_select(1, half), Direction(key, rule.heads)}, 1);
  at::Tensor likeness = at::matmul(seekers, slots.transpose(1, 2));  // [B, U + N, open]
  likeness.narrow(1, 0, U).index_fill_(2, half, -std::numeric_limits<double>::infinity());
  const auto [best, partner] = likeness.max(2);
  const at::Tensor order = std::get<1>(best.sort(/*stable=*/true, 1, /*descending=*/true)).narrow(1, 0, N);
  const at::Tensor merged = at::zeros({B, U + N}, index.dtype(at::kBool)).scatter(1, order, true);

  // Slots: to their partner, or where they are. Tokens: to where their partner went, or into a slot that became free.
  const at::Tensor slot_merged = merged.narrow(1, 0, U), token_merged = merged.narrow(1, U, N);
  const at::Tensor slot_to = all(at::arange(open, index)).index_copy(1, half, at::where(slot_merged, partner.narrow(1, 0, U), all(half)));
  const at::Tensor free = at::zeros({B, open}, index.dtype(at::kByte)).index_copy(1, half, slot_merged.to(at::kByte));
  const at::Tensor free_first = std::get<1>(free.sort(/*stable=*/true, 1, /*descending=*/true));
  const at::Tensor rank = (token_merged.logical_not().cumsum(1) - 1).clamp_min(0);
  const at::Tensor token_to = at::where(token_merged, slot_to.gather(1, partner.narrow(1, U, N)), free_first.gather(1, rank));
  return at::cat({all(at::arange(fixed, index)), slot_to + fixed, token_to + fixed}, 1);
}

at::Tensor MergeRows(const at::Tensor& table, const at::Tensor& arriving, const at::Tensor& target) {
  const int64_t B = table.size(0), M = table.size(1), F = table.size(2);
  const at::Tensor row = (target + at::arange(B, target.options()).unsqueeze(1) * M).flatten();
  return at::zeros({B * M, F}, table.options()).index_add(0, row, at::cat({table, arriving}, 1).view({-1, F})).view({B, M, F});
}

at::Tensor TokenPlaces(const at::Tensor& place, int64_t batch, double time) {
  const at::Tensor t = at::full({place.size(0), 1}, time, place.options()), one = at::ones_like(t);
  return at::cat({t, place, one}, 1).expand({batch, -1, -1});
}

MergedClip MergeClip(const MergeRule& rule, const at::Tensor& key, const at::Tensor& value, const at::Tensor& place, int64_t recent) {
  ORRERY_CHECK(key.size(2) > (recent + 1) * rule.tokens);
  const variable_list out = MergeScan::apply(key, value, place, rule, recent);
  return {out[0], out[1], out[2]};
}

}  // namespace orrery
