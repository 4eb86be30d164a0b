#include "eval/memory/mlp_probe.h"

#include <ATen/ATen.h>
#include <torch/optim/adamw.h>

#include <cmath>
#include <numbers>

#include "core/error.h"
#include "core/tensor_rng.h"
#include "eval/memory/one_thread.h"

namespace orrery {

namespace {

constexpr int64_t kLookEvery = 50;
constexpr double kRate = 1e-3;

// Mean over known targets.
at::Tensor Loss(const at::Tensor& said, const at::Tensor& right, const at::Tensor& known, bool binary) {
  const at::Tensor each = binary ? at::binary_cross_entropy_with_logits(said, right, {}, {}, at::Reduction::None) : (said - right).square();
  if (!known.defined()) return each.mean();
  const at::Tensor mask = known.to(at::kFloat);
  return (each * mask).sum() / mask.sum().clamp_min(1);
}

at::Tensor RowsOf(const at::Tensor& t, const at::Tensor& rows) { return t.defined() ? t.index_select(0, rows) : t; }

}  // namespace

at::Tensor MlpProbe::Forward(const at::Tensor& x) const {
  at::Tensor h = x;
  for (int64_t i = 0; i < options_.layers; ++i) {
    const at::Tensor* w = weights_.data() + 4 * i;
    h = at::elu(at::layer_norm(at::linear(h, w[0], w[1]), {options_.width}, w[2], w[3]));
  }
  return at::linear(h, weights_[static_cast<size_t>(4 * options_.layers)], weights_.back());
}

at::Tensor MlpProbe::Standardised(const at::Tensor& inputs) const { return ((inputs.to(at::kDouble) - mean_) / scale_).to(at::kFloat); }

MlpProbe::MlpProbe(const at::Tensor& inputs, const at::Tensor& targets, const at::Tensor& known, const MlpProbeOptions& options)
    : options_(options) {
  if (inputs.dim() != 2 || targets.dim() != 2 || inputs.size(0) != targets.size(0) || inputs.size(0) < 8 ||
      (known.defined() && known.sizes() != targets.sizes()))
    Fail("mlp probe: inputs [n, d] and targets [n, k] of n >= 8 rows expected, got {} and {}", c10::str(inputs.sizes()),
         c10::str(targets.sizes()));
  const OneThread one;
  const auto deviation = [](const at::Tensor& t) {
    const at::Tensor d = at::std(t, at::IntArrayRef{0}, false);
    return at::where(d > 1e-9, d, at::ones_like(d));
  };
  const at::Tensor x64 = inputs.to(at::kDouble), y64 = targets.to(at::kDouble);
  mean_ = x64.mean(0);
  scale_ = deviation(x64);
  target_mean_ = options_.binary ? at::zeros({y64.size(1)}, at::kDouble) : y64.mean(0);
  target_scale_ = options_.binary ? at::ones({y64.size(1)}, at::kDouble) : deviation(y64);
  const at::Tensor x = Standardised(inputs), y = ((y64 - target_mean_) / target_scale_).to(at::kFloat);
  const int64_t n = x.size(0), held = n / 4, fit = n - held;

  Rng rng(options_.seed, "mlp probe");
  const auto dense = [&](int64_t out, int64_t in) {
    weights_.push_back(NormalTensor({out, in}, rng).to(at::kFloat) / std::sqrt(static_cast<double>(in)));
    weights_.push_back(at::zeros({out}));
  };
  for (int64_t i = 0; i < options_.layers; ++i) {
    dense(options_.width, i ? options_.width : x.size(1));
    weights_.push_back(at::ones({options_.width}));
    weights_.push_back(at::zeros({options_.width}));
  }
  // The answers begin as the constant ones: what cannot be learnt stays there.
  weights_.push_back(at::zeros({y.size(1), options_.width}));
  const at::Tensor share = known.defined() ? (y * known).sum(0) / known.sum(0).clamp_min(1).to(at::kFloat) : y.mean(0);
  weights_.push_back(options_.binary ? at::logit(share, 1e-3) : share.clone());
  for (at::Tensor& w : weights_) w.requires_grad_(true);
  torch::optim::AdamW optimizer(weights_, torch::optim::AdamWOptions(kRate).weight_decay(1e-2));
  const at::Tensor last = at::arange(fit, n, at::kLong);
  std::vector<at::Tensor> best;
  double least = 0;
  for (int64_t step = 0; step <= options_.steps; ++step) {
    if (step % kLookEvery == 0) {
      const at::NoGradGuard no_grad;
      const double error = Loss(Forward(RowsOf(x, last)), RowsOf(y, last), RowsOf(known, last), options_.binary).item<double>();
      if (best.empty() || error < least) {
        least = error;
        best.clear();
        for (const at::Tensor& w : weights_) best.push_back(w.detach().clone());
      }
    }
    std::vector<int64_t> rows(static_cast<size_t>(std::min(options_.batch, fit)));
    for (int64_t& row : rows) row = rng.Below(fit);
    const at::Tensor batch = at::tensor(rows, at::kLong);
    const double done = static_cast<double>(step) / static_cast<double>(options_.steps);
    for (auto& group : optimizer.param_groups())
      static_cast<torch::optim::AdamWOptions&>(group.options()).lr(0.5 * kRate * (1 + std::cos(std::numbers::pi * done)));
    optimizer.zero_grad();
    Loss(Forward(RowsOf(x, batch)), RowsOf(y, batch), RowsOf(known, batch), options_.binary).backward();
    optimizer.step();
  }
  weights_ = std::move(best);
}

at::Tensor MlpProbe::Predict(const at::Tensor& inputs) const {
  const OneThread one;
  const at::NoGradGuard no_grad;
  const at::Tensor said = Forward(Standardised(inputs)).to(at::kDouble);
  return options_.binary ? at::sigmoid(said) : said * target_scale_ + target_mean_;
}

}  // namespace orrery
