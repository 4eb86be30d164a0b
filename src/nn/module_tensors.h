// Weights of modules as named tensors.
#pragma once
#include <torch/nn/module.h>

#include "core/safetensors.h"

namespace orrery {

// Parameters, then buffers, by their dotted names.
NamedTensors ModuleTensors(const torch::nn::Module& module);

// Copies tensors of the same names into the module (floating types are converted). Throws Error naming the first tensor that is
// missing, unknown, of another shape or not finite. `file` is used in messages.
void LoadModule(torch::nn::Module& module, const NamedTensors& tensors, std::string_view file);

}  // namespace orrery
