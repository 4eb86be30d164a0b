// Noise paths: how a clean latent becomes noise, what the network predicts, and how a step back is taken.
// Level u in [0, 1]: 0 clean, 1 pure noise, whatever the path's own clock. Levels broadcast against latents.
#pragma once
#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "core/registry.h"

namespace orrery {

class NoisePath {
 public:
  virtual ~NoisePath() = default;
  virtual std::string Spec() const = 0;

  virtual at::Tensor Mix(const at::Tensor& clean, const at::Tensor& noise, const at::Tensor& level) const = 0;
  // What the network is fed for the noisy latent x (EDM scales it).
  virtual at::Tensor Input(const at::Tensor& x, const at::Tensor& level) const { return x; }
  // What the network should answer.
  virtual at::Tensor Target(const at::Tensor& clean, const at::Tensor& noise, const at::Tensor& level) const = 0;
  virtual at::Tensor ToClean(const at::Tensor& x, const at::Tensor& out, const at::Tensor& level) const = 0;
  // Deterministic step from one level to a lower one; to = 0 gives ToClean.
  virtual at::Tensor Step(const at::Tensor& x, const at::Tensor& out, const at::Tensor& from, const at::Tensor& to) const = 0;

  // Training levels from uniform numbers in (0, 1): the path's own distribution.
  virtual at::Tensor TrainingLevels(const at::Tensor& uniform) const = 0;
  // steps + 1 levels, falling from 1 to 0.
  virtual std::vector<double> Schedule(int64_t steps) const = 0;
};

const Registry<std::shared_ptr<NoisePath>>& NoisePaths();

// sigma' = shift sigma / (1 + (shift - 1) sigma): moves levels towards noise for shift > 1.
double ShiftLevel(double sigma, double shift);

}  // namespace orrery
