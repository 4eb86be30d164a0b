#include "model/session.h"

#include "core/shape.h"
#include "core/tensor_rng.h"

namespace orrery {

namespace {

at::Tensor Row(const at::Tensor& t, int64_t index) { return t.defined() ? t.select(1, index) : t; }

}  // namespace

Parts SessionState::ToParts() const {
  Parts parts;
  parts.Append("memory", memory);
  parts.Add("latent", "batch channel row column", latent);
  if (pose.defined()) parts.Add("pose", "batch x,y,angle", pose);
  if (motion.defined()) parts.Add("motion", "batch forward,left,turn", motion);
  at::Tensor rng = at::empty({static_cast<int64_t>(noise.size()), 2}, at::kLong);
  for (size_t i = 0; i < noise.size(); ++i) {
    rng[i][0] = static_cast<int64_t>(noise[i].GetState().key);
    rng[i][1] = static_cast<int64_t>(noise[i].GetState().counter);
  }
  parts.Add("noise", "batch key,counter", rng);
  parts.Add("frame", "", at::full({}, frame, at::kLong));
  parts.Append("flight", flight.ToParts());
  return parts;
}

SessionState SessionState::FromParts(const Parts& parts) {
  SessionState state;
  state.memory = parts.Extract("memory");
  state.latent = parts.Get("latent");
  if (parts.Has("pose")) state.pose = parts.Get("pose");
  if (parts.Has("motion")) state.motion = parts.Get("motion");
  const at::Tensor& rng = parts.Get("noise");
  CheckShape(rng, {state.latent.size(0), 2}, "session noise");
  for (int64_t i = 0; i < rng.size(0); ++i) {
    Rng row;
    row.SetState({static_cast<uint64_t>(rng[i][0].item<int64_t>()), static_cast<uint64_t>(rng[i][1].item<int64_t>())});
    state.noise.push_back(row);
  }
  state.frame = parts.Get("frame").item<int64_t>();
  state.flight = Flight::FromParts(parts.Extract("flight"), state.frame + 1);
  return state;
}

Session::Session(std::shared_ptr<const WorldModel> model, const RolloutOptions& options)
    : model_(std::move(model)), executor_(model_->Rollout(options)) {}

void Session::Reset(const at::Tensor& frames, const at::Tensor& actions, const at::Tensor& pose, const std::vector<uint64_t>& seeds) {
  const DatasetFacts& data = model_->Config().data;
  CheckShape(frames, {static_cast<int64_t>(seeds.size()), kAny, data.height, data.width, 3}, "context frames");
  CheckDtype(frames, at::kByte, "context frames");
  const at::NoGradGuard guard;
  const at::Tensor latents = model_->Encode(frames.flatten(0, 1));
  ResetLatents(latents.view({frames.size(0), frames.size(1), latents.size(1), latents.size(2), latents.size(3)}), actions, pose, seeds);
}

void Session::ResetLatents(const at::Tensor& latents, const at::Tensor& actions, const at::Tensor& pose,
                           const std::vector<uint64_t>& seeds) {
  const LatentShape& shape = model_->Config().latent;
  const auto B = static_cast<int64_t>(seeds.size());
  CheckShape(latents, {B, kAny, shape.channels, shape.height, shape.width}, "context latents");
  const int64_t frames = latents.size(1);
  if (frames < 1) Fail("context: at least one frame expected, got none");
  state_ = {};
  state_.memory = model_->GetMemory()->Reset(B, model_->Device(), at::kFloat, seeds.empty() ? 0 : seeds[0]);
  for (const uint64_t seed : seeds) state_.noise.emplace_back(seed, "frames");
  for (int64_t t = 0; t < frames; ++t) {
    StepCondition condition = Check(Row(actions, t), Row(pose, t));
    if (t == 0 && condition.action.defined()) condition.known = at::zeros({B}, condition.action.options().dtype(at::kBool));
    Place(latents.select(1, t).contiguous(), condition);
  }
}

StepCondition Session::Check(const at::Tensor& action, const at::Tensor& pose) const {
  StepCondition condition;
  const int64_t B = static_cast<int64_t>(state_.noise.size());
  if (const int64_t width = model_->Actions().Width(); width > 0) {
    CheckShape(action, {B, width}, "actions");
    const at::Tensor host = action.to(at::kCPU, at::kFloat).contiguous();
    for (int64_t i = 0; i < B; ++i) model_->Actions().Check({host.const_data_ptr<float>() + i * width, static_cast<size_t>(width)});
    condition.action = host.to(model_->Device());
  }
  if (model_->NeedsPose()) condition.pose = PoseOf(pose, condition.action);
  return condition;
}

at::Tensor Session::PoseOf(const at::Tensor& given, const at::Tensor& action) const {
  if (given.defined()) {
    CheckShape(given, {static_cast<int64_t>(state_.noise.size()), 3}, "pose");
    return given.to(model_->Device(), at::kFloat);
  }
  if (!state_.pose.defined())
    Fail("session: this model takes poses, and none was given for the first frame; give the pose of the context's frames");
  if (!model_->GetOdometry())
    Fail("session: this model takes poses and cannot guess them; give the pose of every frame, or train it again");
  const at::NoGradGuard guard;
  return PoseAfter(state_.pose, model_->GetOdometry()->Predict(state_.latent, state_.pose, state_.motion, action));
}

at::Tensor Session::Noise() {
  const LatentShape& s = model_->Config().latent;
  std::vector<at::Tensor> rows;
  for (Rng& rng : state_.noise) rows.push_back(NormalTensor({s.channels, s.height, s.width}, rng));
  return at::stack(rows).to(model_->Device());
}

NoiseSource Session::Randomness() {
  const auto again = [this](int64_t frame, int64_t step) {
    const LatentShape& s = model_->Config().latent;
    std::vector<at::Tensor> rows;
    for (const Rng& rng : state_.noise) {
      const uint64_t own = DeriveSeed(DeriveSeed(rng.GetState().key, "again"), static_cast<uint64_t>(frame));
      Rng once(DeriveSeed(own, static_cast<uint64_t>(step)));
      rows.push_back(NormalTensor({s.channels, s.height, s.width}, once));
    }
    return at::stack(rows).to(model_->Device());
  };
  return {[this] { return Noise(); }, again};
}

// The frame after `before`, which begins with the frame that is shown next: the action is held, and the pose follows from it.
StepCondition Session::Guess(const std::vector<StepCondition>& before) const {
  const StepCondition& last = before.back();
  StepCondition guess{last.action, {}, {}};
  if (!last.pose.defined()) return guess;
  if (!model_->GetOdometry())
    Fail("session: {} makes frames ahead of those whose poses are given, and this model cannot guess poses; use the rollout \"sequential\"",
         Plan().spec);
  const at::Tensor& from = before.size() > 1 ? before[before.size() - 2].pose : state_.pose;
  const at::Tensor motion = from.defined() ? MotionBetween(from, last.pose) : at::Tensor();
  guess.pose = PoseAfter(last.pose, model_->GetOdometry()->Predict(state_.latent, last.pose, motion, last.action));
  return guess;
}

void Session::Step(const at::Tensor& action, const at::Tensor& pose, const FrameCondition& ahead) {
  if (!state_.latent.defined()) Fail("session: Reset with real frames before the first Step");
  const at::NoGradGuard guard;
  std::vector<StepCondition> known{Check(action, pose)};
  const int64_t given = ahead.action.defined() ? ahead.action.size(1) : ahead.pose.defined() ? ahead.pose.size(1) : 0;
  const auto conditions = [&](int64_t i) {
    while (static_cast<int64_t>(known.size()) <= i) {
      const auto n = static_cast<int64_t>(known.size()) - 1;
      known.push_back(n < given ? Check(Row(ahead.action, n), Row(ahead.pose, n)) : Guess(known));
    }
    return known[static_cast<size_t>(i)];
  };
  const ShownFrame shown = executor_.Next(state_.memory, state_.flight, conditions, Randomness());
  Show(shown.latent, shown.condition);
}

void Session::Force(const at::Tensor& latent, const at::Tensor& action, const at::Tensor& pose) { Place(latent, Check(action, pose)); }

void Session::Place(const at::Tensor& latent, const StepCondition& condition) {
  executor_.Force(state_.memory, state_.flight, condition, latent, Randomness());
  Show(latent, condition);
}

void Session::Show(const at::Tensor& latent, const StepCondition& condition) {
  state_.latent = latent;
  if (condition.pose.defined() && state_.pose.defined()) state_.motion = MotionBetween(state_.pose, condition.pose);
  state_.pose = condition.pose;
  state_.frame = state_.flight.next - 1;
}

void Session::Recache(const at::Tensor& actions, const at::Tensor& pose) {
  const int64_t n = Recent();
  if (actions.defined()) CheckShape(actions, {Batch(), n, model_->Actions().Width()}, "actions to commit again");
  if (pose.defined()) CheckShape(pose, {Batch(), n, 3}, "poses to commit again");
  std::vector<StepCondition> conditions;
  for (int64_t i = 0; i < n; ++i) {
    StepCondition c = state_.flight.past.frames[static_cast<size_t>(i)].condition;
    if (actions.defined()) c.action = actions.select(1, i).to(model_->Device(), at::kFloat);
    if (pose.defined()) c.pose = pose.select(1, i).to(model_->Device(), at::kFloat);
    conditions.push_back(c);
  }
  executor_.Recache(state_.memory, state_.flight, conditions);
}

void Session::TakeOlder(const SessionState& other) {
  ORRERY_CHECK(other.frame == state_.frame);
  model_->GetMemory()->TakeOlder(state_.memory, other.memory);
}

at::Tensor Session::Frame() const {
  const at::NoGradGuard guard;
  return FramesToBytes(model_->GetCodec().Decode(state_.latent)).cpu();
}

}  // namespace orrery
