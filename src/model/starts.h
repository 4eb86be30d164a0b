// Real beginnings that ship with a model, so that it can be played without its data set.
#pragma once
#include <filesystem>

#include "data/dataset.h"

namespace orrery {

struct Starts {
  at::Tensor frames;   // [S, n, H, W, 3] uint8
  at::Tensor actions;  // [S, n, A]; undefined without actions
  at::Tensor pose;     // [S, n, 3]; undefined without pose

  int64_t Count() const { return frames.defined() ? frames.size(0) : 0; }
};

// Up to `count` windows of `length` frames, spread over `episodes`; `seed` places them.
Starts CollectStarts(const Dataset& dataset, const std::vector<int64_t>& episodes, int64_t count, int64_t length, uint64_t seed);
void SaveStarts(const Starts& starts, const std::filesystem::path& folder);  // starts.safetensors
Starts LoadStarts(const std::filesystem::path& folder);

}  // namespace orrery
