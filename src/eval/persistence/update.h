// Something changed while it was out of sight: does the picture at the return show the new state or the old one?
#pragma once
#include <ATen/core/Tensor.h>

#include <optional>

namespace orrery {

// What a picture recalls of a change, judged by pixels alone: only those in which the truth with and the truth without the change differ.
struct Recall {
  double recent = 0;      // 1: it shows the new state: it is less than half as far from it as the two truths are from each other
  double old = 0;         // 1: the same of the old state; never both, and neither when it shows something else
  double preference = 0;  // PSNR to the new state less that to the old one, dB, each at most 100
};
constexpr double kDifferentLevels = 24;  // grey levels of some channel: what is a difference
constexpr int64_t kLeastPixels = 32;     // that must differ, over all frames

// Films [T, H, W, 3] uint8 of one shape. None when the truths differ in fewer than kLeastPixels pixels: the change cannot be seen.
std::optional<Recall> CompareRecall(const at::Tensor& made, const at::Tensor& changed, const at::Tensor& unchanged);

}  // namespace orrery
