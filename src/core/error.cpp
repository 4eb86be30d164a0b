#include "core/error.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace orrery {

namespace {

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string Nearest(std::string_view name, std::span<const std::string> options) {
  std::string best;
  size_t best_distance = std::max<size_t>(2, name.size() / 3) + 1;
  for (const std::string& option : options) {
    const size_t distance = EditDistance(name, option);
    if (distance < best_distance) {
      best_distance = distance;
      best = option;
    }
  }
  return best;
}

void FailUnknown(std::string_view what, std::string_view name, std::span<const std::string> options) {
  std::string valid;
  for (const std::string& option : options) valid += (valid.empty() ? "" : ", ") + option;
  const std::string nearest = Nearest(name, options);
  const std::string hint = nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest);
  Fail("unknown {} '{}'{} (valid: {})", what, name, hint, valid.empty() ? "none" : valid);
}

void internal::CheckFailed(const char* condition, const char* file, int line) {
  throw std::logic_error(fmt::format("bug: {} failed at {}:{}", condition, file, line));
}

}  // namespace orrery
