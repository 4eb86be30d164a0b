// When a long film breaks, without asking what is true in it: when it no longer looks like films of its world (collapse), and when
// nothing moves any more (stagnation, as StreamingT2V describes it, arXiv 2403.14773). Films are [T, H, W, 3] uint8.
#pragma once
#include <ATen/core/Tensor.h>

#include <optional>
#include <span>

namespace orrery {

// What is looked at, one number a frame; [T] fp64.
struct FilmSigns {
  at::Tensor sharpness;  // FrameSharpness: a variance of grey levels
  at::Tensor deviation;  // of colours in [0, 1], mean over channels
};
FilmSigns SignsOf(const at::Tensor& film);

constexpr int64_t kCollapseFrames = 16, kStagnationFrames = 32;

// Where frames of real films of one world lie: between the `percentile`-th and the (100 - percentile)-th percentile of each sign, and
// beyond by a factor of sqrt(2) of an amplitude (2 of sharpness), since films of one world may look so alike that any decoder's slight
// blur falls outside. The percentile is 1, halved until none of the real films collapses.
struct Healthy {
  struct Range {
    double low = 0, high = 0;
  };
  Range sharpness, deviation;
  double percentile = 1;
};
// Throws Error without a film of at least one frame.
Healthy HealthyRange(std::span<const FilmSigns> real);

// First frame from which on all of kCollapseFrames frames in a row have a sign outside its range; none if there is no such.
std::optional<int64_t> CollapseFrame(const FilmSigns& film, const Healthy& healthy);

// First step t such that over the kStagnationFrames steps from it on the film moves by less than a tenth of what the truth does, while the
// truth moves by at least half of `usual`. Motions as of FrameMotion, [steps] of one length; usual: mean motion of real films of the world.
std::optional<int64_t> StagnationFrame(const at::Tensor& motion, const at::Tensor& true_motion, double usual);

}  // namespace orrery
