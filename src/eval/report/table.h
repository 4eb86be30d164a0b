// The table mechanism x (quality, persistence, causality, cost): a row a recipe, a column a headline number with its interval.
#pragma once
#include "eval/report/recipes.h"

namespace orrery {

struct TableCell {
  std::optional<double> value;       // mean over seeds
  std::optional<Interval> interval;  // over seeds and scenarios; none of a number without noise
  std::string cause;                 // of a missing value
};

struct TableColumn {
  std::string axis;     // quality, persistence, causality, cost
  std::string heading;  // "PSNR, dB"
  std::string metric;   // id, and where it is read: "persistence.revisit.gain beyond 16 frames"
  int better = 1;       // 1: higher, -1: lower
  bool headline = false;
};

struct MechanismRow {
  std::string name, kind, dynamics;  // recipe; Mechanism::kind; layout, noise path and denoising steps
  int64_t seeds = 0, parameters = 0;
  std::vector<TableCell> cells;  // one a column
  bool pareto = false;           // a model that no other is at least as good as in all headline columns and better in one
};

struct MechanismTable {
  std::string world;  // name, without parameters
  std::vector<TableColumn> columns;
  std::vector<MechanismRow> rows;
  std::vector<std::string> notes;  // what makes rows not comparable
};

// One a world: those that a model was judged on; without a model, all. Columns that no row has are left out, rows that have none too.
std::vector<MechanismTable> MechanismTables(const std::vector<Recipe>& recipes);

// For a terminal: one block an axis, "16.2 [15.1, 17.3]".
std::string TableText(const std::vector<MechanismTable>& tables);
// With a chart of memory against bytes where both were measured.
std::string TableHtml(const std::vector<MechanismTable>& tables);
Json TableJson(const std::vector<MechanismTable>& tables);

}  // namespace orrery
