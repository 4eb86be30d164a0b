#include "state/latent_embedding.h"

#include <ATen/ATen.h>

#include "core/error.h"

namespace orrery {

namespace nn = torch::nn;

namespace {

constexpr int64_t kPoseFrequencies = 3;
constexpr int64_t kPoseFeatures = 4 + 4 * kPoseFrequencies;

// [..., 4] -> the same and sines and cosines of 1, 2, 4 half turns a unit of the offsets.
at::Tensor PoseFeatures(const at::Tensor& pose) {
  std::vector<at::Tensor> features{pose};
  const at::Tensor place = pose.narrow(-1, 0, 2);
  for (int64_t i = 0; i < kPoseFrequencies; ++i) {
    const at::Tensor angle = place * (M_PI * static_cast<double>(int64_t{1} << i));
    features.push_back(angle.sin());
    features.push_back(angle.cos());
  }
  return at::cat(features, -1);
}

}  // namespace

LatentEmbedding::LatentEmbedding(const MemoryGeometry& geometry, int64_t pool, bool with_pose) : geometry_(geometry), pool_(pool) {
  const auto& g = geometry_;
  if (pool < 1 || g.rows % pool != 0 || g.columns % pool != 0)
    Fail("a memory's pool of {0} x {0} tokens does not divide the {1} x {2} tokens of a frame", pool, g.rows, g.columns);
  token_ = register_module("token", nn::Linear(g.channels * g.patch * g.patch * pool * pool, g.Dim()));
  place_ = register_parameter("place", at::randn({Tokens(), g.Dim()}) * 0.02);
  age_ = register_parameter("age", at::zeros({2, g.Dim()}));
  if (with_pose) {
    pose_ = register_module("pose", nn::Linear(nn::LinearOptions(kPoseFeatures, g.Dim()).bias(false)));
    const at::NoGradGuard guard;
    pose_->weight.zero_();
  }
}

void LatentEmbedding::Adopt(const TokenEmbedding& e) {
  const at::NoGradGuard guard;
  const auto& g = geometry_;
  const int64_t C = g.channels, p = g.patch, q = pool_, D = g.Dim();
  // Kernel [D, C, p, p] repeated over the q x q tokens of a pool, their mean.
  const at::Tensor kernel = e.weight.view({D, C, 1, p, 1, p}).expand({D, C, q, p, q, p}).reshape({D, -1}) / static_cast<double>(q * q);
  token_->weight.copy_(kernel);
  token_->bias.copy_(e.bias);
  place_.copy_(e.place.view({g.rows / q, q, g.columns / q, q, D}).mean({1, 3}).view({Tokens(), D}));
}

at::Tensor LatentEmbedding::Embed(const at::Tensor& latent, const at::Tensor& pose, const at::Tensor& age) const {
  const auto& g = geometry_;
  const int64_t R = latent.size(0), k = latent.size(1), s = g.patch * pool_, D = g.Dim();
  const at::Tensor patches = latent.reshape({-1, g.channels, g.rows / pool_, s, g.columns / pool_, s})
                                 .permute({0, 2, 4, 1, 3, 5})
                                 .reshape({R, k, Tokens(), g.channels * s * s});
  nn::Linear token = token_, pose_map = pose_;
  at::Tensor out = token(patches).to(at::kFloat) + place_;
  const at::Tensor old = age.to(at::kFloat).log1p().unsqueeze(-1).unsqueeze(-1);  // [R, k, 1, 1]
  out = out + age_[0] + age_[1] * old;
  if (pose_ && pose.defined()) out = out + pose_map(PoseFeatures(pose)).to(at::kFloat).unsqueeze(2);
  return out.view({R, k, Tokens(), D});
}

at::Tensor LatentEmbedding::Places() const {
  const auto& g = geometry_;
  const double half = 0.5 * static_cast<double>(pool_ - 1);
  const at::Tensor grid = GridCoordinates(1, g.rows / pool_, g.columns / pool_);
  return grid.narrow(1, 1, 2) * static_cast<double>(pool_) + half;
}

at::Tensor RelativePose(const at::Tensor& pose, const at::Tensor& viewer, double unit) {
  const at::Tensor d = (pose.narrow(-1, 0, 2) - viewer.narrow(-1, 0, 2)) / unit;
  const at::Tensor turn = viewer.select(-1, 2), dx = d.select(-1, 0), dy = d.select(-1, 1);
  const at::Tensor angle = pose.select(-1, 2) - turn;
  return at::stack({dx * turn.cos() + dy * turn.sin(), dy * turn.cos() - dx * turn.sin(), angle.cos(), angle.sin()}, -1);
}

}  // namespace orrery
