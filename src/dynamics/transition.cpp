#include "dynamics/transition.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/shape.h"
#include "dynamics/block.h"
#include "nn/fused.h"

namespace orrery {

namespace nn = torch::nn;

namespace {

constexpr int64_t kLevelFeatures = 128;
constexpr int64_t kPoseFrequencies = 4;
constexpr int64_t kPoseFeatures = 2 + 4 * kPoseFrequencies + 2;

void Zero(nn::Linear& linear) {
  torch::NoGradGuard guard;
  linear->weight.zero_();
  if (linear->bias.defined()) linear->bias.zero_();
}

// [n] levels in [0, 1] -> [n, kLevelFeatures] cosines and sines of geometrically spaced frequencies.
at::Tensor LevelFeatures(const at::Tensor& level) {
  const int64_t half = kLevelFeatures / 2;
  const at::Tensor frequency = at::exp(at::arange(half, level.options()) * (-std::log(10000.0) / static_cast<double>(half))) * 1000;
  const at::Tensor angle = level.unsqueeze(1) * frequency;
  return at::cat({angle.cos(), angle.sin()}, 1);
}

// [n, 3] pose -> normalised x, y, their waves of 1, 2, 4, 8 periods over four deviations, cosine and sine of the angle.
at::Tensor PoseFeatures(const at::Tensor& pose, const at::Tensor& mean, const at::Tensor& deviation) {
  const at::Tensor place = (pose.narrow(1, 0, 2) - mean) / deviation;
  std::vector<at::Tensor> features{place};
  for (int64_t i = 0; i < kPoseFrequencies; ++i) {
    const at::Tensor angle = place * (M_PI / 2 * static_cast<double>(int64_t{1} << i));
    features.push_back(angle.cos());
    features.push_back(angle.sin());
  }
  features.push_back(pose.narrow(1, 2, 1).cos());
  features.push_back(pose.narrow(1, 2, 1).sin());
  return at::cat(features, 1);
}

void CheckOptions(const TransitionOptions& o, const LatentShape& latent) {
  const std::vector<std::string> layouts{"frame_causal", "axial"};
  if (o.layout != layouts[0] && o.layout != layouts[1]) FailUnknown("layout", o.layout, layouts);
  if (o.dim < 8 || o.depth < 1 || o.heads < 1 || o.mlp < 1 || o.patch < 1)
    Fail("transition: dim >= 8 and depth, heads, mlp, patch >= 1 expected, got {}, {}, {}, {}, {}", o.dim, o.depth, o.heads, o.mlp,
         o.patch);
  if (o.dim % o.heads != 0 || (o.dim / o.heads) % 8 != 0)
    Fail("transition: dim / heads must be a multiple of 8, got {} / {}", o.dim, o.heads);
  if (latent.height % o.patch != 0 || latent.width % o.patch != 0)
    Fail("transition: patch {} does not divide the {}x{} latent", o.patch, latent.height, latent.width);
}

}  // namespace

Transition::Transition(const TransitionOptions& options, const LatentShape& latent, const ActionSpace& actions)
    : options_(options), latent_(latent), actions_(actions) {
  CheckOptions(options, latent);
  const int64_t D = options.dim, token = latent.channels * options.patch * options.patch;
  patch_ = register_module("patch", nn::Linear(token, D));
  place_ = register_parameter("place", at::randn({Tokens(), D}) * 0.02);
  level_in_ = register_module("level_in", nn::Linear(kLevelFeatures, D));
  level_out_ = register_module("level_out", nn::Linear(D, D));
  if (actions.Width() > 0) {
    action_ = register_module("action", nn::Linear(nn::LinearOptions(actions.Discrete() ? actions.count : actions.dims, D).bias(false)));
    action_null_ = register_parameter("action_null", at::zeros({D}));
  }
  if (options.pose) {
    pose_ = register_module("pose", nn::Linear(kPoseFeatures, D));
    pose_mean_ = register_buffer("pose_mean", at::zeros({2}));
    pose_deviation_ = register_buffer("pose_deviation", at::ones({2}));
  }
  modulation_ = register_module("modulation", nn::Linear(D, BlockImpl::Modulations(options) * D));
  for (int64_t l = 0; l < options.depth; ++l)
    blocks_.push_back(register_module("block" + std::to_string(l), std::make_shared<BlockImpl>(options)));
  output_bias_ = register_parameter("output_modulation", at::zeros({2 * D}));
  output_ = register_module("output", nn::Linear(D, token));
  Zero(modulation_);
  Zero(output_);
}

MemoryGeometry Transition::Geometry() const {
  return {.layers = options_.depth,
          .heads = options_.heads,
          .head_dim = options_.dim / options_.heads,
          .rows = latent_.height / options_.patch,
          .columns = latent_.width / options_.patch,
          .channels = latent_.channels,
          .patch = options_.patch,
          .actions = actions_.Discrete() ? actions_.count : 0};
}

void Transition::SetPoseScale(const at::Tensor& mean, const at::Tensor& deviation) {
  ORRERY_CHECK(options_.pose);
  torch::NoGradGuard guard;
  pose_mean_.copy_(mean);
  pose_deviation_.copy_(deviation.clamp_min(1e-3));
}

// [B, T, C, h, w] -> [B T, N, C p p]
at::Tensor Transition::Patchify(const at::Tensor& x) const {
  const int64_t p = options_.patch, rows = latent_.height / p, columns = latent_.width / p;
  return x.reshape({-1, latent_.channels, rows, p, columns, p})
      .permute({0, 2, 4, 1, 3, 5})
      .reshape({-1, rows * columns, latent_.channels * p * p});
}

at::Tensor Transition::Unpatchify(const at::Tensor& tokens, int64_t batch) const {
  const int64_t p = options_.patch, rows = latent_.height / p, columns = latent_.width / p, C = latent_.channels;
  return tokens.reshape({-1, rows, columns, C, p, p}).permute({0, 3, 1, 4, 2, 5}).reshape({batch, -1, C, latent_.height, latent_.width});
}

// [R, D] fp32: the embedding of the conditions; the action's share alone is what tokens get too.
at::Tensor Transition::Condition(const at::Tensor& level, const FrameCondition& condition) {
  at::Tensor out = at::zeros({level.numel(), options_.dim}, level.options());
  if (actions_.Width() > 0) {
    at::Tensor embedded = action_null_.expand({level.numel(), -1});
    if (condition.action.defined()) {
      const at::Tensor a = condition.action.reshape({-1, actions_.Width()});
      const at::Tensor features = actions_.Discrete() ? at::one_hot(a.select(1, 0).to(at::kLong), actions_.count).to(at::kFloat) : a;
      at::Tensor known = action_(features).to(at::kFloat);
      if (condition.known.defined()) known = at::where(condition.known.reshape({-1, 1}), known, embedded);
      embedded = known;
    }
    out = out + embedded;
  }
  if (options_.pose) {
    if (!condition.pose.defined()) Fail("this model takes poses: give the pose of every frame, or train it without --pose");
    out = out + pose_(PoseFeatures(condition.pose.reshape({-1, 3}).to(at::kFloat), pose_mean_, pose_deviation_)).to(at::kFloat);
  }
  return out;
}

// Context tokens are modulated as a clean frame without an action.
ContextStream Transition::OpenStream(const InputContext& input, int64_t rows) {
  const int64_t some = input.rows.defined() ? input.rows.size(0) : rows;
  CheckShape(input.tokens, {some, kAny, options_.dim}, "context tokens");
  const at::Tensor clean = LevelFeatures(at::zeros({1}, input.tokens.options().dtype(at::kFloat)));
  at::Tensor given = level_out_(at::silu(level_in_(clean))).to(at::kFloat);
  if (action_null_.defined()) given = given + action_null_;
  const at::Tensor shared = modulation_(at::silu(given)).to(at::kFloat).expand({some, -1});
  const at::Tensor bias = input.bias.defined() ? input.bias.view({some, 1, 1, input.tokens.size(1)}) : at::Tensor();
  return {input.tokens.to(at::kFloat), shared, input.coord, bias, input.rows, rows};
}

at::Tensor Transition::Forward(const at::Tensor& x, const at::Tensor& level, const FrameCondition& condition, MemoryReader& memory,
                               std::vector<LayerActivation>* keep) {
  CheckShape(x, {kAny, kAny, latent_.channels, latent_.height, latent_.width}, "latents");
  CheckShape(level, {x.size(0), x.size(1)}, "noise levels");
  const int64_t B = x.size(0), T = x.size(1), N = Tokens(), D = options_.dim;
  const MemoryGeometry g = Geometry();

  const at::Tensor given = Condition(level.to(at::kFloat), condition);
  const at::Tensor noise = level_out_(at::silu(level_in_(LevelFeatures(level.reshape({-1}).to(at::kFloat))))).to(at::kFloat);
  const at::Tensor shared = modulation_(at::silu(noise + given)).to(at::kFloat);
  at::Tensor tokens = patch_(Patchify(x)).to(at::kFloat) + place_ + given.unsqueeze(1);
  const InputContext input = memory.Input();
  if (input.features.defined()) tokens = tokens + input.features.to(at::kFloat);
  const bool kept = memory.Kept() && !memory.Kept()->empty();
  std::optional<ContextStream> stream;
  if (input.tokens.defined() && !kept) stream = OpenStream(input, B * T);

  // In a session the frame's own time is 0 and its context lies at negative times.
  const at::Tensor coord = GridCoordinates(T, g.rows, g.columns).to(x.device());
  const ClipShape clip{B, T, N, coord, MakeRope(coord, {.head_dim = g.head_dim})};
  if (keep) keep->resize(blocks_.size());
  for (size_t l = 0; l < blocks_.size(); ++l)
    tokens = blocks_[l]->forward(tokens, shared, clip, static_cast<int64_t>(l), memory, stream ? &*stream : nullptr,
                                 keep ? &(*keep)[l] : nullptr);

  const at::Tensor last = shared.narrow(1, 0, 2 * D) + output_bias_;
  const at::Tensor out = output_(NormModulate(tokens, last.narrow(1, 0, D), last.narrow(1, D, D)));
  return Unpatchify(out.to(at::kFloat), B);
}

}  // namespace orrery
