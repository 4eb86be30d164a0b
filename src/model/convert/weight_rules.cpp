#include "model/convert/weight_rules.h"

#include <ATen/ATen.h>

#include <map>
#include <numeric>

#include "core/error.h"
#include "core/shape.h"

namespace orrery {

namespace {

int64_t Product(const std::vector<int64_t>& shape) { return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>()); }

// Name -> shape of every source.
std::map<std::string, std::vector<int64_t>> Sources(const WeightRules& rules) {
  std::map<std::string, std::vector<int64_t>> sources;
  for (const WeightRule& rule : rules)
    for (const WeightRule::Source& source : rule.sources) sources[source.name] = source.shape;
  return sources;
}

}  // namespace

int64_t SourceNumbers(const WeightRules& rules) {
  int64_t count = 0;
  for (const auto& [name, shape] : Sources(rules)) count += Product(shape);
  return count;
}

int64_t Numbers(const WeightRules& rules) {
  int64_t count = 0;
  for (const WeightRule& rule : rules) count += Product(rule.shape);
  return count;
}

void CheckSources(const TensorFile& file, const WeightRules& rules, const std::function<bool(const std::string&)>& passed_over,
                  std::string_view where, std::string_view hint) {
  const auto sources = Sources(rules);
  std::vector<std::string> names;
  for (const auto& [name, shape] : sources) names.push_back(name);
  for (const auto& [name, tensor] : file.tensors) {
    const auto found = sources.find(name);
    if (found == sources.end()) {
      if (passed_over(name)) continue;
      Fail("{}: tensor '{}' has no place in this network (nearest: '{}'); {}", where, name, Nearest(name, names), hint);
    }
    if (!tensor.is_floating_point())
      Fail("{}: tensor '{}': floating numbers expected, got {}; {}", where, name, at::toString(tensor.scalar_type()), hint);
    if (tensor.sizes() != found->second)
      Fail("{}: tensor '{}': expected {}, got {}; {}", where, name, ShapeText(found->second), ShapeText(tensor.sizes()), hint);
  }
  std::map<std::string_view, bool> present;
  for (const auto& [name, tensor] : file.tensors) present[name] = true;
  for (const auto& [name, shape] : sources)
    if (!present.contains(name)) Fail("{}: tensor '{}' {} is missing; {}", where, name, ShapeText(shape), hint);
}

at::Tensor MakeWeight(const TensorFile& file, const WeightRule& rule, std::string_view where) {
  std::vector<at::Tensor> sources;
  for (const WeightRule::Source& source : rule.sources) {
    const at::Tensor tensor = file.At(source.name, where).to(at::kFloat);
    if (!tensor.isfinite().all().item<bool>()) Fail("{}: tensor '{}' has numbers that are not finite", where, source.name);
    sources.push_back(tensor);
  }
  const at::Tensor made = rule.make ? rule.make(sources) : sources.empty() ? at::zeros(rule.shape) : sources[0].reshape(rule.shape);
  ORRERY_CHECK(made.sizes() == rule.shape && made.scalar_type() == at::kFloat);
  return made;
}

at::Tensor PairsToHalves(const at::Tensor& rows, int64_t head_dim) {
  std::vector<int64_t> split{-1, head_dim / 2, 2};
  for (int64_t i = 1; i < rows.dim(); ++i) split.push_back(rows.size(i));
  return rows.reshape(split).transpose(1, 2).reshape(rows.sizes());
}

}  // namespace orrery
