// Physics-IQ (arXiv 2501.09038): where, when and how much does a generated film move, against what two real takes of one scene
// have in common. The camera must stand still.
#pragma once
#include "eval/causality/estimate.h"
#include "eval/causality/frames.h"

namespace orrery {

struct MotionMaskOptions {
  int64_t kernel = 0;  // px a side, of blur, opening and closing: 3 or 5; 0: 5, or 3 when the shorter side is below 128 px
  int threshold = 10;  // grey levels, 0..254: more than this from the background moves
  double rate = 0.3;   // of the background towards each frame, (0, 1)
};

// What moves: grey (0.299, 0.587, 0.114), binomial blur (that of OpenCV for sigma 0; borders mirrored about the border pixel),
// background B begins as frame 0 and is B <- (1 - rate) B + rate f before f is compared with round(B) (half to even, in single
// precision, as OpenCV does); then opening and closing by a square. Mask 0 is empty. Equal to OpenCV's to the pixel.
// Throws Error on options out of range and on frames smaller than the kernel.
Masks MotionMasks(const FrameSpan& film, const MotionMaskOptions& options = {});

struct PhysicsIqOptions {
  MotionMaskOptions mask;
  int64_t reduce = 1;  // films and masks are compared at 1 / reduce of the real film's size; the published protocol: 4
};

// A film ready to be compared. The exact-mask variant replaces `masks` by those of MovingMasks (instances.h), resized alike.
struct MotionClip {
  int64_t height = 0, width = 0;
  std::vector<uint8_t> bytes;  // [T, height, width, 3]
  Masks masks;
};
// Masks are made at the film's own size, then all is resized. height, width of the result: 0: the film's divided by `reduce`. A
// generated film of another size gets the real clip's.
MotionClip MakeMotionClip(const FrameSpan& film, const PhysicsIqOptions& options = {}, int64_t height = 0, int64_t width = 0);

struct MotionScores {
  double spatial = 0;         // IoU of the pixels that ever move, [0, 1]; 1 when both never do
  double spatiotemporal = 0;  // mean over frames of the IoU, [0, 1]; 1 for a frame in which neither moves
  double weighted = 0;        // sum of minima / sum of maxima of the shares of time in which a pixel moves, [0, 1]; 1 when both are 0
  double mse = 0;             // of colours in [0, 1], mean over frames
};

// Throws Error unless both have the same shape. Symmetric.
MotionScores CompareMotion(const MotionClip& real, const MotionClip& other);

// One view of one scenario.
struct PhysicsIqCase {
  std::string scenario;   // views of one scenario share it, and are resampled together
  MotionScores model;     // generated film against take 1
  MotionScores variance;  // take 2 against take 1
};

struct PhysicsIq {
  MotionScores model, variance;  // means over scenarios of means over views
  std::optional<double> raw;     // 100 ((ST/ST' + SP/SP' + WS/WS') / 3 - (MSE - MSE')), ' of the variance; not clipped
  Estimate score;                // raw, clipped to [0, 100]: ratios of means, as published
  Estimate per_scenario;  // mean over scenarios of each one's own clipped score; failed: scenarios whose takes have nothing in common
  std::string doubt;      // why the normaliser deserves none: a mean IoU of the takes outside [0.3, 0.95]
};

// Throws Error when there are no cases.
PhysicsIq ScorePhysicsIq(std::span<const PhysicsIqCase> cases);

}  // namespace orrery
