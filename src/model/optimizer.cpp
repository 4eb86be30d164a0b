#include "model/optimizer.h"

#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adamw.h>

#include <algorithm>

#include "core/error.h"
#include "core/shape.h"

namespace orrery {

namespace {

constexpr double kEpsilon = 1e-8;

int64_t Rows(const at::Tensor& t) { return t.size(0); }
int64_t Columns(const at::Tensor& t) { return t.numel() / std::max<int64_t>(t.size(0), 1); }

bool StartsWithOneOf(const std::string& name, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const std::string& p) { return name.starts_with(p); });
}

}  // namespace

Optimizer::Optimizer(const torch::OrderedDict<std::string, at::Tensor>& parameters, const OptimizerOptions& options,
                     const std::vector<std::string>& edges)
    : options_(options) {
  const std::vector<std::string> names = {"adamw", "muon"};
  if (std::find(names.begin(), names.end(), options.name) == names.end()) FailUnknown("optimizer", options.name, names);
  at::NoGradGuard no_grad;
  std::map<std::pair<int64_t, int64_t>, std::vector<Slot>> shapes;
  for (const auto& item : parameters) {
    const at::Tensor& p = item.value();
    if (!p.requires_grad()) continue;
    parameters_.push_back(p);
    Slot slot{item.key(), p, at::zeros_like(p), {}, {}};
    if (options.name == "muon" && p.dim() >= 2 && !StartsWithOneOf(item.key(), edges)) {
      shapes[{Rows(p), Columns(p)}].push_back(std::move(slot));
      continue;
    }
    slot.second = at::zeros_like(p);
    slot.steps = at::zeros({}, p.options());
    (p.dim() >= 2 ? matrices_ : vectors_).push_back(std::move(slot));
  }
  for (auto& [shape, slots] : shapes) hidden_.push_back(std::move(slots));
}

void Optimizer::Step(double scale) {
  at::NoGradGuard no_grad;
  StepAdam(matrices_, options_.lr * scale, options_.weight_decay);
  StepAdam(vectors_, options_.lr * scale, 0);
  StepMuon(options_.muon_lr * scale);
}

void Optimizer::StepAdam(const std::vector<Slot>& slots, double lr, double weight_decay) const {
  std::vector<at::Tensor> parameters, gradients, first, second, steps;
  for (const Slot& slot : slots) {
    const at::Tensor& gradient = slot.parameter.grad();
    if (!gradient.defined()) continue;
    ORRERY_CHECK(gradient.strides() == slot.parameter.strides());  // the fused kernel walks raw memory
    slot.steps.add_(1);
    parameters.push_back(slot.parameter);
    gradients.push_back(gradient);
    first.push_back(slot.first);
    second.push_back(slot.second);
    steps.push_back(slot.steps);
  }
  if (parameters.empty()) return;
  at::_fused_adamw_(parameters, gradients, first, second, {}, steps, lr, options_.beta1, options_.beta2, weight_decay, kEpsilon,
                    /*amsgrad=*/false, /*maximize=*/false);
}

void Optimizer::StepMuon(double lr) const {
  for (const std::vector<Slot>& group : hidden_) {
    std::vector<at::Tensor> updates;
    for (const Slot& slot : group) {
      const at::Tensor& gradient = slot.parameter.grad();
      if (!gradient.defined()) continue;
      slot.first.mul_(options_.muon_momentum).add_(gradient);
      updates.push_back(gradient.add(slot.first, options_.muon_momentum).reshape({Rows(gradient), -1}));
    }
    if (updates.empty()) continue;
    const at::Tensor orthogonal = Orthogonalize(at::stack(updates));
    const double stretch = std::sqrt(std::max(1.0, static_cast<double>(orthogonal.size(1)) / static_cast<double>(orthogonal.size(2))));
    int64_t i = 0;
    for (const Slot& slot : group) {
      if (!slot.parameter.grad().defined()) continue;
      at::Tensor parameter = slot.parameter;
      parameter.mul_(1 - lr * options_.weight_decay).add_(orthogonal[i++].reshape(parameter.sizes()), -lr * stretch);
    }
  }
}

void Optimizer::ClearGradients() {
  for (at::Tensor& p : parameters_) p.mutable_grad().reset();
}

NamedTensors Optimizer::State() const {
  NamedTensors state;
  for (const auto* slots : {&matrices_, &vectors_})
    for (const Slot& slot : *slots) {
      state.emplace_back(slot.name + "/m", slot.first);
      state.emplace_back(slot.name + "/v", slot.second);
      state.emplace_back(slot.name + "/steps", slot.steps);
    }
  for (const std::vector<Slot>& group : hidden_)
    for (const Slot& slot : group) state.emplace_back(slot.name + "/momentum", slot.first);
  return state;
}

void Optimizer::SetState(const NamedTensors& state) {
  at::NoGradGuard no_grad;
  const NamedTensors mine = State();
  for (const auto& [name, to] : mine) {
    const auto found = std::find_if(state.begin(), state.end(), [&](const auto& entry) { return entry.first == name; });
    if (found == state.end())
      Fail("optimiser state: '{}' is missing; was this run started with another optimiser? Start a new run folder", name);
    if (found->second.sizes() != to.sizes())
      Fail("optimiser state '{}': expected {}, got {}", name, ShapeText(to.sizes()), ShapeText(found->second.sizes()));
    at::Tensor target = to;
    target.copy_(found->second);
  }
  if (state.size() != mine.size())
    Fail("optimiser state: expected {} tensors, got {}; was this run started with another optimiser?", mine.size(), state.size());
}

at::Tensor Orthogonalize(const at::Tensor& matrices) {
  constexpr double a = 3.4445, b = -4.7750, c = 2.0315;  // steepest at 0 among those that keep [0, 1] near 1
  constexpr int steps = 5;
  const bool tall = matrices.size(1) > matrices.size(2);
  at::Tensor x = (tall ? matrices.transpose(1, 2) : matrices);
  x = (x / (at::linalg_vector_norm(x, 2, at::IntArrayRef{1, 2}, true) + 1e-7)).to(at::kBFloat16);
  for (int i = 0; i < steps; ++i) {
    const at::Tensor gram = at::bmm(x, x.transpose(1, 2));
    x = at::baddbmm(x, at::baddbmm(gram, gram, gram, b, c), x, a, 1);
  }
  return (tall ? x.transpose(1, 2) : x).to(at::kFloat);
}

at::Tensor ClipGradients(const std::vector<at::Tensor>& parameters, double limit) {
  at::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& p : parameters)
    if (p.grad().defined()) gradients.push_back(p.grad());
  if (gradients.empty()) return at::zeros({});
  const at::Tensor norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients)));
  const bool all_within = norm.is_cpu() && norm.item<double>() <= limit;  // spares a pass; asking another device would stall it
  if (limit > 0 && !all_within) at::_foreach_mul_(gradients, (limit / (norm + 1e-6)).clamp_max(1.0));
  return norm;
}

}  // namespace orrery
