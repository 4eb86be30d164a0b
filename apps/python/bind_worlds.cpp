#include <pybind11/stl.h>

#include "arrays.h"
#include "worlds/registry.h"

namespace orrery::python {

namespace py = pybind11;

namespace {

py::array_t<uint8_t> Render(const World& world) {
  py::array_t<uint8_t> frame({world.Facts().height, world.Facts().width, int64_t{3}});
  world.Render({frame.mutable_data(), static_cast<size_t>(frame.size())});
  return frame;
}

py::dict TrueState(const World& world) {
  py::dict state;
  for (const StateVariable& variable : world.TrueState())
    state[py::str(variable.name)] = py::array_t<double>(variable.shape, variable.values.data());
  return state;
}

py::list Events(const World& world) {
  py::list events;
  for (const WorldEvent& event : world.Events()) events.append(py::make_tuple(event.kind, event.subject, event.object));
  return events;
}

py::object TruePose(const World& world) {
  const std::optional<Pose> pose = world.TruePose();
  if (!pose) return py::none();
  return py::make_tuple(pose->x, pose->y, pose->angle);
}

std::string FactsText(const World& world) {
  const WorldFacts& facts = world.Facts();
  return Json{{"spec", facts.spec}, {"height", facts.height},   {"width", facts.width},
              {"fps", facts.fps},   {"actions", facts.actions}, {"has_pose", facts.has_pose}}
      .dump();
}

}  // namespace

void BindWorlds(py::module_& module) {
  py::class_<World>(module, "World")
      .def(py::init([](const std::string& spec) { return MakeWorld(spec); }))
      .def("facts", &FactsText)
      .def("reset", &World::Reset)
      .def("step", [](World& self, const std::vector<float>& action) { self.Step(action); })
      .def("render", &Render)
      .def("state", &TrueState)
      .def("pose", &TruePose)
      .def("events", &Events)
      .def("snapshot", [](const World& self) { return py::bytes(self.Snapshot()); })
      .def("restore", [](World& self, const std::string& bytes) { self.Restore(bytes); });
  module.def("world_names", [] { return Worlds().Names(); });
}

}  // namespace orrery::python
