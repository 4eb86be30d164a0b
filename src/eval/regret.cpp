#include "eval/regret.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace orrery {

Regret NormalizedRegret(std::span<const double> oracle, std::span<const double> chance, std::span<const double> model) {
  if (oracle.size() != chance.size() || oracle.size() != model.size() || oracle.size() < 2)
    Fail("regret: returns of the same two or more episodes expected, got {}, {} and {}", oracle.size(), chance.size(), model.size());
  const double margin = Mean(oracle) - Mean(chance);
  if (!(margin > 0))
    Fail("regret: the oracle's mean return {} is not above that of chance, {}; the task tells nothing", Mean(oracle), Mean(chance));
  std::vector<double> lost, possible;
  for (size_t i = 0; i < oracle.size(); ++i) {
    lost.push_back(oracle[i] - model[i]);
    possible.push_back(oracle[i] - chance[i]);
  }
  return {Mean(lost) / margin, PairedRatio(lost, possible)};
}

Fidelity EvaluationFidelity(std::span<const double> promised, std::span<const double> truth) {
  if (promised.size() != truth.size() || truth.size() < 3)
    Fail("fidelity: promised and true returns of at least three policies expected, got {} and {}", promised.size(), truth.size());
  const double p = Mean(promised), t = Mean(truth);
  double pt = 0, pp = 0, tt = 0;
  Fidelity out;
  for (size_t i = 0; i < truth.size(); ++i) {
    pt += (promised[i] - p) * (truth[i] - t);
    pp += (promised[i] - p) * (promised[i] - p);
    tt += (truth[i] - t) * (truth[i] - t);
    double worst = 0;
    for (size_t j = 0; j < truth.size(); ++j)
      if ((promised[i] < promised[j]) != (truth[i] < truth[j])) worst = std::max(worst, std::abs(truth[i] - truth[j]));
    out.violation += worst / static_cast<double>(truth.size());
  }
  out.pearson = pp > 0 && tt > 0 ? pt / std::sqrt(pp * tt) : 0;
  out.spearman = Spearman(promised, truth);
  out.bias = p - t;
  return out;
}

}  // namespace orrery
