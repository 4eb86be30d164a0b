#include "dynamics/transition.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/shape.h"
#include "core/tensor_rng.h"
#include "dynamics/block.h"
#include "nn/fused.h"
#include "nn/module_tensors.h"

namespace orrery {

namespace nn = torch::nn;

namespace {

constexpr int64_t kStepFeatures = 128;
constexpr double kPixelHighest = 128;  // of rope "pixel"
constexpr int64_t kPoseFrequencies = 4;
constexpr int64_t kPoseFeatures = 2 + 4 * kPoseFrequencies + 2;

void Zero(nn::Linear& linear) {
  torch::NoGradGuard guard;
  linear->weight.zero_();
  if (linear->bias.defined()) linear->bias.zero_();
}

// [n] values -> [n, count] cosines and sines of `scale` 10000^(-i / half).
at::Tensor Waves(const at::Tensor& value, int64_t count, double scale) {
  const int64_t half = count / 2;
  const at::Tensor frequency = at::exp(at::arange(half, value.options()) * (-std::log(10000.0) / static_cast<double>(half))) * scale;
  const at::Tensor angle = value.unsqueeze(1) * frequency;
  return at::cat({angle.cos(), angle.sin()}, 1);
}

// [n] shares of the way in [0, 1] -> [n, kStepFeatures]
at::Tensor StepFeatures(const at::Tensor& step) { return Waves(step, kStepFeatures, 1000); }

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
  const std::vector<std::string> layouts{"frame_causal", "axial", "spatial_temporal"}, ropes{"grid", "pixel"};
  if (std::find(layouts.begin(), layouts.end(), o.layout) == layouts.end()) FailUnknown("layout", o.layout, layouts);
  if (std::find(ropes.begin(), ropes.end(), o.rope) == ropes.end()) FailUnknown("rope", o.rope, ropes);
  if (o.rope == "pixel" && o.layout == layouts[0])
    Fail("transition: rope pixel turns within frames and through time apart; use it with layout axial or spatial_temporal");
  if (o.levels < 0 || o.level_features < 2 || o.level_features % 2 != 0)
    Fail("transition: levels >= 0 and an even number of level_features expected, got {} and {}", o.levels, o.level_features);
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
  if (!options.plain_tokens) place_ = register_parameter("place", at::randn({Tokens(), D}) * 0.02);
  level_in_ = register_module("level_in", nn::Linear(options.level_features, D));
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
  if (options.own_modulation) {
    const auto own = [&](const std::string& name, int64_t vectors) {
      own_modulation_.push_back(register_module(name, nn::Linear(nn::LinearOptions(D, vectors * D).bias(false))));
      Zero(own_modulation_.back());
    };
    for (int64_t l = 0; l < options.depth; ++l) own("modulation" + std::to_string(l), BlockImpl::Modulations(options));
    own("modulation_output", 2);
  } else {
    modulation_ = register_module("modulation", nn::Linear(D, BlockImpl::Modulations(options) * D));
  }
  for (int64_t l = 0; l < options.depth; ++l)
    blocks_.push_back(register_module("block" + std::to_string(l), std::make_shared<BlockImpl>(options)));
  output_bias_ = register_parameter("output_modulation", at::zeros({2 * D}));
  output_ = register_module("output", nn::Linear(D, token));
  if (options.step) {
    step_in_ = register_module("step_in", nn::Linear(kStepFeatures, D));
    step_out_ = register_module("step_out", nn::Linear(D, D));
    Zero(step_out_);
  }
  if (modulation_) Zero(modulation_);
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

TokenEmbedding Transition::Embedding() const {
  return {patch_->weight, patch_->bias, place_.defined() ? place_ : at::zeros({Tokens(), options_.dim}, patch_->weight.options())};
}

// [n] levels in [0, 1] -> [n, D] fp32
at::Tensor Transition::LevelEmbedding(const at::Tensor& level) {
  const at::Tensor features = options_.levels == 0 ? Waves(level, options_.level_features, 1000)
                                                   : Waves((level * options_.levels).round() - 1, options_.level_features, 1);
  return level_out_(at::silu(level_in_(features))).to(at::kFloat);
}

// condition [R, D] after its SiLU -> [R, Modulations D] of a block, or [R, 2 D] of the output (layer = depth), beside its own bias.
at::Tensor Transition::Modulation(const at::Tensor& condition, size_t layer) { return own_modulation_[layer](condition).to(at::kFloat); }

// Context tokens are modulated as a clean frame without an action.
ContextStream Transition::OpenStream(const InputContext& input, int64_t rows) {
  const int64_t some = input.rows.defined() ? input.rows.size(0) : rows;
  CheckShape(input.tokens, {some, kAny, options_.dim}, "context tokens");
  at::Tensor given = LevelEmbedding(at::zeros({1}, input.tokens.options().dtype(at::kFloat)));
  if (action_null_.defined()) given = given + action_null_;
  const at::Tensor condition = at::silu(given).expand({some, -1});
  const at::Tensor shared = modulation_ ? modulation_(at::silu(given)).to(at::kFloat).expand({some, -1}) : at::Tensor();
  const at::Tensor bias = input.bias.defined() ? input.bias.view({some, 1, 1, input.tokens.size(1)}) : at::Tensor();
  return {input.tokens.to(at::kFloat), shared, input.coord, bias, input.rows, rows, condition};
}

std::shared_ptr<Transition> Transition::Copy() const {
  const DefaultGeneratorScope kept(0);
  auto copy = std::make_shared<Transition>(options_, latent_, actions_);
  LoadModule(*copy, ModuleTensors(*this), "a network");
  return copy;
}

at::Tensor Transition::Forward(const at::Tensor& x, const at::Tensor& level, const FrameCondition& condition, MemoryReader& memory,
                               std::vector<LayerActivation>* keep, const ClipMask& mask) {
  CheckShape(x, {kAny, kAny, latent_.channels, latent_.height, latent_.width}, "latents");
  CheckShape(level, {x.size(0), x.size(1)}, "noise levels");
  const int64_t B = x.size(0), F = x.size(1), T = mask.Twins() ? F / 2 : F, N = Tokens(), D = options_.dim;
  ORRERY_CHECK(!mask.Twins() || (F == 2 * T && !keep));
  const MemoryGeometry g = Geometry();

  const at::Tensor given = Condition(level.to(at::kFloat), condition);
  at::Tensor noise = LevelEmbedding(level.reshape({-1}).to(at::kFloat));
  if (step_in_ && condition.step.defined()) {
    const at::Tensor step = condition.step.reshape({-1}).to(noise.device(), at::kFloat);
    noise = noise + step_out_(at::silu(step_in_(StepFeatures(step)))).to(at::kFloat) * (step > 0).unsqueeze(1);
  }
  const at::Tensor active = at::silu(noise + given);
  at::Tensor shared = modulation_ ? modulation_(active).to(at::kFloat) : at::Tensor();
  at::Tensor tokens = patch_(Patchify(x)).to(at::kFloat);
  if (!options_.plain_tokens) tokens = tokens + place_ + given.unsqueeze(1);
  const InputContext input = memory.Input();
  if (input.features.defined()) {
    const at::Tensor add = input.features.to(at::kFloat);
    tokens = tokens + (mask.Twins() ? add.view({B, T, N, D}).repeat({1, 2, 1, 1}).flatten(0, 1) : add);
  }
  const bool kept = memory.Kept() && !memory.Kept()->empty();
  std::optional<ContextStream> stream;
  if (input.tokens.defined() && !kept) stream = OpenStream(input, B * T);

  // In a session the frame's own time is 0 and its context lies at negative times.
  const at::Tensor coord = GridCoordinates(T, g.rows, g.columns).to(x.device());
  ClipShape clip{B, T, N, coord, MakeRope(coord, {.head_dim = g.head_dim}), mask, {}, {}};
  if (options_.rope == "pixel") {
    clip.rope = MakeTimeRope(coord.select(1, 0), g.head_dim, kTimeRopeBase);
    const RopeTable image =
        MakePixelRope(g.rows, g.columns, {.head_dim = g.head_dim, .frequencies = g.head_dim / 4, .highest = kPixelHighest});
    clip.image_rope = {image.cos.to(x.device()), image.sin.to(x.device())};
  } else {
    clip.image_rope = {clip.rope.cos.narrow(0, 0, N), clip.rope.sin.narrow(0, 0, N)};
  }
  if (mask.Twins()) clip.twins_rope = {clip.rope.cos.repeat({2, 1}), clip.rope.sin.repeat({2, 1})};
  if (keep) keep->resize(blocks_.size());
  for (size_t l = 0; l < blocks_.size(); ++l) {
    if (!modulation_) shared = Modulation(active, l);
    if (!modulation_ && stream) stream->shared = Modulation(stream->condition, l);
    tokens = blocks_[l]->forward(tokens, shared, clip, static_cast<int64_t>(l), memory, stream ? &*stream : nullptr,
                                 keep ? &(*keep)[l] : nullptr);
  }

  const at::Tensor last = (modulation_ ? shared.narrow(1, 0, 2 * D) : Modulation(active, blocks_.size())) + output_bias_;
  const at::Tensor out = output_(NormModulate(tokens, last.narrow(1, 0, D), last.narrow(1, D, D)));
  return Unpatchify(out.to(at::kFloat), B);
}

}  // namespace orrery
