#include <pybind11/stl/filesystem.h>

#include "arrays.h"
#include "data/video.h"

namespace orrery::python {

namespace py = pybind11;

void BindVideo(py::module_& module) {
  py::class_<VideoWriter>(module, "VideoWriter")
      .def(py::init([](const std::filesystem::path& path, int64_t height, int64_t width, double fps, double quality) {
        return std::make_unique<VideoWriter>(path, height, width, VideoWriteOptions{.fps = fps, .quality = quality});
      }))
      .def("add",
           [](VideoWriter& self, const py::array& frame) {
             const Array<uint8_t> pixels = CheckFrames(frame, 3, "frame");
             const at::Tensor tensor = View(pixels);
             const py::gil_scoped_release release;
             self.Add(tensor);
           })
      .def("finish", &VideoWriter::Finish, py::call_guard<py::gil_scoped_release>());
  module.def("write_png", [](const std::filesystem::path& path, const py::array& image) {
    const Array<uint8_t> pixels = CheckFrames(image, 3, "image");
    WritePng(path, View(pixels));
  });
}

}  // namespace orrery::python
