// Films of built-in worlds and ways to spoil them.
#pragma once
#include <ATen/ATen.h>

#include "core/tensor_rng.h"
#include "eval/quality/frames.h"
#include "worlds/policy.h"
#include "worlds/registry.h"

namespace orrery {

// [frames, H, W, 3] uint8 under the `sticky` policy. Takes other than 0 are nudged at the start and act alike.
inline at::Tensor RecordFilm(const std::string& spec, uint64_t seed, int64_t frames, uint64_t take = 0) {
  const auto world = MakeWorld(spec);
  const auto policy = MakePolicy("sticky");
  Rng rng(seed, "film");
  world->Reset(seed);
  if (take) world->Perturb(take);
  at::Tensor film = at::empty({frames, world->Facts().height, world->Facts().width, 3}, at::kByte);
  for (int64_t t = 0; t < frames; ++t) {
    if (t) world->Step(policy->Act(*world, rng));
    world->Render({film[t].data_ptr<uint8_t>(), static_cast<size_t>(film[t].numel())});
  }
  return film;
}

inline at::Tensor WithNoise(const at::Tensor& film, double sigma, uint64_t seed = 1) {
  Rng rng(seed, "noise");
  return Quantize(film.to(at::kDouble) / 255.0 + sigma * NormalTensor(film.sizes(), rng));
}

inline at::Tensor Blurred(const at::Tensor& film, double sigma = 1.5) {
  const int64_t radius = 6;
  const at::Tensor offset = at::arange(-radius, radius + 1, at::kDouble), bell = (-offset.square() / (2 * sigma * sigma)).exp();
  const at::Tensor kernel = bell / bell.sum(), planes = film.permute({0, 3, 1, 2}).flatten(0, 1).unsqueeze(1).to(at::kDouble) / 255.0;
  const at::Tensor padded = at::reflection_pad2d(planes, {radius, radius, radius, radius});
  const at::Tensor blurred = at::conv2d(at::conv2d(padded, kernel.view({1, 1, -1, 1})), kernel.view({1, 1, 1, -1}));
  return Quantize(blurred.view({film.size(0), 3, film.size(1), film.size(2)}).permute({0, 2, 3, 1}));
}

inline at::Tensor RandomFilm(at::IntArrayRef sizes, uint64_t seed) {
  Rng rng(seed, "film");
  return Quantize(UniformTensor(sizes, rng));
}

}  // namespace orrery
