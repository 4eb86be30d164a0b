// A network before training answers zero: this gives random values to everything that starts at zero, and to the modulation.
#pragma once
#include <torch/nn/module.h>

#include <string>

namespace orrery {

inline void Awaken(torch::nn::Module& network, double deviation) {
  const at::NoGradGuard guard;
  for (auto& item : network.named_parameters())
    if (item.key().find("modulation") != std::string::npos || item.value().abs().max().item<double>() == 0)
      item.value().normal_(0, deviation);
}

}  // namespace orrery
