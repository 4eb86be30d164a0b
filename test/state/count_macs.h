// Multiply-accumulates of the matrix products, attention among them, that a piece of code runs.
#pragma once
#include <ATen/ATen.h>
#include <ATen/record_function.h>

#include <functional>
#include <string_view>

namespace orrery {

namespace counting {

inline thread_local double macs = 0;

inline std::unique_ptr<at::ObserverContext> Count(const at::RecordFunction& call) {
  const std::string_view name = call.name();
  const auto tensor = [&](size_t i) { return call.inputs()[i].toTensor(); };
  const auto product = [](const at::Tensor& a, const at::Tensor& b) {
    return static_cast<double>(a.numel()) * static_cast<double>(b.size(-1));
  };
  if (name == "aten::mm" || name == "aten::bmm") macs += product(tensor(0), tensor(1));
  if (name == "aten::addmm" || name == "aten::baddbmm") macs += product(tensor(1), tensor(2));
  if (name == "aten::mv") macs += static_cast<double>(tensor(0).numel());
  if (name == "aten::addmv") macs += static_cast<double>(tensor(1).numel());
  if (name == "aten::dot") macs += static_cast<double>(tensor(0).numel());
  if (name == "aten::_scaled_dot_product_flash_attention_for_cpu") macs += 2 * static_cast<double>(tensor(0).numel() * tensor(1).size(2));
  if (name == "aten::linalg_solve_triangular") macs += product(tensor(0), tensor(1)) / 2;
  return nullptr;
}

}  // namespace counting

inline double CountMacs(const std::function<void()>& run) {
  counting::macs = 0;
  const auto handle = at::addThreadLocalCallback(at::RecordFunctionCallback(&counting::Count).needsInputs(true));
  run();
  at::removeCallback(handle);
  return counting::macs;
}

}  // namespace orrery
