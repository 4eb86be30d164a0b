// Quadruplets for tests of surprise, filmed in the world `occluder`: a disc rolls in from the side, passes behind the screen, and comes
// out.
#pragma once
#include <ATen/core/Tensor.h>

#include <array>
#include <string>
#include <vector>

#include "eval/scenario.h"

namespace orrery {

// Two possible films, alike to the bit while the disc is hidden. Film [b][e] is beginning b, then end e; where b != e, something
// impossible happens in the hidden moment, as if a hand had changed the state there.
struct SurpriseScene {
  std::string violation;
  bool brief = false;                  // which of the two lengths of the hidden moment was asked for
  int64_t disc = 0;                    // id
  std::array<Scenario, 2> beginnings;  // the context ends with the first frame of the hidden moment
  at::Tensor hidden;                   // [n, H, W, 3] uint8: the other frames of it, the same in all films
  std::array<at::Tensor, 2> ends;      // [frames, H, W, 3] uint8 after it
};

// What can go wrong: vanish (or appear), recolor, reshape, teleport (it comes out too early or too late), turn (it comes out where it went
// in); in a world with a post behind the screen only pass (through the post, seen before, off which it bounces).
std::vector<std::string> Violations(const std::string& world);

constexpr int64_t kBriefFrames = 16, kLongFrames = 34;  // hidden at most, at least

// The first seed from `first` on, of `tries`, with a disc for it. brief: hidden for at most kBriefFrames; else for at least kLongFrames
// (each disc alone; `pass` has no such choice). `frames`: after the hidden moment. Throws Error when the world is not occluder with one
// screen, or no seed will do.
SurpriseScene MakeSurpriseScene(const std::string& world, const std::string& violation, bool brief, int64_t frames, uint64_t first,
                                int64_t tries = 4000);

}  // namespace orrery
