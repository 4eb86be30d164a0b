// Option structs <-> JSON. A struct declares its fields once:
//   struct VaeOptions { int64_t width = 64; double kl = 1e-6; };
//   NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(VaeOptions, width, kl)
#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/error.h"

// nlohmann-json 3.11.2 (Debian 12) writes these functions for its sorted kind of JSON only; ours keeps insertion order.
#undef NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT
#define NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Type, ...)                          \
  template <class J, std::enable_if_t<nlohmann::detail::is_basic_json<J>::value, int> = 0>  \
  void to_json(J& nlohmann_json_j, const Type& nlohmann_json_t) {                           \
    NLOHMANN_JSON_EXPAND(NLOHMANN_JSON_PASTE(NLOHMANN_JSON_TO, __VA_ARGS__))                \
  }                                                                                         \
  template <class J, std::enable_if_t<nlohmann::detail::is_basic_json<J>::value, int> = 0>  \
  void from_json(const J& nlohmann_json_j, Type& nlohmann_json_t) {                         \
    const Type nlohmann_json_default_obj{};                                                 \
    NLOHMANN_JSON_EXPAND(NLOHMANN_JSON_PASTE(NLOHMANN_JSON_FROM_WITH_DEFAULT, __VA_ARGS__)) \
  }

namespace orrery {

// Insertion-ordered, so that written files keep the order of the struct.
using Json = nlohmann::ordered_json;

// Parses a JSON file; a syntax error names the file and the position. Throws Error.
Json ReadJson(const std::filesystem::path& path);
void WriteJson(const std::filesystem::path& path, const Json& value);
Json ParseJson(std::string_view text, std::string_view what);

// Throws Error if `given` has a key that `defaults` lacks, or a value of another kind (number, text, bool, list).
void CheckKeys(const Json& given, const Json& defaults, std::string_view what);

// Options from JSON; missing keys keep their defaults, unknown keys list the valid ones.
template <class Options>
Options FromJson(const Json& given, std::string_view what) {
  const Json defaults = Options{};
  CheckKeys(given, defaults, what);
  Json merged = defaults;
  merged.update(given);
  try {
    return merged.get<Options>();
  } catch (const nlohmann::json::exception& e) {
    Fail("{}: {}", what, e.what());
  }
}

}  // namespace orrery
