// Whether frames follow from their neighbours by motion: interpolation and warping along the flow. Films are [T, H, W, 3] uint8.
#pragma once
#include <span>

#include "eval/motion/flow.h"
#include "eval/quality/measured.h"

namespace orrery {

// VBench's motion smoothness (arXiv 2311.17982): every second frame is left out and made again from its two neighbours, here by moving each
// half way along the flow between them (found in both directions, so that a film played backwards has the same number). (255 - mean
// absolute error) / 255 over those frames, not rounded. `frames` are those of the film. Error of fewer than 3 frames.
double WarpSmoothness(const at::Tensor& film, std::span<const FlowFrame> frames);

// Of a film's steps, along the flow from each frame to the next (a field a step).
struct WarpErrors {
  at::Tensor back;   // [T - 1] fp64: mean absolute difference, grey levels, of a
                     // frame and the next one brought back to it
  at::Tensor ahead;  // [T - 1] fp64: MAWE's W, mean squared difference of the
                     // next frame and this one's pixels moved on (to the nearest
                     // pixel; only where one arrives)
  at::Tensor speed;  // [T - 1] fp64: MAWE's F, mean length of the flow, px
};
WarpErrors MeasureWarp(const at::Tensor& film, std::span<const at::Tensor> flows);

// Motion-aware warp error (StreamingT2V, arXiv 2403.14773): mean over steps of W / F, with F at least 0.1 px; squared grey levels a pixel
// of motion, without the paper's constant. Lower is better; 0 of a frozen film.
double Mawe(const WarpErrors& errors);

}  // namespace orrery
