// Frechet video motion distance (arXiv 2407.16124): how far the movements in a set of films are from those in real ones. Points of a grid
// are tracked through clips of 16 frames; histograms of the directions of their velocities and accelerations are the features.
#pragma once
#include <ATen/core/Tensor.h>

#include "eval/motion/flow.h"

namespace orrery {

constexpr int64_t kFvmdFrames = 16, kFvmdSide = 20, kFvmdPoints = kFvmdSide * kFvmdSide;
constexpr double kFvmdPicture = 256;  // px: films are measured as if resized to this, whatever their size

enum class FvmdForm {
  kPaper,
  // The released code gives positions to the routine that takes differences of velocities: its "acceleration" is the velocity again, from
  // the second step on.
  kReleased,
};

// Of kFvmdFrames frames: tracks [16, 400, 2] fp64 in pixels of a picture of 256 x 256, the outer points 8 pixels within.
at::Tensor FvmdTracks(std::span<const FlowFrame> clip);

// tracks [N, 16, 400, 2] -> [N, 1024] fp64: by 4 frames, 5 x 5 points, 8 directions, of velocities (the first is 0), then of accelerations
// (the first two are 0). A vector adds ceil(log2(1 + length)) / 8 to its direction, length at most 255.
at::Tensor FvmdFeatures(const at::Tensor& tracks, FvmdForm form = FvmdForm::kPaper);

// FVMD-64: the same with the mean over the places of a picture: [N, 1024] -> [N, 64]. For sets too small for 1,024 features.
at::Tensor PooledFvmd(const at::Tensor& features);

// Of feature sets [N, d] as released: 1e-5 on both diagonals in the product alone, so two equal sets have -2e-5 d. Error unless N > d.
double FvmdDistance(const at::Tensor& a, const at::Tensor& b);

}  // namespace orrery
