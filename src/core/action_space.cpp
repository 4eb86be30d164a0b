#include "core/action_space.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace orrery {

void ActionSpace::Check(std::span<const float> action) const {
  if (static_cast<int64_t>(action.size()) != Width()) Fail("action: expected {} numbers, got {}", Width(), action.size());
  for (size_t i = 0; i < action.size(); ++i) {
    const float a = action[i];
    if (!std::isfinite(a)) Fail("action: number {} is not finite", i);
    if (Discrete() && (a != std::floor(a) || a < 0 || a >= static_cast<float>(count)))
      Fail("action: expected an index in 0..{}, got {}", count - 1, a);
    if (!Discrete() && i < low.size() && (a < low[i] || a > high[i]))
      Fail("action: number {} must lie in [{}, {}], got {}", i, low[i], high[i], a);
  }
}

int64_t ActionSpace::Index(std::string_view name) const {
  int64_t index = -1;
  const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), index);
  if (failed == std::errc() && end == name.data() + name.size() && index >= 0 && index < count) return index;
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) FailUnknown("action", name, names);
  return found - names.begin();
}

}  // namespace orrery
