// Steps of small models by autograd, for comparison with those by hand.
#pragma once
#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <vector>

#include "state/explicit/parametric/fast_weights.h"

namespace orrery {

constexpr auto kFastWeights = {&FastWeights::w1, &FastWeights::b1, &FastWeights::w2, &FastWeights::b2};

inline std::vector<at::Tensor> Defined(const FastWeights& w) {
  std::vector<at::Tensor> all;
  for (const auto one : kFastWeights)
    if ((w.*one).defined()) all.push_back(w.*one);
  return all;
}

// g(x), written anew.
inline at::Tensor Answer(const FastWeights& w, const at::Tensor& x) {
  at::Tensor y = at::matmul(x, w.w1);
  if (w.b1.defined()) y = y + w.b1;
  if (w.w2.defined()) y = at::matmul(0.5 * y * (1 + at::tanh(std::sqrt(2 / M_PI) * (y + 0.044715 * y.pow(3)))), w.w2);
  return w.b2.defined() ? y + w.b2 : y;
}

// Of a scalar, with the graph of the gradient itself.
inline FastWeights Gradient(const at::Tensor& loss, const FastWeights& w) {
  const auto grads = torch::autograd::grad({loss}, Defined(w), {}, /*retain_graph=*/true, /*create_graph=*/true);
  FastWeights out;
  size_t i = 0;
  for (const auto one : kFastWeights)
    if ((w.*one).defined()) out.*one = grads[i++];
  return out;
}

inline FastWeights Less(const FastWeights& w, const FastWeights& change) {
  FastWeights out;
  for (const auto one : kFastWeights)
    if ((w.*one).defined()) out.*one = w.*one - change.*one;
  return out;
}

inline double Furthest(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  double most = 0;
  for (size_t i = 0; i < a.size(); ++i) most = std::max(most, (a[i] - b[i]).abs().max().item<double>());
  return most;
}

}  // namespace orrery
