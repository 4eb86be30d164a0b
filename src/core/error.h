// The one exception type for users, and the check for bugs.
#pragma once
#include <fmt/format.h>

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace orrery {

// Bad input. The message is one line: what was expected, what arrived, what to do.
// Programs print it and exit with code 2.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// SIGINT or SIGTERM arrived and the work stopped at a safe point. Programs exit with code 130.
class Interrupted : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

template <class... Args>
[[noreturn]] void Fail(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...));
}

// The name of `options` nearest to `name` by edit distance; empty if none is near enough to suggest.
std::string Nearest(std::string_view name, std::span<const std::string> options);

// "unknown WHAT 'NAME'; did you mean 'X'? (valid: a, b, c)"
[[noreturn]] void FailUnknown(std::string_view what, std::string_view name, std::span<const std::string> options);

namespace internal {
[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);
}

}  // namespace orrery

// An invariant of ours; a failure is a bug in Orrery, never the user's fault.
#define ORRERY_CHECK(condition) ((condition) ? void(0) : ::orrery::internal::CheckFailed(#condition, __FILE__, __LINE__))
