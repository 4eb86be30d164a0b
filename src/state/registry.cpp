#include "state/registry.h"

#include "state/implicit/window.h"

namespace orrery {

const MemoryRegistry& States() {
  static const MemoryRegistry registry(
      "state", {
                   {WindowMemory::Describe(),
                    [](const Json& p, const MemoryGeometry& g) { return std::make_shared<WindowMemory>(p["frames"].get<int64_t>(), g); }},
               });
  return registry;
}

std::shared_ptr<Memory> MakeMemory(std::string_view spec, const MemoryGeometry& geometry) { return States().Make(spec, geometry); }

}  // namespace orrery
