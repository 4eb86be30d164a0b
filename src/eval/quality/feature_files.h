// models/features, inside the program.
#pragma once
#include <string_view>
#include <vector>

namespace orrery {

struct FeatureFile {
  const char* name;  // of the net
  std::string_view bytes;
};
const std::vector<FeatureFile>& FeatureFiles();
std::string_view FeatureGates();  // gates.json

}  // namespace orrery
