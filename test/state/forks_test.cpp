// What a thousand forks of a state cost, in pages that the process holds.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

#include <fstream>

#include "state/registry.h"

namespace orrery {
namespace {

double ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  int64_t all = 0, resident = 0;
  statm >> all >> resident;
  return static_cast<double>(resident * sysconf(_SC_PAGESIZE));
}

class Forks : public testing::TestWithParam<std::string> {};

TEST_P(Forks, OfAConstantStateAreNearlyFree) {
  const MemoryGeometry geometry{.layers = 12, .heads = 8, .head_dim = 64, .rows = 4, .columns = 4};
  const at::NoGradGuard guard;
  const auto memory = MakeMemory(GetParam(), geometry);
  const auto commit = [&](Parts& state, int64_t t) {
    const at::Tensor x = at::randn({1, geometry.Tokens(), geometry.Dim()});
    memory->Commit(state, {{t, {}, {}}, {}}, {{t, {}, {}}, {}, std::vector<LayerActivation>(12, {{}, {}, x})});
  };
  Parts state = memory->Reset(1, at::kCPU, at::kFloat, 0);
  commit(state, 0);
  commit(state, 1);
  malloc_trim(0);  // what earlier tests left would hide what is taken now
  const double bytes = static_cast<double>(state.Bytes()), before = ResidentBytes();
  ASSERT_GT(bytes, 1e6);
  std::vector<Parts> forks;
  for (int i = 0; i < 1000; ++i) forks.push_back(state.Fork());
  commit(forks[500], 2);  // one of them goes on and needs a state of its own
  EXPECT_NE(forks[500].Difference(state), "");
  EXPECT_EQ(forks[501].Difference(state), "");
  const double grown = ResidentBytes() - before;
  EXPECT_LT(grown, 2 * bytes + 1000 * 64 * 1024);
  // The count sees memory: copies of the state would be many times as much.
  for (int i = 0; i < 40; ++i) forks[static_cast<size_t>(i)] = state.Clone();
  EXPECT_GT(ResidentBytes() - before - grown, 30 * bytes);
}

std::vector<std::string> ExplicitStates() {
  std::vector<std::string> specs;
  for (const std::string& name : States().Names())
    if (name == "ssm" || name == "delta" || name == "ttt") specs.push_back(name + "(heads=8, dim=64, every=1)");
  return specs;
}
INSTANTIATE_TEST_SUITE_P(Explicit, Forks, testing::ValuesIn(ExplicitStates()),
                         [](const auto& info) { return info.param.substr(0, info.param.find('(')); });

}  // namespace
}  // namespace orrery
