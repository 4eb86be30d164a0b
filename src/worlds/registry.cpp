#include "worlds/registry.h"

#include "worlds/billiards.h"
#include "worlds/maze.h"

namespace orrery {

namespace {

template <class W, class Options>
Registry<std::unique_ptr<World>>::Entry Entry() {
  return {W::Describe(), [](const Json& params) { return std::make_unique<W>(params.get<Options>()); }};
}

}  // namespace

const Registry<std::unique_ptr<World>>& Worlds() {
  static const Registry<std::unique_ptr<World>> worlds("world", {Entry<Maze, MazeOptions>(), Entry<Billiards, BilliardsOptions>()});
  return worlds;
}

std::unique_ptr<World> MakeWorld(std::string_view spec) { return Worlds().Make(spec); }

}  // namespace orrery
