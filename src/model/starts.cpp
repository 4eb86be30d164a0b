#include "model/starts.h"

#include "core/rng.h"
#include "core/safetensors.h"
#include "core/shape.h"

namespace orrery {

Starts CollectStarts(const Dataset& dataset, const std::vector<int64_t>& episodes, int64_t count, int64_t length, uint64_t seed) {
  std::vector<int64_t> usable;
  for (const int64_t e : episodes)
    if (dataset.Frames(e) >= length) usable.push_back(e);
  if (usable.empty()) Fail("no episode has {} frames to start from", length);
  Rng rng(seed, "starts");
  std::vector<at::Tensor> frames, actions, pose;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t e = usable[i % usable.size()];
    const Episode window = dataset.Read(e, rng.Below(dataset.Frames(e) - length + 1), length);
    frames.push_back(window.frames);
    if (window.actions.defined()) actions.push_back(window.actions);
    if (window.pose.defined()) pose.push_back(window.pose);
  }
  const auto join = [](const std::vector<at::Tensor>& t) { return t.empty() ? at::Tensor() : at::stack(t); };
  return {join(frames), join(actions), join(pose)};
}

void SaveStarts(const Starts& starts, const std::filesystem::path& folder) {
  NamedTensors tensors{{"frames", starts.frames}};
  if (starts.actions.defined()) tensors.emplace_back("actions", starts.actions);
  if (starts.pose.defined()) tensors.emplace_back("pose", starts.pose);
  SaveSafetensors(folder / "starts.safetensors", tensors);
}

Starts LoadStarts(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "starts.safetensors";
  const TensorFile file = LoadSafetensors(path);
  Starts starts{file.At("frames", path.string()), {}, {}};
  CheckShape(starts.frames, {kAny, kAny, kAny, kAny, 3}, path.string() + " frames");
  CheckDtype(starts.frames, at::kByte, path.string() + " frames");
  if (const at::Tensor* t = file.Find("actions")) starts.actions = *t;
  if (const at::Tensor* t = file.Find("pose")) starts.pose = *t;
  return starts;
}

}  // namespace orrery
