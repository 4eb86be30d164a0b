#include "eval/causality/maze_pose.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "eval/pixels.h"

namespace orrery {

namespace {

bool SamePose(const MazeState& a, const MazeState& b) { return a.x == b.x && a.y == b.y && a.heading == b.heading; }

// Where up to two actions lead, those of fewer actions first.
std::vector<MazeState> Reachable(Maze& maze, const MazeState& from) {
  std::vector<MazeState> states = {from};
  size_t begin = 0;
  for (int depth = 0; depth < 2; ++depth) {
    const size_t end = states.size();
    for (size_t i = begin; i < end; ++i)
      for (int64_t action = 0; action < maze.Facts().actions.count; ++action) {
        maze.SetState(states[i]);
        maze.Step(std::vector<float>{static_cast<float>(action)});
        const MazeState& next = maze.State();
        if (std::none_of(states.begin(), states.end(), [&](const MazeState& s) { return SamePose(s, next); })) states.push_back(next);
      }
    begin = end;
  }
  return states;
}

double Wrapped(double angle) { return angle - 2 * std::numbers::pi * std::round(angle / (2 * std::numbers::pi)); }

}  // namespace

PoseFilm ReadMazePoses(const Maze& start, const FrameSpan& frames) {
  const WorldFacts& facts = start.Facts();
  if (!facts.actions.Discrete()) Fail("maze poses: lattice steps expected, got {}", facts.spec);
  if (start.State().dark) Fail("maze poses: the light is off");
  if (frames.height != facts.height || frames.width != facts.width)
    Fail("maze poses: frames of {} x {} expected, got {} x {}", facts.height, facts.width, frames.height, frames.width);
  Maze maze = start;
  MazeState at = start.State();
  std::vector<uint8_t> rgb(static_cast<size_t>(3 * frames.Pixels()));
  PoseFilm film;
  for (int64_t t = 0; t < frames.frames; ++t) {
    double least = 2;
    MazeState best = at;
    for (const MazeState& state : Reachable(maze, at)) {
      maze.SetState(state);
      maze.Render(rgb);
      const double error = ByteMse(rgb, frames.At(t));
      if (error < least) {
        least = error;
        best = state;
      }
    }
    at = best;
    maze.SetState(at);
    film.poses.push_back(*maze.TruePose());
    film.psnr.push_back(Psnr(least));
  }
  return film;
}

StepError CompareSteps(const Pose& a, const Pose& b, const Pose& c, const Pose& d) {
  const auto step = [](const Pose& from, const Pose& to) {
    const double dx = to.x - from.x, dy = to.y - from.y, s = std::sin(from.angle), k = std::cos(from.angle);
    return Pose{k * dx + s * dy, k * dy - s * dx, to.angle - from.angle};
  };
  const Pose truth = step(a, b), read = step(c, d);
  return {std::hypot(read.x - truth.x, read.y - truth.y), std::abs(Wrapped(read.angle - truth.angle)) * 180 / std::numbers::pi};
}

}  // namespace orrery
