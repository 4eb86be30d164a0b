// Between tensors and numpy arrays, sharing memory.
#pragma once
#include <ATen/core/Tensor.h>
#include <pybind11/numpy.h>

#include <string_view>

namespace orrery::python {

// C-contiguous arrays; numpy converts other layouts and number types on the way in.
template <class T>
using Array = pybind11::array_t<T, pybind11::array::c_style | pybind11::array::forcecast>;

// A tensor over the array's memory, valid while the array lives. T: uint8_t or float.
template <class T>
at::Tensor View(const Array<T>& array);

// An array that owns the CPU tensor; None for an undefined one. uint8 and float32 only.
pybind11::object ToArray(const at::Tensor& tensor);

// Frames as given from Python. Throws Error unless `frames` is uint8 with `dims` axes, the last of size 3.
Array<uint8_t> CheckFrames(const pybind11::array& frames, int dims, std::string_view name);

// Each adds its part to the module.
void BindData(pybind11::module_& module);
void BindVideo(pybind11::module_& module);
void BindWorlds(pybind11::module_& module);

}  // namespace orrery::python
