// Every state, small enough that eviction, merging and retrieval happen within a few frames; and sums of them. One line an entry.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "state/registry.h"

namespace orrery {

inline std::string SmallSpec(const std::string& name) {
  static const std::map<std::string, std::string> specs{
      {"window", "window(4)"},
      {"moba", "moba(k=2, anchor=true)"},
      {"radial", "radial(sink=true)"},
      {"anchor", "anchor(heads=2, dim=8, pool=1)"},
      {"far", "far(pool=2)"},
      {"linear", "linear(heads=2, dim=8, every=1)"},
      {"lstm", "lstm(heads=2, dim=8, every=1)"},
      {"ssm", "ssm(heads=2, dim=8, state=8, blocks=2, every=1)"},
      {"delta", "delta(heads=2, dim=8, every=1)"},
      {"ttt", "ttt(heads=2, dim=8, every=1)"},
      {"titans", "titans(heads=2, dim=8, every=1)"},
      {"framepack", "framepack(groups=\"1x1x1,2x1x2,2x2x2\", tail=true)"},
      {"tome", "tome(frames=2, every=1)"},
      {"retrieval.pose", "retrieval.pose(k=2, range=4)"},
      {"retrieval.key", "retrieval.key(k=2, dim=8)"},
      {"geometry.map", "geometry.map(size=24, cell=0.5, features=4, bins=4)"},
      {"geometry.points", "geometry.points(points=64, bins=4, range=4)"},
  };
  const auto found = specs.find(name);
  return found == specs.end() ? name + "()" : found->second;
}

// Sums that a user would write; of five kinds of partners.
inline const std::vector<std::string>& SmallHybrids() {
  static const std::vector<std::string> hybrids{"window(2) + moba(k=2, anchor=false)",
                                                "window(2) + radial()",
                                                "window(2) + far(pool=2) + anchor(dim=8)",
                                                "window(2) + ssm(heads=2, dim=8, state=4, every=1)",
                                                "window(2) + ttt(model=mlp, heads=2, dim=8, every=1)",
                                                "window(2) + titans(heads=2, dim=8, momentum=false, every=1)",
                                                "window(2) + delta(heads=2, dim=8, order=mean, every=1) + retrieval.pose(k=1, range=4)",
                                                "window(2) + framepack(groups=\"2x1x2\", tail=true)",
                                                "window(2) + tome(frames=2, first=false, every=2)",
                                                "window(2) + retrieval.pose(k=2, range=4)",
                                                "window(2) + retrieval.key(k=2, keys=feature)",
                                                "window(2) + geometry.map(size=16, features=4, bins=3, keep=1)",
                                                "window(2) + geometry.points(points=48, features=5, bins=4, range=4)"};
  return hybrids;
}

// Registered names and hybrids.
inline std::vector<std::string> AllSmallSpecs() {
  std::vector<std::string> specs;
  for (const std::string& name : States().Names()) specs.push_back(SmallSpec(name));
  specs.insert(specs.end(), SmallHybrids().begin(), SmallHybrids().end());
  return specs;
}

// A spec as the name of a test.
inline std::string TestName(const std::string& spec) {
  std::string name;
  for (const char c : spec) name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

}  // namespace orrery
