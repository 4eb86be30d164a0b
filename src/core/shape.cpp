#include "core/shape.h"

#include "core/error.h"

namespace orrery {

std::string ShapeText(at::IntArrayRef sizes) {
  std::string text = "[";
  for (size_t i = 0; i < sizes.size(); ++i) text += fmt::format("{}{}", i ? ", " : "", sizes[i] == kAny ? "any" : std::to_string(sizes[i]));
  return text + "]";
}

void CheckShape(const at::Tensor& tensor, std::initializer_list<int64_t> expected, std::string_view name) {
  const at::IntArrayRef wanted(expected.begin(), expected.size());
  if (!tensor.defined()) Fail("{}: expected {}, got no tensor", name, ShapeText(wanted));
  bool fits = tensor.dim() == static_cast<int64_t>(wanted.size());
  for (size_t i = 0; fits && i < wanted.size(); ++i) fits = wanted[i] == kAny || wanted[i] == tensor.size(i);
  if (!fits) Fail("{}: expected {}, got {}", name, ShapeText(wanted), ShapeText(tensor.sizes()));
}

void CheckDtype(const at::Tensor& tensor, at::ScalarType expected, std::string_view name) {
  if (tensor.scalar_type() != expected) Fail("{}: expected {}, got {}", name, at::toString(expected), at::toString(tensor.scalar_type()));
}

}  // namespace orrery
