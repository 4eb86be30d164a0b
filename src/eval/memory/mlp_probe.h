// A probe of four layers, as Memory Maze's (arXiv 2210.13383): what can be read off a vector by more than a weighted sum.
#pragma once
#include <ATen/core/Tensor.h>

#include <vector>

namespace orrery {

struct MlpProbeOptions {
  int64_t layers = 4, width = 256;    // layer norm and ELU after each; the paper's are 1,024 wide, for 29,000 episodes
  int64_t steps = 1500, batch = 256;  // of AdamW; the rate falls from 1e-3 along a cosine
  bool binary = false;                // targets are 0 or 1 (cross entropy) rather than numbers (squared error)
  uint64_t seed = 0;
};

// Every 50 steps the error on the last quarter of the rows is looked at; the best weights are kept. Inputs and numbers are standardised.
// Computed on one thread: the same numbers whatever the number of threads.
class MlpProbe {
 public:
  // inputs [n, d], targets [n, k], known [n, k] bool (undefined: all), n >= 8.
  MlpProbe(const at::Tensor& inputs, const at::Tensor& targets, const at::Tensor& known, const MlpProbeOptions& options);

  at::Tensor Predict(const at::Tensor& inputs) const;  // [m, d] -> [m, k] float64: numbers, or probabilities of 1

 private:
  at::Tensor Forward(const at::Tensor& x) const;
  at::Tensor Standardised(const at::Tensor& inputs) const;

  MlpProbeOptions options_;
  at::Tensor mean_, scale_, target_mean_, target_scale_;
  std::vector<at::Tensor> weights_;  // weight, bias, gain, shift of each layer; then weight and bias of the answers
};

}  // namespace orrery
