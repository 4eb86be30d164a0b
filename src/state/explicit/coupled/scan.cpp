#include "state/explicit/coupled/scan.h"

#include <ATen/ATen.h>

#include <limits>
#include <vector>

#include "core/error.h"

namespace orrery {

namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

// [..., T] -> decays [..., T, T] of what frame s wrote until frame t finds it, s < t, and [..., T] of what was there at the beginning.
struct Decays {
  at::Tensor between, since;
};
Decays DecaysOf(const at::Tensor& log_decay) {
  const int64_t T = log_decay.size(-1);
  const at::Tensor through = log_decay.cumsum(-1), until = through - log_decay;
  const at::Tensor past = at::ones({T, T}, log_decay.options().dtype(at::kBool)).tril(-1);
  const at::Tensor gap = until.unsqueeze(-1) - through.unsqueeze(-2);
  return {gap.masked_fill(past.logical_not(), kNever).exp(), until.exp()};
}

at::Tensor Column(const at::Tensor& x) { return x.unsqueeze(-1).unsqueeze(-1); }

FrameStates OneChunk(const at::Tensor& write, const at::Tensor& log_decay, const at::Tensor& start) {
  const int64_t T = write.size(-3);
  const at::Tensor last = write.select(-3, T - 1);
  if (!log_decay.defined()) {
    const at::Tensor sums = write.cumsum(-3) + start.unsqueeze(-3);
    return {at::cat({start.unsqueeze(-3), sums.narrow(-3, 0, T - 1)}, -3), sums.select(-3, T - 1)};
  }
  at::Tensor before = start.unsqueeze(-3);
  if (T > 1) {
    const Decays decays = DecaysOf(log_decay);
    before = at::matmul(decays.between, write.flatten(-2)).view_as(write) + Column(decays.since) * before;
  }
  return {before, Column(log_decay.select(-1, T - 1).exp()) * before.select(-3, T - 1) + last};
}

}  // namespace

FrameStates DecayedSum(const at::Tensor& write, const at::Tensor& log_decay, const at::Tensor& start, int64_t chunk) {
  const int64_t T = write.size(-3);
  ORRERY_CHECK(T > 0 && chunk > 0);
  std::vector<at::Tensor> before;
  at::Tensor state = start;
  for (int64_t t = 0; t < T; t += chunk) {
    const int64_t n = std::min(chunk, T - t);
    const FrameStates part = OneChunk(write.narrow(-3, t, n), log_decay.defined() ? log_decay.narrow(-1, t, n) : at::Tensor(), state);
    before.push_back(part.before);
    state = part.after;
  }
  return {before.size() == 1 ? before[0] : at::cat(before, -3), state};
}

FrameStates DeltaRule(const at::Tensor& key, const at::Tensor& value, const at::Tensor& beta, const at::Tensor& log_decay,
                      const at::Tensor& start, bool in_order) {
  const int64_t T = key.size(-3), N = key.size(-2), a = key.size(-1), b = value.size(-1);
  // W = own - seen S, for all frames at once.
  const at::Tensor strength = (in_order ? beta : beta / static_cast<double>(N)).unsqueeze(-1);
  const at::Tensor scaled = strength * key;
  at::Tensor own_seen = at::cat({strength * value, scaled}, -1);
  if (in_order) {
    const at::Tensor among = at::matmul(scaled, key.transpose(-1, -2)).tril(-1);
    own_seen = at::linalg_solve_triangular(among, own_seen, /*upper=*/false, /*left=*/true, /*unitriangular=*/true);
  }
  const at::Tensor decay = log_decay.exp();
  const at::Tensor own = own_seen.narrow(-1, 0, b).reshape({-1, T, N, b});
  const at::Tensor seen = (own_seen.narrow(-1, b, a) * Column(decay)).reshape({-1, T, N, a});
  const at::Tensor back = key.reshape({-1, T, N, a}).transpose(-1, -2), kept = decay.reshape({-1, T, 1, 1});
  std::vector<at::Tensor> before;
  at::Tensor state = start.reshape({-1, a, b});
  for (int64_t t = 0; t < T; ++t) {
    before.push_back(state);
    const at::Tensor fresh = at::baddbmm(own.select(1, t), seen.select(1, t), state, 1, -1);
    state = at::baddbmm(kept.select(1, t) * state, back.select(1, t), fresh);
  }
  std::vector<int64_t> shape = key.sizes().vec();
  shape[shape.size() - 2] = a;
  shape.back() = b;
  return {at::stack(before, 1).view(shape), state.view(start.sizes())};
}

}  // namespace orrery
