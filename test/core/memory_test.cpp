#include "core/memory.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <vector>

namespace orrery {
namespace {

int64_t PageFaults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

TEST(TuneMalloc, FreedMemoryIsTakenAgainWithoutPageFaults) {
  TuneMalloc();
  const auto fill = [] { return std::vector<char>(100 << 20, 1).back(); };
  int sum = fill();
  const int64_t before = PageFaults();
  for (int i = 0; i < 4; ++i) sum += fill();
  EXPECT_EQ(sum, 5);
  EXPECT_LT(PageFaults() - before, 1000);  // 25,600 pages each time otherwise
}

}  // namespace
}  // namespace orrery
