#include "model/odometry.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

#include "core/autocast.h"
#include "core/shape.h"

namespace orrery {

namespace nn = torch::nn;

namespace {

constexpr int64_t kHidden = 128;
constexpr int64_t kMotionFeatures = 6;  // last motion, whether it is known, cosine and sine of the heading

at::Tensor Wrapped(const at::Tensor& angle) { return angle - (angle / (2 * std::numbers::pi)).round() * (2 * std::numbers::pi); }

// Turns x, y offsets [..., 2] by `angle` [...].
at::Tensor Turned(const at::Tensor& offset, const at::Tensor& angle) {
  const at::Tensor c = angle.cos(), s = angle.sin(), x = offset.select(-1, 0), y = offset.select(-1, 1);
  return at::stack({x * c - y * s, x * s + y * c}, -1);
}

}  // namespace

at::Tensor MotionBetween(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor heading = a.select(-1, 2), offset = b.narrow(-1, 0, 2) - a.narrow(-1, 0, 2);
  return at::cat({Turned(offset, -heading), Wrapped(b.select(-1, 2) - heading).unsqueeze(-1)}, -1);
}

at::Tensor PoseAfter(const at::Tensor& pose, const at::Tensor& motion) {
  const at::Tensor heading = pose.select(-1, 2), place = pose.narrow(-1, 0, 2) + Turned(motion.narrow(-1, 0, 2), heading);
  return at::cat({place, Wrapped(heading + motion.select(-1, 2)).unsqueeze(-1)}, -1);
}

Odometry::Odometry(const LatentShape& latent, const ActionSpace& actions) : actions_(actions) {
  frame_ = register_module("frame", nn::Linear(latent.channels * latent.height * latent.width, kHidden));
  motion_ = register_module("motion", nn::Linear(nn::LinearOptions(kMotionFeatures, kHidden).bias(false)));
  if (actions.Width() > 0)
    action_ =
        register_module("action", nn::Linear(nn::LinearOptions(actions.Discrete() ? actions.count : actions.dims, kHidden).bias(false)));
  hidden_ = register_module("hidden", nn::Linear(kHidden, kHidden));
  output_ = register_module("output", nn::Linear(kHidden, 3));
  const at::NoGradGuard guard;
  output_->weight.mul_(0.1);
  output_->bias.zero_();
  scale_ = register_buffer("scale", at::ones({3}));
}

void Odometry::SetScale(const at::Tensor& scale) {
  CheckShape(scale, {3}, "scale of motions");
  const at::NoGradGuard guard;
  scale_.copy_(scale.clamp_min(1e-4));
}

at::Tensor Odometry::Predict(const at::Tensor& latent, const at::Tensor& pose, const at::Tensor& last, const at::Tensor& action) const {
  const int64_t R = latent.size(0);
  const at::TensorOptions fp32 = pose.options().dtype(at::kFloat);
  const at::Tensor heading = pose.select(1, 2).to(at::kFloat);
  const at::Tensor known = last.defined() ? at::cat({last.to(at::kFloat) / scale_, at::ones({R, 1}, fp32)}, 1) : at::zeros({R, 4}, fp32);
  const at::Tensor features = at::cat({known, heading.cos().unsqueeze(1), heading.sin().unsqueeze(1)}, 1);
  nn::Linear frame = frame_, motion = motion_, act = action_, hidden = hidden_, output = output_;
  const Autocast exact(latent.device(), false);
  at::Tensor x = frame(latent.reshape({R, -1}).to(at::kFloat)) + motion(features);
  if (actions_.Width() > 0) {
    ORRERY_CHECK(action.defined());
    x = x +
        act(actions_.Discrete() ? at::one_hot(action.select(1, 0).to(at::kLong), actions_.count).to(at::kFloat) : action.to(at::kFloat));
  }
  return output(at::silu(hidden(at::silu(x)))) * scale_;
}

Odometry::Errors Odometry::Compare(const Clip& clip) const {
  const FrameCondition& c = clip.condition;
  ORRERY_CHECK(c.pose.defined() && clip.latent.size(1) > 1);
  const int64_t B = clip.latent.size(0), T = clip.latent.size(1) - 1;
  const at::Tensor before = c.pose.narrow(1, 0, T), truth = MotionBetween(before, c.pose.narrow(1, 1, T));
  const auto flat = [](const at::Tensor& t) { return t.defined() ? t.flatten(0, 1) : t; };
  const auto later = [&](const at::Tensor& t) { return t.defined() ? t.narrow(1, 1, T) : t; };
  // The motion to a clip's first frame is not known; to the others it is.
  const at::Tensor first =
      Predict(clip.latent.select(1, 0), before.select(1, 0), {}, later(c.action).defined() ? later(c.action).select(1, 0) : at::Tensor());
  at::Tensor guess = first.unsqueeze(1);
  if (T > 1) {
    const auto inner = [&](const at::Tensor& t) { return t.defined() ? t.narrow(1, 1, T - 1) : t; };
    const at::Tensor rest =
        Predict(flat(inner(clip.latent)), flat(inner(before)), flat(truth.narrow(1, 0, T - 1)), flat(inner(later(c.action))));
    guess = at::cat({guess, rest.view({B, T - 1, 3})}, 1);
  }
  const at::Tensor difference = guess - truth;
  const at::Tensor known = c.known.defined() ? later(c.known).to(at::kFloat) : at::ones({B, T}, truth.options().dtype(at::kFloat));
  return {at::cat({difference.narrow(2, 0, 2), Wrapped(difference.narrow(2, 2, 1))}, 2), known};
}

at::Tensor Odometry::Loss(const Clip& clip) const {
  const auto [error, known] = Compare(clip);
  return ((error / scale_).square().mean(2) * known).sum() / known.sum().clamp_min(1);
}

OdometryError Odometry::Score(const Clip& clip) const {
  const at::NoGradGuard guard;
  const auto [error, known] = Compare(clip);
  const at::Tensor square = error.square() * known.unsqueeze(2);
  return {square.narrow(2, 0, 2).sum().item<double>(), square.narrow(2, 2, 1).sum().item<double>(), known.sum().item<double>()};
}

void OdometryError::Add(const OdometryError& other) {
  place += other.place;
  heading += other.heading;
  frames += other.frames;
}

Json OdometryError::Root() const {
  if (frames == 0) return nullptr;
  return {{"position", std::sqrt(place / frames)}, {"heading", std::sqrt(heading / frames) * 180 / std::numbers::pi}};
}

}  // namespace orrery
