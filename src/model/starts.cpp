#include "model/starts.h"

#include "core/safetensors.h"
#include "core/shape.h"
#include "data/windows.h"

namespace orrery {

Starts CollectStarts(const Dataset& dataset, const std::vector<int64_t>& episodes, int64_t count, int64_t length, uint64_t seed) {
  Rng rng(seed, "starts");
  const Episode windows = SampleWindows(dataset, episodes, count, length, rng);
  return {windows.frames, windows.actions, windows.pose};
}

void SaveStarts(const Starts& starts, const std::filesystem::path& folder) {
  NamedTensors tensors{{"frames", starts.frames}};
  if (starts.actions.defined()) tensors.emplace_back("actions", starts.actions);
  if (starts.pose.defined()) tensors.emplace_back("pose", starts.pose);
  SaveSafetensors(folder / "starts.safetensors", tensors);
}

Starts LoadStarts(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "starts.safetensors";
  if (!std::filesystem::exists(path))
    Fail("{}: no real beginnings there; 'orrery train model' keeps some of its data, 'orrery convert' takes --picture", path.string());
  const TensorFile file = LoadSafetensors(path);
  Starts starts{file.At("frames", path.string()), {}, {}};
  CheckShape(starts.frames, {kAny, kAny, kAny, kAny, 3}, path.string() + " frames");
  CheckDtype(starts.frames, at::kByte, path.string() + " frames");
  if (const at::Tensor* t = file.Find("actions")) starts.actions = *t;
  if (const at::Tensor* t = file.Find("pose")) starts.pose = *t;
  return starts;
}

}  // namespace orrery
