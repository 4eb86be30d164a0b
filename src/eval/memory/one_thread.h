// Sums in one order.
#pragma once
#include <ATen/Parallel.h>

namespace orrery {

// While it lives, tensor operations of this program run on one thread: their numbers hang on the order of sums.
class OneThread {
 public:
  OneThread() : before_(at::get_num_threads()) { at::set_num_threads(1); }
  ~OneThread() { at::set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

}  // namespace orrery
