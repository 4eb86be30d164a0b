#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include "arrays.h"
#include "data/dataset.h"
#include "data/dataset_writer.h"

namespace orrery::python {

namespace py = pybind11;

namespace {

using TwinTuple = std::tuple<int64_t, int64_t, int64_t>;  // of, begin, at

std::optional<TwinTuple> ToTuple(const std::optional<TwinMark>& twin) {
  if (!twin) return std::nullopt;
  return TwinTuple{twin->of, twin->begin, twin->at};
}

py::tuple ReadRows(const Dataset& dataset, int64_t episode, int64_t begin, int64_t count) {
  Episode rows;
  {
    const py::gil_scoped_release release;
    rows = dataset.Read(episode, begin, count);
  }
  return py::make_tuple(ToArray(rows.frames), ToArray(rows.actions), ToArray(rows.pose), rows.seed, ToTuple(rows.twin));
}

void AddEpisode(DatasetWriter& writer, const py::array& frames, const std::optional<Array<float>>& actions,
                const std::optional<Array<float>>& pose, uint64_t seed, const std::optional<TwinTuple>& twin) {
  const Array<uint8_t> pixels = CheckFrames(frames, 4, "frames");
  Episode episode;
  episode.frames = View(pixels);
  if (actions) episode.actions = View(*actions);
  if (pose) episode.pose = View(*pose);
  episode.seed = seed;
  if (twin) episode.twin = TwinMark{std::get<0>(*twin), std::get<1>(*twin), std::get<2>(*twin)};
  const py::gil_scoped_release release;
  writer.Add(episode);
}

}  // namespace

// Facts cross as JSON text.
void BindData(py::module_& module) {
  py::class_<Dataset>(module, "Dataset")
      .def(py::init<const std::filesystem::path&>(), py::call_guard<py::gil_scoped_release>())
      .def("facts", [](const Dataset& self) { return Json(self.Facts()).dump(); })
      .def("episodes", &Dataset::Episodes)
      .def("frames", &Dataset::Frames)
      .def("total_frames", &Dataset::TotalFrames)
      .def("read", &ReadRows);

  py::class_<DatasetWriter>(module, "DatasetWriter")
      .def(py::init([](const std::filesystem::path& folder, const std::string& facts, bool overwrite) {
        return std::make_unique<DatasetWriter>(folder, FromJson<DatasetFacts>(ParseJson(facts, "facts"), "facts"),
                                               DatasetWriterOptions{.overwrite = overwrite});
      }))
      .def("add", &AddEpisode)
      .def("episodes", &DatasetWriter::Episodes)
      .def("finish", &DatasetWriter::Finish, py::call_guard<py::gil_scoped_release>());
}

}  // namespace orrery::python
