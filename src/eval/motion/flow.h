// Optical flow by pyramidal Lucas-Kanade (Lucas & Kanade, IJCAI 1981; Bouguet, Intel 2001): where points of a picture are in the next one.
// Positions are in pixels, x to the right and y down, centres at whole numbers.
#pragma once
#include <ATen/core/Tensor.h>

#include <span>
#include <vector>

namespace orrery {

// One level of a pyramid: a grey picture in levels 0..255 with its gradients, and a border that repeats the edge.
struct FlowPlane {
  int64_t height = 0, width = 0, pitch = 0;
  std::vector<float> grey, dx, dy;  // [height + 2 border, pitch]
};

// A frame made ready: each level is half the one before (binomial 5 x 5), down to a smaller side of 16 pixels.
struct FlowFrame {
  std::vector<FlowPlane> levels;  // the frame itself first
};
// Of film [T, H, W, 3] uint8; error below 16 x 16 pixels.
std::vector<FlowFrame> FlowFrames(const at::Tensor& film);

struct FlowPoint {
  double x = 0, y = 0;
};
// Where the point p of `from`, inside the picture, is in `to`, perhaps outside. The windows of 9 x 9 pixels of both match in the sense of
// least squares; a damped Newton step a pass, so that what the window does not tell (along an edge, on an even ground) stays 0. Exactly p
// where standing still matches no worse: two equal pictures have no flow at all.
FlowPoint FindPoint(const FlowFrame& from, const FlowFrame& to, FlowPoint p);

// Flow from one frame to the next, [H, W, 2] fp32, x then y, pixels: found at every `stride`-th pixel, bilinear in between.
at::Tensor FlowField(const FlowFrame& from, const FlowFrame& to, int64_t stride = 2);

// Tracks of a grid of side x side points over all frames, [T, side * side, 2] fp64, pixels; points row by row, the outer ones `margin` (a
// share of either side) within the picture. A point that leaves the picture stays where it left.
at::Tensor TrackGrid(std::span<const FlowFrame> film, int64_t side, double margin);

// frame [H, W, C] of any type, warped by `flow` [H, W, 2]: pixel p takes what is at p + scale * flow(p), bilinear, edges repeated. fp32.
at::Tensor SampleAlong(const at::Tensor& frame, const at::Tensor& flow, double scale);

}  // namespace orrery
