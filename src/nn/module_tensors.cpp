#include "nn/module_tensors.h"

#include "core/error.h"
#include "core/shape.h"

namespace orrery {

NamedTensors ModuleTensors(const torch::nn::Module& module) {
  NamedTensors tensors;
  for (const auto& item : module.named_parameters()) tensors.emplace_back(item.key(), item.value().detach());
  for (const auto& item : module.named_buffers()) tensors.emplace_back(item.key(), item.value());
  return tensors;
}

void LoadModule(torch::nn::Module& module, const NamedTensors& tensors, std::string_view file) {
  const at::NoGradGuard guard;
  const NamedTensors own = ModuleTensors(module);
  std::vector<std::string> names;
  for (const auto& [name, target] : own) names.push_back(name);
  std::map<std::string_view, const at::Tensor*> given;
  for (const auto& [name, value] : tensors) given[name] = &value;
  for (const auto& [name, value] : tensors)
    if (std::find(names.begin(), names.end(), name) == names.end())
      Fail("{}: tensor '{}' belongs to no part of this network (nearest: '{}'); weights and configuration do not fit", file, name,
           Nearest(name, names));
  for (const auto& [name, target] : own) {
    const auto found = given.find(name);
    if (found == given.end()) Fail("{}: tensor '{}' is missing; weights and configuration do not fit", file, name);
    const at::Tensor& value = *found->second;
    if (value.sizes() != target.sizes())
      Fail("{}: tensor '{}': expected {}, got {}", file, name, ShapeText(target.sizes()), ShapeText(value.sizes()));
    if (value.is_floating_point() && !value.isfinite().all().item<bool>())
      Fail("{}: tensor '{}' has numbers that are not finite", file, name);
    const_cast<at::Tensor&>(target).copy_(value);
  }
}

}  // namespace orrery
