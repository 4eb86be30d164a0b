// What a state adds to a baseline, gap by gap: differences on the same scenarios, so that what is common to both cancels.
#pragma once
#include "eval/report/recipes.h"

namespace orrery {

struct Margin {
  double value = 0;  // mean over seeds and scenarios of the row's number less the baseline's
  Interval interval;
  bool Clear() const { return interval.low > 0 || interval.high < 0; }  // the interval leaves out 0
};

struct MarginTable {
  std::string metric, world, unit;
  int better = 1;                  // 1: higher, -1: lower
  std::string baseline;            // name of the recipe that all are compared with
  std::vector<std::string> parts;  // "gap=0032", ascending
  struct Row {
    std::string name;
    std::vector<std::optional<Margin>> margins;  // one a part; none: not measured in both
  };
  std::vector<Row> rows;
};

// One a metric that has parts by gap in the baseline and another model. The baseline: a model whose state is a window and nothing else;
// of several the first. Empty without one.
std::vector<MarginTable> Margins(const std::vector<Recipe>& recipes);

std::string MarginText(const std::vector<MarginTable>& tables);
std::string MarginHtml(const std::vector<MarginTable>& tables);
Json MarginJson(const std::vector<MarginTable>& tables);

}  // namespace orrery
