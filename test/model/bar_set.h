// A small world to train on.
#pragma once
#include <ATen/ATen.h>

#include "core/rng.h"
#include "data/dataset.h"
#include "data/dataset_writer.h"

namespace orrery {

// A bright bar that actions move left, not at all or right, going round: 16x16.
inline std::shared_ptr<const Dataset> BarSet(const std::filesystem::path& folder) {
  std::filesystem::remove_all(folder);
  const ActionSpace actions{3, 0, {"left", "stay", "right"}, {}, {}};
  DatasetWriter writer(folder, {"bar", "test", 16, 16, 10, actions, false});
  Rng rng(1);
  for (int64_t e = 0; e < 8; ++e) {
    const int64_t frames = 24;
    Episode episode{at::full({frames, 16, 16, 3}, 40, at::kByte), at::zeros({frames, 1}), {}, static_cast<uint64_t>(e)};
    int64_t place = rng.Below(8);
    for (int64_t t = 0; t < frames; ++t) {
      const int64_t action = rng.Below(3);
      if (t > 0) {
        episode.actions[t][0] = static_cast<double>(action);
        place = (place + action + 7) % 8;
      }
      episode.frames[t].narrow(1, 2 * place, 2).fill_(220);
    }
    writer.Add(episode);
  }
  writer.Finish();
  return std::make_shared<const Dataset>(folder);
}

}  // namespace orrery
