// The things in a subject's films: those that they carry, or those that a reader finds in the pictures.
#pragma once
#include "eval/readers/reader.h"

namespace orrery {

struct SeenObjects {
  ObjectFilm objects;  // a list a frame; none at all where nobody can tell, `cause` says why
  std::string cause;
  std::string reader;  // its name; empty: the film carried them
  int64_t asked = 0, abstained = 0;
};

// Of frames context .. T of the scenario.
SeenObjects ObjectsIn(const Film& made, const Scenario& scenario);

// For a metric's notes: who read, how well on the true frames `truth` of the same scenario (frames context .. T), and how often it
// abstained over all films. Empty when the films carried their objects.
std::string ReadingNote(std::span<const SeenObjects> seen, const Scenario& scenario, const at::Tensor& truth);

}  // namespace orrery
