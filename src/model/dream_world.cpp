#include "model/dream_world.h"

#include <ATen/ATen.h>

#include <cstring>

#include "core/safetensors.h"

namespace orrery {

namespace {

// [1, A]; undefined without actions.
at::Tensor Row(std::span<const float> action) {
  if (action.empty()) return {};
  at::Tensor row = at::empty({1, static_cast<int64_t>(action.size())}, at::kFloat);
  std::copy(action.begin(), action.end(), row.mutable_data_ptr<float>());
  return row;
}

}  // namespace

DreamWorld::DreamWorld(std::shared_ptr<const WorldModel> model, std::shared_ptr<const Starts> starts, const RolloutOptions& options)
    : starts_(std::move(starts)), session_(model, options) {
  const DatasetFacts& data = model->Config().data;
  if (model->NeedsPose())
    Fail("this model takes poses, which nobody gives while playing; train it without --pose, and with a state that needs none, to play it");
  facts_.spec = "dream of " + data.source;
  facts_.height = data.height;
  facts_.width = data.width;
  facts_.fps = data.fps;
  facts_.actions = data.actions;
}

void DreamWorld::Reset(uint64_t seed) {
  const auto start = static_cast<int64_t>(seed % static_cast<uint64_t>(starts_->Count()));
  const auto row = [&](const at::Tensor& t) { return t.defined() ? t.narrow(0, start, 1) : t; };
  session_.Reset(row(starts_->frames), row(starts_->actions), {}, {seed});
}

void DreamWorld::Step(std::span<const float> action) {
  facts_.actions.Check(action);
  session_.Step(Row(action));
}

void DreamWorld::Observe(std::span<const uint8_t> rgb, std::span<const float> action) {
  facts_.actions.Check(action);
  if (static_cast<int64_t>(rgb.size()) != 3 * facts_.height * facts_.width)
    Fail("{}: a frame of {}x{} expected, got {} bytes", facts_.spec, facts_.height, facts_.width, rgb.size());
  at::Tensor frame = at::empty({1, facts_.height, facts_.width, 3}, at::kByte);
  std::memcpy(frame.mutable_data_ptr(), rgb.data(), rgb.size());
  const at::NoGradGuard guard;
  const WorldModel& model = session_.Model();
  session_.Force(model.GetCodec().Encode(BytesToFrames(frame).to(model.Device())).to(at::kFloat), Row(action));
}

void DreamWorld::Render(std::span<uint8_t> rgb) const {
  const at::Tensor frame = session_.Frame().contiguous();
  ORRERY_CHECK(rgb.size() == frame.nbytes());
  std::memcpy(rgb.data(), frame.const_data_ptr(), rgb.size());
}

std::string DreamWorld::Snapshot() const {
  Metadata metadata{{"format", "orrery.session/1"}};
  const Parts parts = session_.Snapshot().ToParts();
  const NamedTensors tensors = parts.ToTensors(&metadata);
  return SerializeSafetensors(tensors, metadata);
}

void DreamWorld::Restore(std::string_view snapshot) {
  const TensorFile file = ParseSafetensors(snapshot, "snapshot");
  if (const auto format = file.metadata.find("format"); format == file.metadata.end() || format->second != "orrery.session/1")
    Fail("snapshot: not a snapshot of a session");
  session_.Restore(SessionState::FromParts(Parts::FromTensors(file)));
}

}  // namespace orrery
