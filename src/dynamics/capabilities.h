// What a trained model can be run with: an objective states it, rollouts ask for it and are refused with the reason where it is not there.
#pragma once
#include <cstdint>
#include <vector>

namespace orrery {

struct Capabilities {
  bool accepts_mixed_levels = false;  // frames of one pass may be at different levels, none cleaner than the frame before it
  bool clean_label = false;           // level 0 was seen in training: finished frames may be committed with it
  bool causal = true;                 // no frame sees a later one; false: frames made together see each other both ways
  bool few_step = false;              // four steps or fewer a frame were trained for (distilled, shortcut)
  bool step_size = false;             // the network takes the size of the step as a condition
  int64_t block = 1;                  // frames that are made together, at one level
  std::vector<double> levels = {};    // the only levels it was trained at, falling from 1, without the final 0; empty: all
};

}  // namespace orrery
