// The files of the play page: compiled into the program, or read from a folder while developing.
#pragma once
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace orrery {

struct PageFile {
  std::string_view path;  // "/main.js"
  std::string_view bytes;
};

// Generated from apps/serve/page at build time, sorted by path.
std::span<const PageFile> EmbeddedPage();

class Page {
 public:
  // `folder` empty: the embedded files. Throws Error when it has no index.html.
  explicit Page(std::filesystem::path folder);

  // The bytes at an URL path; "/" is "/index.html". Nothing outside the folder is ever found.
  std::optional<std::string> Find(std::string_view path) const;

  // By the suffix: "text/javascript; charset=utf-8".
  static std::string_view ContentType(std::string_view path);

 private:
  std::filesystem::path folder_;
};

}  // namespace orrery
