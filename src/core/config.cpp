#include "core/config.h"

#include "core/file.h"

namespace orrery {

namespace {

std::string KindOf(const Json& value) {
  if (value.is_number()) return "number";
  return value.type_name();
}

}  // namespace

Json ParseJson(std::string_view text, std::string_view what) {
  try {
    return Json::parse(text);
  } catch (const nlohmann::json::parse_error& e) {
    Fail("{}: not valid JSON at byte {}", what, e.byte);
  }
}

Json ReadJson(const std::filesystem::path& path) { return ParseJson(ReadFile(path), path.string()); }

void WriteJson(const std::filesystem::path& path, const Json& value) { WriteFileAtomic(path, value.dump(2) + "\n"); }

void CheckKeys(const Json& given, const Json& defaults, std::string_view what) {
  if (!given.is_object()) Fail("{}: expected a JSON object, got {}", what, given.type_name());
  for (const auto& [key, value] : given.items()) {
    if (!defaults.contains(key)) {
      std::vector<std::string> valid;
      for (const auto& [name, unused] : defaults.items()) valid.push_back(name);
      FailUnknown(fmt::format("key of {}", what), key, valid);
    }
    const std::string expected = KindOf(defaults[key]);
    if (KindOf(value) != expected) Fail("{}: '{}' must be a {}, got {} ({})", what, key, expected, KindOf(value), value.dump());
  }
}

}  // namespace orrery
