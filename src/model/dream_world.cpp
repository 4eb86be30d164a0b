#include "model/dream_world.h"

#include <ATen/ATen.h>

#include <cstring>

#include "core/safetensors.h"

namespace orrery {

namespace {

constexpr const char* kGuide = "guide";

// [1, A]; undefined without actions.
at::Tensor Row(std::span<const float> action) {
  if (action.empty()) return {};
  at::Tensor row = at::empty({1, static_cast<int64_t>(action.size())}, at::kFloat);
  std::copy(action.begin(), action.end(), row.mutable_data_ptr<float>());
  return row;
}

}  // namespace

at::Tensor PoseRow(const World& world) {
  const Pose pose = *world.TruePose();
  return at::tensor({pose.x, pose.y, pose.angle}, at::kFloat);
}

DreamWorld::DreamWorld(std::shared_ptr<const WorldModel> model, std::shared_ptr<const Starts> starts, const RolloutOptions& options,
                       std::unique_ptr<World> guide)
    : starts_(std::move(starts)), session_(model, options), guide_(std::move(guide)) {
  const DatasetFacts& data = model->Config().data;
  if (model->NeedsPose() && !starts_->pose.defined())
    Fail("this model takes poses, and its real beginnings have none; make them of a data set with poses");
  if (model->NeedsPose() && !guide_ && !model->GetOdometry())
    Fail(
        "this model takes poses, which nobody gives while playing, and it cannot guess them; train it again, or with a state that needs "
        "none");
  if (guide_) {
    ORRERY_CHECK(starts_->Count() == 1 && guide_->TruePose());
    guide_start_ = guide_->Snapshot();
  }
  facts_.spec = "dream of " + data.source;
  facts_.height = data.height;
  facts_.width = data.width;
  facts_.fps = data.fps;
  facts_.actions = data.actions;
}

void DreamWorld::Reset(uint64_t seed) {
  const auto start = static_cast<int64_t>(seed % static_cast<uint64_t>(starts_->Count()));
  const auto row = [&](const at::Tensor& t) { return t.defined() ? t.narrow(0, start, 1) : t; };
  session_.Reset(row(starts_->frames), row(starts_->actions), row(starts_->pose), {seed});
  if (guide_) guide_->Restore(guide_start_);
}

// [1, 3]; undefined without a guide: the session sees to it.
at::Tensor DreamWorld::NextPose(std::span<const float> action) {
  if (!guide_) return {};
  guide_->Step(action);
  return PoseRow(*guide_).unsqueeze(0);
}

void DreamWorld::Step(std::span<const float> action) {
  facts_.actions.Check(action);
  session_.Step(Row(action), NextPose(action));
}

void DreamWorld::Observe(std::span<const uint8_t> rgb, std::span<const float> action) {
  facts_.actions.Check(action);
  if (static_cast<int64_t>(rgb.size()) != 3 * facts_.height * facts_.width)
    Fail("{}: a frame of {}x{} expected, got {} bytes", facts_.spec, facts_.height, facts_.width, rgb.size());
  at::Tensor frame = at::empty({1, facts_.height, facts_.width, 3}, at::kByte);
  std::memcpy(frame.mutable_data_ptr(), rgb.data(), rgb.size());
  const at::NoGradGuard guard;
  session_.Force(session_.Model().Encode(frame), Row(action), NextPose(action));
}

void DreamWorld::Render(std::span<uint8_t> rgb) const {
  const at::Tensor frame = session_.Frame().contiguous();
  ORRERY_CHECK(rgb.size() == frame.nbytes());
  std::memcpy(rgb.data(), frame.const_data_ptr(), rgb.size());
}

std::string DreamWorld::Snapshot() const {
  Metadata metadata{{"format", "orrery.session/1"}};
  const Parts parts = session_.Snapshot().ToParts();
  NamedTensors tensors = parts.ToTensors(&metadata);
  if (guide_) {
    const std::string bytes = guide_->Snapshot();
    at::Tensor guide = at::empty({static_cast<int64_t>(bytes.size())}, at::kByte);
    std::memcpy(guide.mutable_data_ptr(), bytes.data(), bytes.size());
    tensors.emplace_back(kGuide, guide);
  }
  return SerializeSafetensors(tensors, metadata);
}

void DreamWorld::Restore(std::string_view snapshot) {
  const TensorFile file = ParseSafetensors(snapshot, "snapshot");
  if (const auto format = file.metadata.find("format"); format == file.metadata.end() || format->second != "orrery.session/1")
    Fail("snapshot: not a snapshot of a session");
  session_.Restore(SessionState::FromParts(Parts::FromTensors(file)));
  if (!guide_) return;
  const at::Tensor guide = file.At(kGuide, "snapshot").contiguous();
  guide_->Restore({static_cast<const char*>(guide.const_data_ptr()), guide.nbytes()});
}

}  // namespace orrery
