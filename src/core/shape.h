// Shape checks that print what was expected and what arrived.
#pragma once
#include <ATen/core/Tensor.h>

#include <initializer_list>
#include <string>
#include <string_view>

namespace orrery {

constexpr int64_t kAny = -1;

// Throws Error "NAME: expected [2, any, 3], got [2, 5, 4]" unless the sizes match; kAny matches every size.
void CheckShape(const at::Tensor& tensor, std::initializer_list<int64_t> expected, std::string_view name);
void CheckDtype(const at::Tensor& tensor, at::ScalarType expected, std::string_view name);

std::string ShapeText(at::IntArrayRef sizes);

}  // namespace orrery
