// Kernel distance between sets of films. Frames of one film are no independent items, so a film is one item, a bag of rows: the kernel
// of two films is the mean over pairs of their rows. Of one row a film this is PolynomialMmd.
#pragma once
#include "eval/quality/feature_sets.h"

namespace orrery {

struct FilmKernels {
  at::Tensor aa, bb, ab;  // [n, n], [m, m], [n, m] fp64
};
// Films in the order of their numbers. Error on sets of different width, or of fewer than 10 films.
FilmKernels KernelsOfFilms(const FeatureSet& a, const FeatureSet& b, const PolynomialKernel& kernel);

// Squared MMD of all films, without bias: no film is compared with itself. May be negative, and is not clipped. The order of a film's
// frames makes no difference.
double FilmMmd(const FilmKernels& kernels);
// The biased form, films with themselves included: what JEDi publishes (of one row a film).
double BiasedFilmMmd(const FilmKernels& kernels);
// 95 % interval of FilmMmd, halves of the films as in SetInterval.
Interval FilmMmdInterval(const FilmKernels& kernels, const SetIntervalOptions& options = {});

}  // namespace orrery
