// Cuts: frames that do not follow from the one before (StreamingT2V's SCuts, arXiv 2403.14773; the content detector of PySceneDetect).
#pragma once
#include <ATen/core/Tensor.h>

namespace orrery {

constexpr double kCutThreshold = 27;  // PySceneDetect's default

// images [..., 3] uint8 RGB -> [..., 3] uint8 hue 0..179 (half degrees), saturation and value 0..255, as OpenCV has them (to a level).
at::Tensor Hsv(const at::Tensor& images);

// [T - 1] fp64: mean over the pixels and over hue, saturation and value of the absolute difference of neighbouring frames. Hue is not taken
// as a circle, as the detector does not. film [T, H, W, 3] uint8; error of fewer than 2 frames.
at::Tensor ContentChange(const at::Tensor& film);

// Steps that change by the threshold or more. No least length of a scene: every one counts.
int64_t CountCuts(const at::Tensor& film);

}  // namespace orrery
