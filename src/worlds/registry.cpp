#include "worlds/registry.h"

#include "worlds/billiards.h"
#include "worlds/dominoes.h"
#include "worlds/growth.h"
#include "worlds/keys.h"
#include "worlds/maze.h"
#include "worlds/occluder.h"
#include "worlds/pendulum.h"
#include "worlds/stack.h"

namespace orrery {

namespace {

template <class W, class Options>
Registry<std::unique_ptr<World>>::Entry Entry() {
  return {W::Describe(), [](const Json& params) { return std::make_unique<W>(params.get<Options>()); }};
}

}  // namespace

const Registry<std::unique_ptr<World>>& Worlds() {
  static const Registry<std::unique_ptr<World>> worlds(
      "world", {Entry<Maze, MazeOptions>(), Entry<Billiards, BilliardsOptions>(), Entry<Occluder, OccluderOptions>(),
                Entry<Stack, StackOptions>(), Entry<Pendulum, PendulumOptions>(), Entry<Dominoes, DominoesOptions>(),
                Entry<Keys, KeysOptions>(), Entry<Pair, PairOptions>(), Entry<Growth, GrowthOptions>()});
  return worlds;
}

std::unique_ptr<World> MakeWorld(std::string_view spec) { return Worlds().Make(spec); }

}  // namespace orrery
