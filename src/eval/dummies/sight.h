// What can be seen of a world at this moment, by place and by thing.
#pragma once
#include "worlds/keys.h"
#include "worlds/maze.h"
#include "worlds/occluder.h"

namespace orrery {

// A mark a place and a mark a thing; 1: in sight.
struct Sight {
  std::vector<uint8_t> places;  // cells of the maze, tiles of keys, row-major; none of occluder
  std::vector<uint8_t> things;  // objects of the maze in the order of its state, discs of occluder by id; none of keys
};

size_t KeysSide(const KeysState& state);  // tiles

// Cells that a ray of the picture crosses or ends at (the renderer's rays: two a pixel column), objects that change a
// pixel. Nothing in the dark.
Sight MazeSight(const Maze& maze);
Sight OccluderSight(const Occluder& occluder);
// Tiles of the view of who looks: a window without hidden corners.
Sight KeysSight(const Keys& keys);

// Worlds in which something can be out of sight.
enum class SightKind { kMaze, kOccluder, kKeys };
// Throws Error "dummy:WHO means nothing in ...: everything is always in sight".
SightKind RequireHidden(std::string_view who, const World& world);
Sight LookAt(SightKind kind, const World& world);

}  // namespace orrery
