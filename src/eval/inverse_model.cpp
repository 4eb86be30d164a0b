#include "eval/inverse_model.h"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/optim/adamw.h>

#include "codec/codec.h"
#include "core/progress.h"
#include "core/rng.h"
#include "core/signals.h"
#include "core/tensor_rng.h"

namespace orrery {

namespace nn = torch::nn;

namespace {

int64_t Half(int64_t n) { return (n + 1) / 2; }

}  // namespace

InverseModel::InverseModel(const ActionSpace& actions, int64_t height, int64_t width, uint64_t seed) : actions_(actions) {
  const DefaultGeneratorScope seeded(seed);
  const auto conv = [](int64_t in, int64_t out) { return nn::Conv2d(nn::Conv2dOptions(in, out, 5).stride(2).padding(2)); };
  conv1_ = register_module("conv1", conv(6, 24));
  conv2_ = register_module("conv2", conv(24, 48));
  conv3_ = register_module("conv3", conv(48, 64));
  hidden_ = register_module("hidden", nn::Linear(64 * Half(Half(Half(height))) * Half(Half(Half(width))), 128));
  out_ = register_module("out", nn::Linear(128, actions.Discrete() ? actions.count : actions.dims));
}

at::Tensor InverseModel::Forward(const at::Tensor& before, const at::Tensor& after) {
  const at::Tensor a = BytesToFrames(before), b = BytesToFrames(after);
  at::Tensor x = at::cat({a + b - 1, b - a}, 1);
  x = at::relu(conv1_(x));
  x = at::relu(conv2_(x));
  x = at::relu(conv3_(x));
  return out_(at::relu(hidden_(x.flatten(1))));
}

at::Tensor InverseModel::Predict(const at::Tensor& before, const at::Tensor& after) {
  const at::NoGradGuard guard;
  const at::Tensor out = Forward(before, after);
  return actions_.Discrete() ? out.argmax(1) : out;
}

void InverseModel::Fit(const at::Tensor& before, const at::Tensor& after, const at::Tensor& action, int64_t epochs, uint64_t seed) {
  const int64_t P = before.size(0), batch = 64;
  at::Tensor weight;
  if (actions_.Discrete()) {
    const at::Tensor count = at::bincount(action.select(1, 0).to(at::kLong), {}, actions_.count).to(at::kFloat);
    weight =
        at::where(count > 0, static_cast<double>(P) / (count.clamp_min(1) * static_cast<double>(actions_.count)), at::zeros_like(count));
  }
  torch::optim::AdamW optimiser(parameters(), torch::optim::AdamWOptions(1e-3).weight_decay(1e-2));
  at::Generator generator = at::detail::createCPUGenerator(DeriveSeed(seed, "inverse model"));
  const int64_t steps = epochs * (P / batch);
  Progress progress("inverse model", steps, "steps");
  for (int64_t step = 0; step < steps;) {
    const at::Tensor order = at::randperm(P, generator, at::TensorOptions().dtype(at::kLong));
    for (int64_t i = 0; i + batch <= P && step < steps; i += batch, ++step) {
      ThrowIfStopRequested();
      const at::Tensor rows = order.narrow(0, i, batch), target = action.index_select(0, rows);
      const at::Tensor out = Forward(before.index_select(0, rows), after.index_select(0, rows));
      const at::Tensor loss =
          actions_.Discrete() ? at::cross_entropy_loss(out, target.select(1, 0).to(at::kLong), weight) : at::mse_loss(out, target);
      const double rate = 1e-3 * 0.5 * (1 + std::cos(M_PI * static_cast<double>(step) / static_cast<double>(steps)));
      static_cast<torch::optim::AdamWOptions&>(optimiser.param_groups()[0].options()).lr(rate);
      optimiser.zero_grad();
      loss.backward();
      optimiser.step();
      progress.Update(step + 1);
    }
  }
  progress.Finish();
}

}  // namespace orrery
