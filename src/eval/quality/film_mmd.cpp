#include "eval/quality/film_mmd.h"

#include <ATen/ATen.h>

#include <map>

#include "core/error.h"
#include "core/shape.h"

namespace orrery {

namespace {

constexpr int64_t kFewestFilms = 10, kFilmsAtOnce = 64;

// Rows of each film, fp64, in the order of the films' numbers.
std::vector<at::Tensor> RowsOfFilms(const FeatureSet& set) {
  CheckShape(set.rows, {kAny, kAny}, "features");
  ORRERY_CHECK(static_cast<int64_t>(set.video.size()) == set.rows.size(0));
  if (!set.rows.isfinite().all().item<bool>()) Fail("film MMD: the features hold values that are not finite numbers");
  std::map<int64_t, std::vector<int64_t>> of_film;
  for (size_t i = 0; i < set.video.size(); ++i) of_film[set.video[i]].push_back(static_cast<int64_t>(i));
  const at::Tensor rows = set.rows.to(at::kDouble);
  std::vector<at::Tensor> films;
  for (const auto& [film, indices] : of_film) films.push_back(rows.index_select(0, at::tensor(indices, at::kLong)));
  if (std::ssize(films) < kFewestFilms) Fail("film MMD: at least {} films a set expected, got {}", kFewestFilms, films.size());
  return films;
}

// [films, rows] whose product with a row's values is the mean over a film's rows.
at::Tensor Averaging(std::span<const at::Tensor> films) {
  int64_t rows = 0;
  for (const at::Tensor& film : films) rows += film.size(0);
  at::Tensor mean = at::zeros({std::ssize(films), rows}, at::kDouble);
  for (int64_t i = 0, begin = 0; i < std::ssize(films); begin += films[static_cast<size_t>(i++)].size(0)) {
    const int64_t count = films[static_cast<size_t>(i)].size(0);
    mean[i].narrow(0, begin, count).fill_(1.0 / static_cast<double>(count));
  }
  return mean;
}

at::Tensor FilmKernel(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b, const PolynomialKernel& kernel) {
  const at::Tensor y = at::cat(b), to_films = Averaging(b).t();
  const double gamma = kernel.gamma > 0 ? kernel.gamma : 1.0 / static_cast<double>(y.size(1));
  std::vector<at::Tensor> parts;
  for (size_t begin = 0; begin < a.size(); begin += kFilmsAtOnce) {
    const std::span some(a.data() + begin, std::min<size_t>(kFilmsAtOnce, a.size() - begin));
    const at::Tensor x = at::cat(std::vector<at::Tensor>(some.begin(), some.end()));
    const at::Tensor rows = (at::matmul(x, y.t()) * gamma + kernel.offset).pow(kernel.degree);
    parts.push_back(at::matmul(at::matmul(Averaging(some), rows), to_films));
  }
  return at::cat(parts);
}

// sum_ij u_i K_ij v_j for every pair of rows of U [R, n] and V [R, m] -> [R]
at::Tensor Sums(const at::Tensor& kernel, const at::Tensor& U, const at::Tensor& V) { return (at::matmul(U, kernel) * V).sum(1); }

// [R] of subsets: 0 or 1, U [R, n] of a, V [R, m] of b.
at::Tensor UnbiasedMmd(const FilmKernels& k, const at::Tensor& U, const at::Tensor& V) {
  const auto own = [](const at::Tensor& kernel, const at::Tensor& W) {
    const at::Tensor count = W.sum(1);
    return (Sums(kernel, W, W) - at::mv(W, kernel.diagonal())) / (count * (count - 1));
  };
  return own(k.aa, U) + own(k.bb, V) - 2 * Sums(k.ab, U, V) / (U.sum(1) * V.sum(1));
}

}  // namespace

FilmKernels KernelsOfFilms(const FeatureSet& a, const FeatureSet& b, const PolynomialKernel& kernel) {
  const std::vector<at::Tensor> x = RowsOfFilms(a), y = RowsOfFilms(b);
  if (x[0].size(1) != y[0].size(1))
    Fail("film MMD: two sets of features of the same width expected, got {} and {}", x[0].size(1), y[0].size(1));
  return {FilmKernel(x, x, kernel), FilmKernel(y, y, kernel), FilmKernel(x, y, kernel)};
}

double FilmMmd(const FilmKernels& k) {
  return UnbiasedMmd(k, at::ones({1, k.aa.size(0)}, at::kDouble), at::ones({1, k.bb.size(0)}, at::kDouble)).item<double>();
}

double BiasedFilmMmd(const FilmKernels& k) { return (k.aa.mean() + k.bb.mean() - 2 * k.ab.mean()).item<double>(); }

Interval FilmMmdInterval(const FilmKernels& k, const SetIntervalOptions& options) {
  Rng rng(options.seed, "halves");
  const auto halves = [&](const at::Tensor& kernel) { return SubsetWeights(kernel.size(0), kernel.size(0) / 2, options.resamples, rng); };
  const at::Tensor U = halves(k.aa), V = halves(k.bb);
  return IntervalOfHalves(FilmMmd(k), UnbiasedMmd(k, U, V), options.target);
}

}  // namespace orrery
