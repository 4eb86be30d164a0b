// Where the viewer will be: the pose of the coming frame, guessed from the frame on screen, the last motion and the action, for models that
// take poses when nobody gives them. Errors add up: it only ever adds motions (dead reckoning).
// A pose is x, y, heading (radians, counter-clockwise from +x); a motion is how far one went forward and to the left, in the pose's units
// as seen from the pose before, and how far one turned, radians. R rows, B batch, T frames, C x h x w latents, A action width.
#pragma once
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>

#include "codec/codec.h"
#include "core/action_space.h"
#include "dynamics/objective.h"

namespace orrery {

// From pose `a` to pose `b` [..., 3], and the inverse: the pose after `motion`, its heading in [-pi, pi].
at::Tensor MotionBetween(const at::Tensor& a, const at::Tensor& b);
at::Tensor PoseAfter(const at::Tensor& pose, const at::Tensor& motion);

// Errors of one frame's motion, summed over frames.
struct OdometryError {
  double place = 0, heading = 0;  // squares: of the place, in the pose's units; of the heading, radians
  double frames = 0;

  void Add(const OdometryError& other);
  Json Root() const;  // {"position": root mean square, "heading": the same in degrees}; null without a frame
};

class Odometry : public torch::nn::Module {
 public:
  Odometry(const LatentShape& latent, const ActionSpace& actions);

  // The motion that `action` [R, A] (undefined without actions) leads to, [R, 3]: latent [R, C, h, w] and pose [R, 3] of the frame before,
  // `last` [R, 3] the motion that led to it; undefined: none is known.
  at::Tensor Predict(const at::Tensor& latent, const at::Tensor& pose, const at::Tensor& last, const at::Tensor& action) const;

  // Mean over all frames but a clip's first, of those whose action is known, of the squared error in units of the data's motions; with its
  // graph. The clip must have poses and at least two frames.
  at::Tensor Loss(const Clip& clip) const;
  OdometryError Score(const Clip& clip) const;

  // Root mean square motions [3] of the data, forward, left, turn: their units.
  void SetScale(const at::Tensor& scale);

 private:
  struct Errors {
    at::Tensor motion;  // [B, T - 1, 3]
    at::Tensor known;   // [B, T - 1] fp32, 1 or 0
  };
  Errors Compare(const Clip& clip) const;

  ActionSpace actions_;
  torch::nn::Linear frame_{nullptr}, motion_{nullptr}, action_{nullptr}, hidden_{nullptr}, output_{nullptr};
  at::Tensor scale_;  // [3] buffer
};

}  // namespace orrery
