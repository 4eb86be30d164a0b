// How far apart two sets of features are: Frechet distance, polynomial MMD (KID, JEDi), Inception score, precision and recall.
// Features are [N, d], one row an item, of any floating type, computed in fp64; items are taken as independent. All refuse features
// that are not finite. A name of a metric says whose features they were: FID@F-img, never FID.
#pragma once
#include <ATen/core/Tensor.h>

#include <optional>

namespace orrery {

struct Moments {
  at::Tensor mean;        // [d] fp64
  at::Tensor covariance;  // [d, d] fp64, unbiased
};
// Error unless N > d: the covariance would be singular and the distance an artefact of N.
Moments FeatureMoments(const at::Tensor& features);

// |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^{1/2}) (Heusel et al., arXiv 1706.08500). The trace of the root is the sum of the singular values
// of S1^{1/2} S2^{1/2}, so no root of a matrix that is not symmetric is taken. >= 0, lower is better, biased upward by about k / N.
double Frechet(const Moments& a, const Moments& b);
double Frechet(const at::Tensor& a, const at::Tensor& b);

// (gamma x.y + offset)^degree
struct PolynomialKernel {
  int degree = 3;
  double gamma = 0;  // 0: 1 / d
  double offset = 1;
};
enum class MmdForm {
  kUnbiased,  // without the diagonals of both sets' own kernels; may be negative, and is not clipped
  kBiased,    // with them
};
// Squared maximum mean discrepancy (Gretton et al., JMLR 2012), of at least two rows each.
double PolynomialMmd(const at::Tensor& a, const at::Tensor& b, const PolynomialKernel& kernel, MmdForm form);
// The same of R pairs of subsets at once: weights 0 or 1, [R, N] of the rows of a and [R, M] of the rows of b -> [R] fp64.
at::Tensor SubsetMmd(const at::Tensor& a, const at::Tensor& b, const at::Tensor& a_weights, const at::Tensor& b_weights,
                     const PolynomialKernel& kernel, MmdForm form);

// Kernel Inception distance (Binkowski et al., arXiv 1801.01401): unbiased, (x.y / d + 1)^3, of all rows.
constexpr PolynomialKernel kKidKernel{3, 0, 1};
double Kid(const at::Tensor& a, const at::Tensor& b);
struct KidOptions {
  int64_t subsets = 100, size = 1000;  // rows of each subset, drawn without repetition
  uint64_t seed = 0;
};
// Mean over subsets, as is customary; `deviation` over subsets is no standard error, since subsets overlap. Error when a set has fewer
// rows than a subset.
struct SubsetScore {
  double mean = 0;
  std::optional<double> deviation;  // unbiased; none of a single subset
};
SubsetScore KidOverSubsets(const at::Tensor& a, const at::Tensor& b, const KidOptions& options = {});

// JEDi (Luo et al., arXiv 2410.05203): 100 times the MMD with (x.y / d)^2; as published it is the biased form.
constexpr PolynomialKernel kJediKernel{2, 0, 0};
struct JediScore {
  double biased = 0, unbiased = 0;
};
JediScore Jedi(const at::Tensor& a, const at::Tensor& b);

// exp(mean KL(p(y|x) || p(y))) (Salimans et al., arXiv 1606.03498) in [1, K], from class probabilities [N, K] whose rows sum to 1;
// mean and deviation over equal splits. It never looks at real data and is biased in N.
struct InceptionOptions {
  int64_t splits = 10;
  bool shuffle = true;  // rows before they are split
  uint64_t seed = 0;
};
SubsetScore InceptionScore(const at::Tensor& probabilities, const InceptionOptions& options = {});

// Improved precision and recall (Kynkaanniemi et al., arXiv 1904.06991): the share of generated items within the reach of some real
// item, and the reverse; an item reaches as far as its k-th nearest neighbour in its own set. In [0, 1], higher is better. Numbers
// of sets of other sizes do not compare. Error unless both sets have more than k rows.
struct PrecisionRecall {
  double precision = 0, recall = 0;
};
PrecisionRecall ManifoldPrecisionRecall(const at::Tensor& real, const at::Tensor& generated, int64_t k = 3);

}  // namespace orrery
