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

// The intervention that means nothing: one of three looks of `what`.
inline Facts TintFacts(std::string_view what) {
  return {"tint", fmt::format("another {}, which means nothing", what), "own", {{"tint", 1, "0..2"}}};
}

// The look that such an intervention asks for.
inline uint8_t TintFrom(std::string_view world, const Json& params) {
  const int64_t tint = params["tint"];
  RequireRange<int64_t>(fmt::format("{}: tint", world), "tint", tint, 0, 2);
  return static_cast<uint8_t>(tint);
}

}  // namespace orrery
