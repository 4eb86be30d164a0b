#include "eval/quality/distances.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/shape.h"
#include "eval/quality/feature_sets.h"

namespace orrery {

namespace {

constexpr int64_t kBlockRows = 1024;  // of a kernel or distance matrix in memory at a time

// fp64 rows that are fit to be compared.
at::Tensor Rows(const at::Tensor& features, std::string_view what) {
  CheckShape(features, {kAny, kAny}, what);
  if (features.size(1) < 1) Fail("{}: features of at least one number expected", what);
  const at::Tensor x = features.to(at::kDouble).contiguous();
  if (!x.isfinite().all().item<bool>()) Fail("{}: the features hold values that are not finite numbers", what);
  return x;
}

void RequireSameWidth(const at::Tensor& a, const at::Tensor& b, std::string_view what) {
  if (a.size(1) != b.size(1)) Fail("{}: two sets of features of the same width expected, got {} and {}", what, a.size(1), b.size(1));
}

// Root of a symmetric matrix whose eigenvalues are >= 0 up to rounding.
at::Tensor SymmetricRoot(const at::Tensor& matrix) {
  const auto [values, vectors] = at::linalg_eigh(matrix);
  return at::matmul(vectors * values.clamp_min(0).sqrt(), vectors.t());
}

at::Tensor KernelOf(const at::Tensor& products, int64_t width, const PolynomialKernel& kernel) {
  const double gamma = kernel.gamma > 0 ? kernel.gamma : 1.0 / static_cast<double>(width);
  return (products * gamma + kernel.offset).pow(kernel.degree);
}

// sum_ij u_i k(x_i, y_j) v_j for every pair of rows u of U [R, N] and v of V [R, M] -> [R]
at::Tensor KernelSums(const at::Tensor& x, const at::Tensor& y, const at::Tensor& U, const at::Tensor& V, const PolynomialKernel& kernel) {
  at::Tensor sums = at::zeros({U.size(0)}, at::kDouble);
  for (int64_t begin = 0; begin < x.size(0); begin += kBlockRows) {
    const int64_t count = std::min(kBlockRows, x.size(0) - begin);
    const at::Tensor block = KernelOf(at::matmul(x.narrow(0, begin, count), y.t()), x.size(1), kernel);
    sums += (at::matmul(V, block.t()) * U.narrow(1, begin, count)).sum(1);
  }
  return sums;
}

SubsetScore OverSubsets(const at::Tensor& scores) {
  SubsetScore score{scores.mean().item<double>(), std::nullopt};
  if (scores.size(0) > 1) score.deviation = scores.std().item<double>();
  return score;
}

// Distances of rows of x to all rows of y by differences, which lose no digits where sets nearly coincide.
at::Tensor Distances(const at::Tensor& x, const at::Tensor& y) { return at::cdist(x, y, 2, /*compute_mode=*/2); }

// [N] distance of every row to its k-th nearest other row.
at::Tensor Reach(const at::Tensor& x, int64_t k) {
  std::vector<at::Tensor> parts;
  for (int64_t begin = 0; begin < x.size(0); begin += kBlockRows) {
    const at::Tensor block = Distances(x.narrow(0, begin, std::min(kBlockRows, x.size(0) - begin)), x);
    parts.push_back(std::get<0>(at::kthvalue(block, k + 1, 1)));  // the nearest is the row itself
  }
  return at::cat(parts);
}

// Share of `items` within the reach of some row of `anchors`.
double Covered(const at::Tensor& items, const at::Tensor& anchors, const at::Tensor& reach) {
  int64_t covered = 0;
  for (int64_t begin = 0; begin < items.size(0); begin += kBlockRows) {
    const at::Tensor block = Distances(items.narrow(0, begin, std::min(kBlockRows, items.size(0) - begin)), anchors);
    covered += (block <= reach).any(1).sum().item<int64_t>();
  }
  return static_cast<double>(covered) / static_cast<double>(items.size(0));
}

}  // namespace

Moments FeatureMoments(const at::Tensor& features) {
  const at::Tensor x = Rows(features, "Frechet distance");
  const int64_t N = x.size(0), d = x.size(1);
  if (N <= d)
    Fail(
        "Frechet distance: more rows than features are needed, got {} rows of {}: their covariance is singular, so the distance would say "
        "more "
        "about the number of rows than about the sets; give more items, or use KID",
        N, d);
  const at::Tensor mean = x.mean(0), centred = x - mean;
  return {mean, at::matmul(centred.t(), centred) / static_cast<double>(N - 1)};
}

double Frechet(const Moments& a, const Moments& b) {
  if (a.mean.sizes() != b.mean.sizes())
    Fail("Frechet distance: two sets of features of the same width expected, got {} and {}", a.mean.size(0), b.mean.size(0));
  const at::Tensor roots = at::matmul(SymmetricRoot(a.covariance), SymmetricRoot(b.covariance));
  const double root_trace = at::linalg_svdvals(roots).sum().item<double>();
  const double traces = (a.covariance.trace() + b.covariance.trace()).item<double>();
  return std::max(0.0, (a.mean - b.mean).square().sum().item<double>() + traces - 2 * root_trace);
}

double Frechet(const at::Tensor& a, const at::Tensor& b) { return Frechet(FeatureMoments(a), FeatureMoments(b)); }

at::Tensor SubsetMmd(const at::Tensor& a, const at::Tensor& b, const at::Tensor& a_weights, const at::Tensor& b_weights,
                     const PolynomialKernel& kernel, MmdForm form) {
  const at::Tensor x = Rows(a, "MMD"), y = Rows(b, "MMD");
  RequireSameWidth(x, y, "MMD");
  ORRERY_CHECK(a_weights.size(1) == x.size(0) && b_weights.size(1) == y.size(0) && a_weights.size(0) == b_weights.size(0));
  const at::Tensor n = a_weights.sum(1), m = b_weights.sum(1);
  if ((n < 2).any().item<bool>() || (m < 2).any().item<bool>()) Fail("MMD: at least two rows a set are needed");
  const auto own = [&](const at::Tensor& rows, const at::Tensor& weights, const at::Tensor& count) -> at::Tensor {
    const at::Tensor sums = KernelSums(rows, rows, weights, weights, kernel);
    if (form == MmdForm::kBiased) return sums / count.square();
    const at::Tensor diagonal = KernelOf(rows.square().sum(1), rows.size(1), kernel);
    return (sums - at::mv(weights, diagonal)) / (count * (count - 1));
  };
  return own(x, a_weights, n) + own(y, b_weights, m) - 2 * KernelSums(x, y, a_weights, b_weights, kernel) / (n * m);
}

double PolynomialMmd(const at::Tensor& a, const at::Tensor& b, const PolynomialKernel& kernel, MmdForm form) {
  const auto all = [](const at::Tensor& rows) { return at::ones({1, rows.size(0)}, at::kDouble); };
  return SubsetMmd(a, b, all(a), all(b), kernel, form).item<double>();
}

double Kid(const at::Tensor& a, const at::Tensor& b) { return PolynomialMmd(a, b, kKidKernel, MmdForm::kUnbiased); }

SubsetScore KidOverSubsets(const at::Tensor& a, const at::Tensor& b, const KidOptions& options) {
  if (options.subsets < 1 || options.size < 2)
    Fail("KID: at least 1 subset of at least 2 rows expected, got {} of {}", options.subsets, options.size);
  if (std::min(a.size(0), b.size(0)) < options.size)
    Fail("KID: sets of at least {} rows expected for subsets of {}, got {} and {}; give more items or smaller subsets", options.size,
         options.size, a.size(0), b.size(0));
  Rng rng(options.seed, "KID subsets");
  const at::Tensor a_weights = SubsetWeights(a.size(0), options.size, options.subsets, rng);
  const at::Tensor b_weights = SubsetWeights(b.size(0), options.size, options.subsets, rng);
  return OverSubsets(SubsetMmd(a, b, a_weights, b_weights, kKidKernel, MmdForm::kUnbiased));
}

JediScore Jedi(const at::Tensor& a, const at::Tensor& b) {
  return {100 * PolynomialMmd(a, b, kJediKernel, MmdForm::kBiased), 100 * PolynomialMmd(a, b, kJediKernel, MmdForm::kUnbiased)};
}

SubsetScore InceptionScore(const at::Tensor& probabilities, const InceptionOptions& options) {
  at::Tensor p = Rows(probabilities, "Inception score");
  if ((p < 0).any().item<bool>() || ((p.sum(1) - 1).abs() > 1e-4).any().item<bool>())
    Fail("Inception score: class probabilities expected, rows that are >= 0 and sum to 1");
  if (options.splits < 1 || p.size(0) < options.splits)
    Fail("Inception score: at least 1 split and a row for each expected, got {} splits of {} rows", options.splits, p.size(0));
  if (options.shuffle) {
    Rng rng(options.seed, "Inception score");
    p = p.index_select(0, at::tensor(Permutation(p.size(0), rng), at::kLong));
  }
  std::vector<double> scores;
  for (const at::Tensor& part : at::tensor_split(p, options.splits)) {
    const at::Tensor marginal = part.mean(0, true);
    const at::Tensor divergence = (at::xlogy(part, part) - at::xlogy(part, marginal)).sum(1);
    scores.push_back(std::exp(divergence.mean().item<double>()));
  }
  return OverSubsets(at::tensor(scores, at::kDouble));
}

PrecisionRecall ManifoldPrecisionRecall(const at::Tensor& real, const at::Tensor& generated, int64_t k) {
  const at::Tensor x = Rows(real, "precision and recall"), y = Rows(generated, "precision and recall");
  RequireSameWidth(x, y, "precision and recall");
  if (k < 1 || std::min(x.size(0), y.size(0)) <= k)
    Fail("precision and recall: k >= 1 and more than k rows a set expected, got k {} and {} and {} rows", k, x.size(0), y.size(0));
  return {Covered(y, x, Reach(x, k)), Covered(x, y, Reach(y, k))};
}

}  // namespace orrery
