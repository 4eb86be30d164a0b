#include "state/implicit/compression/token_merge.h"

#include <ATen/ATen.h>
#include <ATen/TensorIndexing.h>
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

// What a frame changes, as rows b M + slot: slots that merge into others, where they go, and where the frame's tokens go.
struct Moves {
  at::Tensor from, to, into;
};
Moves MovesOf(const at::Tensor& target, int64_t slots) {
  const int64_t B = target.size(0);
  const at::Tensor first = (at::arange(B, target.options()) * slots).unsqueeze(1), slot = at::arange(slots, target.options());
  const at::Tensor to = target.narrow(1, 0, slots), from = to.ne(slot).flatten().nonzero().flatten();
  return {from, (to + first).flatten().index_select(0, from), (target.narrow(1, slots, target.size(1) - slots) + first).flatten()};
}

// rows [B M, F] and tokens [B N, F].
void Move(const at::Tensor& rows, const at::Tensor& tokens, const Moves& moves) {
  const at::Tensor leaving = rows.index_select(0, moves.from);
  rows.index_fill_(0, moves.from, 0).index_add_(0, moves.to, leaving).index_add_(0, moves.into, tokens);
}

// Frame after frame: the sums of now alone are held, in fp32, and every frame's means copy those of the frame before but for what changed.
// Its gradient runs back over the same moves.
struct MergeScan : torch::autograd::Function<MergeScan> {
  static variable_list forward(AutogradContext* ctx, const Variable& key, const Variable& value, const at::Tensor& place,
                               const MergeRule& rule, int64_t recent) {
    const int64_t B = key.size(0), H = key.size(1), d = key.size(3), N = rule.tokens, T = key.size(2) / N, D = H * d, M = rule.slots;
    const int64_t entering = T - recent - 1, m = rule.Filled(entering);
    const at::ScalarType type = SumType(key);
    at::Tensor keys = at::empty({B, T, H, m, d}, key.options()), values = at::empty_like(keys);
    at::Tensor places = at::empty({B, T, m, 4}, key.options().dtype(at::kFloat));
    for (at::Tensor* x : {&keys, &values, &places}) x->narrow(1, 0, recent + 1).zero_();
    const at::Tensor sum = at::zeros({B, M, 2 * D}, key.options().dtype(type)), where = at::zeros({B, M, 4}, places.options());
    variable_list saved{places};
    for (int64_t f = 0; f < entering; ++f) {
      const int64_t t = f + recent + 1;
      const at::Tensor tokens = FrameRows(key, value, f, N, type);
      const Moves moves = MovesOf(MergeTargets(rule, sum.narrow(2, 0, D), tokens.narrow(2, 0, D), f), M);
      Move(sum.view({B * M, -1}), tokens.flatten(0, 1), moves);
      Move(where.view({B * M, -1}), TokenPlaces(place, B, static_cast<double>(f)).to(where.device()).flatten(0, 1), moves);
      const at::Tensor changed = at::cat({moves.to, moves.into}), count = where.view({B * M, -1}).index_select(0, changed).narrow(1, 3, 1);
      const at::Tensor mean = (sum.view({B * M, -1}).index_select(0, changed) / count.to(type)).to(key.scalar_type()).view({-1, 2, H, d});
      const at::Tensor row = changed.floor_divide(M), slot = changed.remainder(M);
      for (const bool of_key : {true, false}) {
        const at::Tensor& means = of_key ? keys : values;
        means.select(1, t).copy_(means.select(1, t - 1)).index_put_({row, at::indexing::Slice(), slot}, mean.select(1, of_key ? 0 : 1));
      }
      places.select(1, t).copy_(where.narrow(1, 0, m));
      saved.insert(saved.end(), {moves.from, moves.to, moves.into});
    }
    ctx->save_for_backward(saved);
    ctx->saved_data["tokens"] = N;
    ctx->saved_data["slots"] = M;
    ctx->saved_data["recent"] = recent;
    ctx->mark_non_differentiable({places});
    return {keys, values, places};
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grad) {
    const auto saved = ctx->get_saved_variables();
    const int64_t N = ctx->saved_data["tokens"].toInt(), M = ctx->saved_data["slots"].toInt(), recent = ctx->saved_data["recent"].toInt();
    const int64_t B = grad[0].size(0), T = grad[0].size(1), H = grad[0].size(2), m = grad[0].size(3), d = grad[0].size(4), D = H * d;
    const at::ScalarType type = SumType(grad[0]);
    const at::Tensor share = Count(saved[0]).to(type).reciprocal().unsqueeze(2);  // [B, T, 1, m, 1]
    variable_list back;
    for (int64_t part = 0; part < 2; ++part) {
      at::Tensor out = at::zeros({B, T, N, H, d}, grad[0].options());
      const at::Tensor sum = at::zeros({B, M, H, d}, grad[0].options().dtype(type)), rows = sum.view({B * M, D});
      for (int64_t t = T - 1; t > recent; --t) {
        const size_t at = static_cast<size_t>(1 + 3 * (t - recent - 1));
        sum.narrow(1, 0, m).transpose(1, 2).add_(grad[static_cast<size_t>(part)].select(1, t) * share.select(1, t));
        out.select(1, t - recent - 1).copy_(rows.index_select(0, saved[at + 2]).view({B, N, H, d}));
        rows.index_copy_(0, saved[at], rows.index_select(0, saved[at + 1]));
      }
      back.push_back(out.flatten(1, 2).transpose(1, 2));
    }
    return {back[0], back[1], Variable(), Variable(), Variable()};
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
