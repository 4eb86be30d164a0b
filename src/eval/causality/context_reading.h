// What the context alone tells of the actions that follow it: the habits of a way, and where it leads.
#pragma once
#include "eval/memory/linear_probe.h"

namespace orrery {

// Ridge regression from the last picture of a context (averaged to at most 8 x 8) and the actions before it to the action at each later
// time. Of the actions it reads the one that is likeliest against how often it occurs, which is best for balanced accuracy. Who sees the
// context and obeys nothing cannot be read better, but by chance or by what a linear reader misses.
class ContextReader {
 public:
  // pictures [n, H, W, 3] uint8, before [n, B] and after [n, F] int64, actions 0 .. count - 1; n >= 8, B may be 0.
  ContextReader(const at::Tensor& pictures, const at::Tensor& before, const at::Tensor& after, int64_t count);

  // -> [m, F] int64.
  at::Tensor Read(const at::Tensor& pictures, const at::Tensor& before) const;

 private:
  int64_t count_;
  at::Tensor often_;  // [count] share of each action in `after`
  LinearProbe probe_;
};

}  // namespace orrery
