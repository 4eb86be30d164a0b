// A way through a maze, as a film of it shows it, against the shortest (VR-Bench, arXiv 2511.15065).
#pragma once
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "eval/causality/frames.h"
#include "worlds/canvas.h"

namespace orrery {

struct WayScore {
  double progress = 0;              // share of the true way, from its beginning, that was kept to
  bool reached = false;             // some point lies in the goal
  bool arrived = false;             // the last one does
  std::optional<double> deviation;  // length / true length - 1, where the goal was reached and the way is no shorter
  bool exact = false;               // reached, progress >= 0.98, deviation <= 0.1
};

// Points in shares of the picture's width and height. Both ways are taken at 1000 places, equally far apart along the true way; they
// part where they are more than 0.01 apart. The goal is the box of `half` around its middle. A way without points has reached nothing.
// Throws Error when the true way has no length.
WayScore ScoreWay(std::span<const Point> made, std::span<const Point> truth, Point goal, double half);

// 1 - the mean share of pixels with mask 0 that differ from `first` by more than 5 grey levels (0.299 R + 0.587 G + 0.114 B), in every
// fifth frame, the first one included. `masks` are a frame's moving things, one mask a frame of the film. Nothing without such pixels.
std::optional<double> MapFidelity(std::span<const uint8_t> first, const FrameSpan& film, const Masks& masks);

struct Cell {
  int32_t x = 0, y = 0;
  bool operator==(const Cell&) const = default;
};

// What moves from tile to tile did wrong, which a score of the way alone does not see.
struct MoveCheck {
  int64_t moves = 0, violations = 0;
  double redundancy = 0;  // 1 - different cells / cells entered; the first one counts as entered
};

// cells[t]: where somebody was at frame t. A move leads along a row or column; it is a violation when `enters(t, cell)` says that a cell on
// it could not be entered between frames t and t + 1, or when it passes over a cell that does not let one slide (`slides(cell)`).
MoveCheck CheckMoves(std::span<const Cell> cells, const std::function<bool(size_t t, Cell cell)>& enters,
                     const std::function<bool(Cell cell)>& slides);

}  // namespace orrery
