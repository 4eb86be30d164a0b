// What hangs on a plan alone, and not on who is judged, is made once a program.
#pragma once
#include <map>
#include <mutex>
#include <string>

#include "eval/suite/probe.h"

namespace orrery {

// The result of `make()` for this plan, kept for good; `what` tells things of one plan apart. Thread-safe.
template <class T, class Make>
const T& OncePerPlan(const ProbePlan& plan, const std::string& what, const Make& make) {
  static std::mutex mutex;
  static std::map<std::string, T> made;
  const std::lock_guard lock(mutex);
  const std::string key = Json::array({plan, what}).dump();
  if (const auto found = made.find(key); found != made.end()) return found->second;
  return made.emplace(key, make()).first->second;
}

}  // namespace orrery
