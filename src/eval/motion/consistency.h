// Whether the frames of a film look alike, by features of them: VBench's consistency of subject and background (arXiv 2311.17982).
#pragma once
#include <ATen/core/Tensor.h>

#include "eval/causality/object_effects.h"

namespace orrery {

// features [T, d] of frames, T >= 2, a row of zeros where there is nothing to see: mean over t >= 1 of
// (max(0, cos(f_0, f_t)) + max(0, cos(f_{t-1}, f_t))) / 2, in [0, 1].
double FeatureConsistency(const at::Tensor& features);

constexpr int64_t kCropSide = 16;  // px

// The picture of a thing in every frame, [T, kCropSide, kCropSide, 3] uint8 around the pixel nearest to (x, y); what lies beyond the frame
// is as its edge. film [T, H, W, 3] uint8; a list of things a frame, in pixels. `seen` [T] bool: false, and a black picture, where the
// thing is not in the list.
struct Crops {
  at::Tensor pictures, seen;
};
Crops CropThing(const at::Tensor& film, const ObjectFilm& things, int64_t id);

// The film without its things: squares of kCropSide around each have the mean colour of the rest of the frame.
at::Tensor WithoutThings(const at::Tensor& film, const ObjectFilm& things);

}  // namespace orrery
