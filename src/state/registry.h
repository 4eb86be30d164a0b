// Every state mechanism by name.
#pragma once
#include "core/registry.h"
#include "state/memory.h"

namespace orrery {

using MemoryRegistry = Registry<std::shared_ptr<Memory>, const MemoryGeometry&>;
const MemoryRegistry& States();

// Builds the memory of a spec: "window(16)".
std::shared_ptr<Memory> MakeMemory(std::string_view spec, const MemoryGeometry& geometry);

}  // namespace orrery
