// What a reader of a report wants first: a subject's standing on each axis, and whether two judges of pictures agree on who is better.
#pragma once
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "eval/report/result.h"

namespace orrery {

constexpr std::array<const char*, 4> kAxes = {"quality", "persistence", "causality", "cost"};

// Where a value lies between what its anchors say of who knows nothing (random, ignore, frozen, chance, ...; of several the one nearest to
// the best) and of the best (perfect, oracle, real): 0 .. 1, clipped. Of a cost, between growth in proportion (0) and none (1). None
// without a value, without both anchors, in decibels (whose best is a cap), and when neither direction is better.
std::optional<double> AnchoredScore(const Metric& metric);

struct AxisScore {
  std::optional<double> score;  // mean over probes (the second word of an id), of means over their metrics, of means over worlds
  int64_t metrics = 0;          // ids in it
};
// By kAxes.
std::array<AxisScore, kAxes.size()> AxisScores(const Evaluation& evaluation);

// Small multiples as SVG: a row a subject, a column an axis, a bar from 0 to 1. Empty when nobody has a score.
std::string AxesChart(const std::vector<Evaluation>& all);

// A distance on features that were trained, and the same on F-rand's, of at least three subjects.
struct NetAgreement {
  std::string metric, world, nets;                                // "kid", "maze", "F-img and F-rand"
  int64_t subjects = 0;                                           // that have both
  double spearman = 0;                                            // of the two
  std::vector<std::pair<std::string, std::string>> opposed = {};  // the first is nearer by the trained net, farther by F-rand; both
                                                                  // differences beyond their intervals
};
std::vector<NetAgreement> NetAgreements(const std::vector<Evaluation>& all);

// The agreements as a table, opposed pairs named in red; empty without any.
std::string AgreementTable(const std::vector<Evaluation>& all);

}  // namespace orrery
