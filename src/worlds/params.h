// Checks and descriptions of the parameters of a world.
#pragma once
#include <initializer_list>
#include <string_view>
#include <utility>

#include "core/spec.h"

namespace orrery {

// Throws Error unless low <= value <= high.
template <class T>
void RequireRange(std::string_view world, std::string_view param, T value, T low, T high) {
  if (!(value >= low && value <= high)) Fail("{}: '{}' must lie in [{}, {}], got {}", world, param, low, high, value);
}

// Names and defaults from an option struct's JSON, in its order, with a sentence on each.
inline std::vector<Param> DescribeParams(const Json& defaults, std::initializer_list<std::pair<std::string_view, std::string_view>> docs) {
  std::vector<Param> params;
  ORRERY_CHECK(docs.size() == defaults.size());
  for (const auto& [name, doc] : docs) params.push_back({std::string(name), defaults.at(std::string(name)), std::string(doc)});
  return params;
}

}  // namespace orrery
