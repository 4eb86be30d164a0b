// The extension orrery._core: what Python needs of the engine. The package orrery wraps it; its contracts are there.
#include <pybind11/pybind11.h>

#include "arrays.h"
#include "core/error.h"
#include "core/progress.h"

namespace py = pybind11;

namespace orrery::python {

namespace {

void BindErrors(py::module_& module) {
  static py::object error = py::module_::import("orrery.errors").attr("Error");
  py::register_local_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const Error& e) {
      PyErr_SetString(error.ptr(), e.what());
    } catch (const Interrupted&) {
      PyErr_SetNone(PyExc_KeyboardInterrupt);
    }
  });
}

void BindProgress(py::module_& module) {
  py::class_<Progress>(module, "Progress")
      .def(py::init<std::string, int64_t, std::string>(), py::arg("title"), py::arg("total"), py::arg("unit"))
      .def("update", &Progress::Update, py::arg("done"), py::arg("note") = "")
      .def("finish", &Progress::Finish, py::arg("note") = "");
}

}  // namespace

}  // namespace orrery::python

PYBIND11_MODULE(_core, module) {
  using namespace orrery::python;
  BindErrors(module);
  BindProgress(module);
  BindData(module);
  BindVideo(module);
  BindWorlds(module);
}
