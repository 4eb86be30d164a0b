// Which way a film runs, judged from its pictures alone (arrow of time).
#pragma once
#include <ATen/core/Tensor.h>

#include <span>

namespace orrery {

// A linear judge of what turns its sign when a film is run backwards: where and how much it grew lighter or darker, how motion grew or
// waned in all and by place, and motion that goes up, to a side or apart. Fisher's discriminant between true films and the same backwards,
// its covariance shrunk half way to a diagonal. It has no opinion of its own: a film backwards gets the negative score to the last digit,
// and one in which nothing moves gets 0.
class ArrowJudge {
 public:
  // `films`: true ones that run forward, of one shape [N, H, W, 3] uint8; N >= 8, H and W multiples of 16. Throws Error on less than 8
  // films and on other shapes. Computed on one thread, from pictures of half the size.
  explicit ArrowJudge(std::span<const at::Tensor> films);
  double Score(const at::Tensor& film) const;  // > 0: forward

 private:
  at::Tensor weights_;  // of the numbers of a film
};

}  // namespace orrery
