// A walker on the lattice of a maze who writes down the actions that it takes and never touches a wall.
#pragma once
#include <optional>

#include "worlds/maze.h"
#include "worlds/trajectory.h"

namespace orrery {

// Cells that follow each other: each a neighbour of the one before. A closed way ends where it begins.
using CellWay = std::vector<int32_t>;

// A copyable plan in progress; the maze must outlive it.
class MazeWalker {
 public:
  // x, y in Maze::kLatticeUnit, heading in steps of 15 degrees, 0..23.
  struct LatticePose {
    int32_t x = 0, y = 0, heading = 0;
    bool operator==(const LatticePose&) const = default;
  };
  struct Deed {
    int turn = 0;       // -1 right, 1 left; comes first
    bool step = false;  // forward
  };

  // Throws Error unless the maze has lattice steps and the agent stands in the middle of a cell, along an axis, as after Reset.
  MazeWalker(const Maze& maze, std::string_view trajectory);

  const LatticePose& At() const { return at_; }
  int32_t Cell() const;
  // `both`: the way back, after half a turn, must be free too.
  bool CanStep(int turn, bool both = false) const;
  void Do(const Deed& deed);  // which must be possible
  void Turn(int steps);       // positive to the left
  void Rest(int64_t frames);
  void Face(int32_t heading);     // by the shorter way, half a turn to the left
  void Walk(const CellWay& way);  // from Cell() = way.front(), through the middles of cells
  void WalkTo(int32_t cell, Rng& rng);
  void TakeBack(std::span<const Deed> deeds);  // what was just done, ends in the pose before it

  const ActionList& Actions() const { return actions_; }
  const std::vector<LatticePose>& Poses() const { return poses_; }  // one more than actions

  // A shortest way, both ends included; none when there is no way. `blocked` cells count as walls.
  std::optional<CellWay> ShortestWay(int32_t from, int32_t to, const CellWay& blocked, Rng& rng) const;
  std::vector<int32_t> Neighbours(int32_t cell) const;  // free ones
  std::vector<int32_t> Distances() const;               // steps from here to each cell, -1: none
  const MazeMap& Map() const { return maze_->State().map; }

 private:
  const Maze* maze_;
  LatticePose at_;
  ActionList actions_;
  std::vector<LatticePose> poses_;
};

}  // namespace orrery
