// Where the camera of a maze is, read off a film of it.
#pragma once
#include "eval/causality/frames.h"
#include "worlds/maze.h"

namespace orrery {

struct PoseFilm {
  std::vector<Pose> poses;   // a frame
  std::vector<double> psnr;  // dB: how well the picture from there matches, at most 100
};

// frames: those that follow the picture of `start`, a maze of lattice steps in the light. Among the poses that two actions or fewer lead
// to from the pose of the frame before, the one whose picture is nearest (fewer actions where two are alike). What the walls allow is
// what `start` has. Throws Error for other mazes and sizes.
PoseFilm ReadMazePoses(const Maze& start, const FrameSpan& frames);

// Error of one step: from pose a to b in truth, from c to d as read, each in the frame of where it begins.
struct StepError {
  double cells = 0, degrees = 0;
};
StepError CompareSteps(const Pose& a, const Pose& b, const Pose& c, const Pose& d);

}  // namespace orrery
