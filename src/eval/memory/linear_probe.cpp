#include "eval/memory/linear_probe.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "eval/memory/one_thread.h"

namespace orrery {

namespace {

struct Fit {
  at::Tensor weights, offset;
};

// Solves (Z'Z + penalty n) W = Z'Y for centred Z and Y, by whichever of the two sides is smaller.
Fit Ridge(const at::Tensor& z, const at::Tensor& y, double penalty) {
  const at::Tensor offset = y.mean(0), mean = z.mean(0), centred = z - mean, target = y - offset;
  const int64_t n = z.size(0), d = z.size(1);
  const double ridge = penalty * static_cast<double>(n);
  at::Tensor weights;
  if (d <= n) {
    const at::Tensor gram = at::mm(centred.t(), centred) + ridge * at::eye(d, at::kDouble);
    weights = at::cholesky_solve(at::mm(centred.t(), target), at::linalg_cholesky(gram));
  } else {
    const at::Tensor gram = at::mm(centred, centred.t()) + ridge * at::eye(n, at::kDouble);
    weights = at::mm(centred.t(), at::cholesky_solve(target, at::linalg_cholesky(gram)));
  }
  return {weights, offset - at::mm(mean.view({1, -1}), weights).view({-1})};
}

// Columns of targets that are known in the same rows are fitted together.
Fit RidgeKnown(const at::Tensor& z, const at::Tensor& y, const at::Tensor& known, double penalty) {
  if (!known.defined() || known.all().item<bool>()) return Ridge(z, y, penalty);
  Fit whole{at::zeros({z.size(1), y.size(1)}, at::kDouble), at::zeros({y.size(1)}, at::kDouble)};
  at::Tensor left = at::ones({y.size(1)}, at::kBool);
  while (left.any().item<bool>()) {
    const int64_t first = at::nonzero(left)[0].item<int64_t>();
    const at::Tensor mask = known.select(1, first);
    const at::Tensor alike = at::nonzero(left & (known == mask.unsqueeze(1)).all(0)).view({-1}), rows = at::nonzero(mask).view({-1});
    left.index_fill_(0, alike, false);
    if (rows.numel() < 2) continue;  // nothing is known of them: 0
    const Fit fit = Ridge(z.index_select(0, rows), y.index_select(0, rows).index_select(1, alike), penalty);
    whole.weights.index_copy_(1, alike, fit.weights);
    whole.offset.index_copy_(0, alike, fit.offset);
  }
  return whole;
}

}  // namespace

LinearProbe::LinearProbe(const at::Tensor& inputs, const at::Tensor& targets, const at::Tensor& known) {
  if (inputs.dim() != 2 || targets.dim() != 2 || inputs.size(0) != targets.size(0) || inputs.size(0) < 8 ||
      (known.defined() && known.sizes() != targets.sizes()))
    Fail("linear probe: inputs [n, d] and targets [n, k] of n >= 8 rows expected, got {} and {}", c10::str(inputs.sizes()),
         c10::str(targets.sizes()));
  const OneThread one;
  const at::Tensor x = inputs.to(at::kDouble), y = targets.to(at::kDouble);
  const at::Tensor deviation = at::std(x, at::IntArrayRef{0}, /*unbiased=*/false);
  kept_ = at::nonzero(deviation > 1e-9).view({-1});
  mean_ = x.mean(0).index_select(0, kept_);
  scale_ = deviation.index_select(0, kept_);
  const at::Tensor z = (x.index_select(1, kept_) - mean_) / scale_;
  const int64_t n = z.size(0), held = n / 4;
  const auto part = [&](const at::Tensor& t, int64_t from, int64_t count) { return t.defined() ? t.narrow(0, from, count) : t; };
  double least = -1;
  for (const double penalty : {1e-6, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2}) {
    const Fit fit = RidgeKnown(part(z, 0, n - held), part(y, 0, n - held), part(known, 0, n - held), penalty);
    at::Tensor error = (at::mm(part(z, n - held, held), fit.weights) + fit.offset - part(y, n - held, held)).square();
    if (known.defined()) error = error * part(known, n - held, held);
    const double sum = error.sum().item<double>();
    if (least >= 0 && sum >= least) continue;
    least = sum;
    penalty_ = penalty;
  }
  Fit fit = RidgeKnown(z, y, known, penalty_);
  weights_ = fit.weights;
  offset_ = fit.offset;
}

at::Tensor LinearProbe::Predict(const at::Tensor& inputs) const {
  const OneThread one;
  const at::Tensor z = (inputs.to(at::kDouble).index_select(1, kept_) - mean_) / scale_;
  return at::mm(z, weights_) + offset_;
}

}  // namespace orrery
