// The optimisers: AdamW (Loshchilov & Hutter, arXiv 1711.05101) and Muon (Jordan et al., "Muon: an optimizer for hidden
// layers in neural networks", 2024).
#pragma once
#include <torch/nn/module.h>

#include "core/safetensors.h"

namespace orrery {

struct OptimizerOptions {
  std::string name = "adamw";  // or "muon"
  double lr = 1e-3;            // AdamW
  double beta1 = 0.9, beta2 = 0.99;
  double muon_lr = 0.01;
  double muon_momentum = 0.95;  // Nesterov
  double weight_decay = 0.01;   // of matrices only (two axes or more), times the rate
};

// Under "muon", parameters of two axes or more go to Muon (convolution kernels as out x everything else), save those whose name
// starts with one of `edges` (first and last layers, embeddings); AdamW has all others. Gradients must be laid out as
// their parameters are, which autograd sees to. A parameter without a gradient is left alone.
class Optimizer {
 public:
  Optimizer(const torch::OrderedDict<std::string, at::Tensor>& parameters, const OptimizerOptions& options,
            const std::vector<std::string>& edges);

  // One update; every rate is multiplied by `scale`.
  void Step(double scale);
  const std::vector<at::Tensor>& Parameters() const { return parameters_; }
  void ClearGradients();

  // Shares the tensors: "NAME/m", "NAME/v", "NAME/steps" for AdamW, "NAME/momentum" for Muon.
  NamedTensors State() const;
  void SetState(const NamedTensors& state);  // throws Error when it is of another optimiser or network

 private:
  struct Slot {
    std::string name;
    at::Tensor parameter;
    at::Tensor first, second, steps;  // AdamW: both moments and the updates so far; Muon: the momentum only
  };
  void StepAdam(const std::vector<Slot>& slots, double lr, double weight_decay) const;
  void StepMuon(double lr) const;

  OptimizerOptions options_;
  std::vector<at::Tensor> parameters_;
  std::vector<Slot> matrices_, vectors_;   // AdamW, with and without weight decay
  std::vector<std::vector<Slot>> hidden_;  // Muon, grouped by rows x columns
};

// The nearest matrix with orthonormal rows or columns (whichever are fewer), roughly: five Newton-Schulz steps of degree five bring every
// singular value of matrices [n, rows, columns] near 1. In bfloat16; returns fp32.
at::Tensor Orthogonalize(const at::Tensor& matrices);

// Scales all gradients so that their common norm is at most `limit` (> 0) and returns the norm before, a scalar tensor.
at::Tensor ClipGradients(const std::vector<at::Tensor>& parameters, double limit);

}  // namespace orrery
