// A linear probe: what can be read off a vector by a weighted sum.
#pragma once
#include <ATen/core/Tensor.h>

namespace orrery {

// Ridge regression on standardised inputs: columns that do not vary are dropped. The penalty is the best of 1e-6, 1e-4 .. 1e2 times the
// number of rows on the last quarter of the rows (squared error over the known targets), then all rows are fitted. Computed on one thread
// in float64: the same numbers whatever the number of threads.
class LinearProbe {
 public:
  // inputs [n, d], targets [n, k], known [n, k] bool: which targets there are (undefined: all). n >= 8. Throws Error on other shapes.
  LinearProbe(const at::Tensor& inputs, const at::Tensor& targets, const at::Tensor& known = {});

  at::Tensor Predict(const at::Tensor& inputs) const;  // [m, d] -> [m, k]
  double Penalty() const { return penalty_; }

 private:
  at::Tensor kept_, mean_, scale_;  // of the inputs: columns that vary
  at::Tensor weights_, offset_;     // [kept, k], [k]
  double penalty_ = 0;
};

}  // namespace orrery
