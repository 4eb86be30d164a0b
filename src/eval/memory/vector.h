// What a subject knows at a moment, as one vector.
#pragma once
#include <ATen/core/Tensor.h>

#include "worlds/world.h"

namespace orrery {

struct SessionState;

constexpr int64_t kMemorySize = 1024, kLatentSize = 256;

// A simulator's: its true state, number after number; where there is a pose, its direction too (cosine, sine); of the maze also what lies
// around the agent (SurroundingsOf), which its numbers imply. [n] float64; empty without a true state.
at::Tensor StateVector(const World& world);

// A session's, [kMemorySize] float64 for every mechanism: the frame on screen, then all floating parts of the memory. Each of the two is
// projected at random when it is longer than kLatentSize and kMemorySize - kLatentSize numbers: every number is added to one of them with
// a sign, both by a fixed hash of its place (count sketch: Weinberger et al., arXiv 0902.2206). Parts that grow shift no other part.
at::Tensor SessionVector(const SessionState& state);

// The maze around the agent: walls of kAround x kAround cells in its own axes, one if wall, from behind on the right to ahead on the left;
// and every object's way ahead and to the left, cells.
constexpr int kAround = 5;
struct Surroundings {
  std::vector<uint8_t> walls;   // [kAround * kAround]
  std::vector<int64_t> cells;   // their index y * size + x in the maze; -1: beyond it
  std::vector<double> objects;  // [n, 2]
};
Surroundings SurroundingsOf(const std::vector<StateVariable>& maze);  // Maze::TrueState()

}  // namespace orrery
