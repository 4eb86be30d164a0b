// What kind of memory a state spec is, as its own mechanisms declare it (state/registry.h).
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace orrery {

struct Mechanism {
  // Of the table of arXiv 2601.17067: "sliding window", "full attention", "static compression", "dynamic compression", "external
  // retrieval", "internal retrieval", "consolidation", "hidden variable", "parametric", "semantic", "geometry"; "hybrid" of several beside
  // a window; "none" without a spec (a simulator); "unknown" when this version has no such mechanism.
  std::string kind = "none";
  bool implicit = false, explicit_state = false;  // neither: a hybrid of both, none, unknown
  bool bounded = true;                            // the state stops growing
  int64_t window = 0;                             // newest frames that are held whole; < 0: all
  int64_t reach = 0;                              // frames that an output may depend on within a clip; < 0: all
  std::vector<std::string> parts;                 // names: "window", "ssm"

  bool Has(const std::string& part) const;
};

// Never throws: what cannot be built is "unknown".
Mechanism DescribeState(const std::string& spec);

}  // namespace orrery
