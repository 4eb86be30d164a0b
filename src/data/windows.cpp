#include "data/windows.h"

#include <ATen/Functions.h>

#include <algorithm>

#include "core/error.h"

namespace orrery {

Episode SampleWindows(const Dataset& dataset, const std::vector<int64_t>& episodes, int64_t count, int64_t length, Rng& rng) {
  std::vector<int64_t> usable;
  int64_t longest = 0;
  for (const int64_t e : episodes) {
    longest = std::max(longest, dataset.Frames(e));
    if (dataset.Frames(e) >= length) usable.push_back(e);
  }
  if (usable.empty())
    Fail("{}: no episode of the {} chosen has {} frames (the longest has {})", dataset.Folder().string(), episodes.size(), length, longest);
  std::vector<at::Tensor> frames, actions, pose;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t e = usable[static_cast<size_t>(i) % usable.size()];
    const Episode window = dataset.Read(e, rng.Below(dataset.Frames(e) - length + 1), length);
    frames.push_back(window.frames);
    if (window.actions.defined()) actions.push_back(window.actions);
    if (window.pose.defined()) pose.push_back(window.pose);
  }
  const auto stack = [](const std::vector<at::Tensor>& rows) { return rows.empty() ? at::Tensor() : at::stack(rows); };
  return {stack(frames), stack(actions), stack(pose), 0};
}

}  // namespace orrery
