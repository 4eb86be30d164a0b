// The message of an Error, for expectations.
#pragma once
#include <functional>
#include <string>

#include "core/error.h"

namespace orrery {

// "no error" when `f` throws none.
inline std::string ErrorOf(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace orrery
