#include "serve/page.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/file.h"

namespace orrery {

namespace {

bool PlainPath(std::string_view path) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' || c == '/';
  };
  return path.starts_with('/') && std::all_of(path.begin(), path.end(), plain) && path.find("..") == path.npos &&
         path.find("//") == path.npos;
}

}  // namespace

Page::Page(std::filesystem::path folder) : folder_(std::move(folder)) {
  if (!folder_.empty() && !std::filesystem::is_regular_file(folder_ / "index.html"))
    Fail("page: expected a folder with index.html, got {}", folder_.string());
}

std::optional<std::string> Page::Find(std::string_view path) const {
  if (path == "/") path = "/index.html";
  if (!PlainPath(path)) return std::nullopt;
  if (!folder_.empty()) {
    const std::filesystem::path file = folder_ / path.substr(1);
    if (!std::filesystem::is_regular_file(file)) return std::nullopt;
    return ReadFile(file);
  }
  const auto files = EmbeddedPage();
  const auto found = std::find_if(files.begin(), files.end(), [&](const PageFile& file) { return file.path == path; });
  if (found == files.end()) return std::nullopt;
  return std::string(found->bytes);
}

std::string_view Page::ContentType(std::string_view path) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kTypes = {{
      {".html", "text/html; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".json", "application/json"},
  }};
  for (const auto& [suffix, type] : kTypes)
    if (path.ends_with(suffix)) return type;
  return "application/octet-stream";
}

}  // namespace orrery
