// What actions a world takes and a model was trained with.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/config.h"

namespace orrery {

// Discrete: `count` choices, an action is one index. Continuous: `dims` values in [low, high].
// Neither (count = dims = 0): no actions, as in a video without a table.
struct ActionSpace {
  int64_t count = 0;
  int64_t dims = 0;
  std::vector<std::string> names;  // of the choices, or of the dims; may be empty
  std::vector<float> low, high;    // dims values each; empty: unbounded

  bool Discrete() const { return count > 0; }
  int64_t Width() const { return Discrete() ? 1 : dims; }  // numbers in one action

  // Throws Error unless `action` has Width() finite numbers, in range.
  void Check(std::span<const float> action) const;
  // The action called `name`, or its index as text; throws Error that lists the names.
  int64_t Index(std::string_view name) const;

  bool operator==(const ActionSpace&) const = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ActionSpace, count, dims, names, low, high)

}  // namespace orrery
