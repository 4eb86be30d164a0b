// A number, or the reason why there is none.
#pragma once
#include <optional>
#include <string>

namespace orrery {

struct Measured {
  std::optional<double> value;
  std::string cause;  // of a missing value: one line

  static Measured Of(double value) { return {value, {}}; }
  static Measured None(std::string cause) { return {std::nullopt, std::move(cause)}; }
};

}  // namespace orrery
