#include "arrays.h"

#include <ATen/Functions.h>

#include <memory>
#include <vector>

#include "core/error.h"

namespace orrery::python {

namespace py = pybind11;

template <class T>
at::Tensor View(const Array<T>& array) {
  const std::vector<int64_t> sizes(array.shape(), array.shape() + array.ndim());
  return at::from_blob(const_cast<T*>(array.data()), sizes, at::CppTypeToScalarType<T>::value);
}

template at::Tensor View(const Array<uint8_t>&);
template at::Tensor View(const Array<float>&);

py::object ToArray(const at::Tensor& tensor) {
  if (!tensor.defined()) return py::none();
  ORRERY_CHECK(tensor.scalar_type() == at::kByte || tensor.scalar_type() == at::kFloat);
  auto* owner = new at::Tensor(tensor.contiguous());
  const py::capsule capsule(owner, [](void* p) { delete static_cast<at::Tensor*>(p); });
  const std::vector<py::ssize_t> shape(owner->sizes().begin(), owner->sizes().end());
  const py::dtype type = tensor.scalar_type() == at::kByte ? py::dtype::of<uint8_t>() : py::dtype::of<float>();
  return py::array(type, shape, {}, owner->data_ptr(), capsule);
}

Array<uint8_t> CheckFrames(const py::array& frames, int dims, std::string_view name) {
  const bool bytes = frames.dtype().kind() == 'u' && frames.itemsize() == 1;
  if (!bytes || frames.ndim() != dims || frames.shape(dims - 1) != 3)
    Fail("{}: expected uint8 {}, got {} {}", name, dims == 4 ? "[T, H, W, 3]" : "[H, W, 3]", py::str(frames.dtype()).cast<std::string>(),
         py::str(frames.attr("shape")).cast<std::string>());
  return Array<uint8_t>(frames);
}

}  // namespace orrery::python
