// Weights of another project's network as those of ours: for every tensor of ours, which of theirs it is made of.
#pragma once
#include <functional>

#include "core/safetensors.h"

namespace orrery {

struct WeightRule {
  struct Source {
    std::string name;
    std::vector<int64_t> shape;
  };
  std::string name;             // of ours
  std::vector<int64_t> shape;   // of ours
  std::vector<Source> sources;  // of theirs, in the order in which `make` takes them; none: zeros
  // Undefined: the only source, in our shape. Sources are float32 and of their shapes.
  std::function<at::Tensor(const std::vector<at::Tensor>&)> make = {};
};
using WeightRules = std::vector<WeightRule>;

int64_t SourceNumbers(const WeightRules& rules);  // numbers in all sources, each counted once
int64_t Numbers(const WeightRules& rules);        // in all tensors of ours

// Throws Error that names the first tensor of `file` that is missing, unknown, no floating type or of another shape. Names for which
// `passed_over` is true need not be known. `hint` ends the message: what to check.
void CheckSources(const TensorFile& file, const WeightRules& rules, const std::function<bool(const std::string&)>& passed_over,
                  std::string_view where, std::string_view hint);

// One tensor of ours, float32. Throws Error when a source has numbers that are not finite.
at::Tensor MakeWeight(const TensorFile& file, const WeightRule& rule, std::string_view where);

// rows [h d, ...] of a projection to heads of width d, whose rotary pairs are neighbours (2i, 2i + 1) -> pairs (i, i + d / 2), as ours.
at::Tensor PairsToHalves(const at::Tensor& rows, int64_t head_dim);

}  // namespace orrery
