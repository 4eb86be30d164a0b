#include "eval/report/table.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace orrery {

namespace {

enum class Where {
  kValue,
  kWithin,
  kBeyond,
  kCurve
};  // the metric itself; the mean over gaps within / beyond the reach of the window; its curve at `at`

struct Spec {
  const char *axis, *heading, *id;
  int better;
  Where where = Where::kValue;
  double at = 0;
  bool headline = false;
};

// Specification 5.3, as far as it is measured. Headlines: one an axis, and bytes beside time.
constexpr Spec kColumns[] = {
    {"quality", "PSNR, dB", "quality.psnr", 1, Where::kValue, 0, true},
    {"quality", "SSIM", "quality.ssim", 1},
    {"quality", "F-pair", "quality.f-pair", -1},
    {"quality", "FVD@F-vid", "quality.fvd@F-vid", -1},
    {"persistence", "drift, dB / 100 frames", "persistence.exposure-slope", -1},
    {"persistence", "films that last", "persistence.collapse.survival", 1},
    {"persistence", "median life, frames", "persistence.collapse.median", 1},
    {"persistence", "gain in window", "persistence.revisit.gain", 1, Where::kWithin},
    {"persistence", "gain beyond", "persistence.revisit.gain", 1, Where::kBeyond},
    {"persistence", "half-life, frames", "persistence.revisit.half-life", 1},
    {"persistence", "recall beyond", "persistence.recall.gain", 1, Where::kBeyond, 0, true},
    {"persistence", "return, dB", "persistence.revisit.remembered", 1},
    {"persistence", "new state", "persistence.updated.new", 1},
    {"causality", "CNE", "causality.twin.remove.cne", -1},
    {"causality", "effect precision", "causality.twin.remove.precision", 1},
    {"causality", "effect recall", "causality.twin.remove.recall", 1},
    {"causality", "leak", "causality.twin.remove.leak", -1},
    {"causality", "AF", "causality.following.af", 1},
    {"causality", "control", "causality.control.normalised", 1, Where::kValue, 0, true},
    {"causality", "regret, picture", "causality.planning.picture.regret", -1},
    {"causality", "regret, hit", "causality.planning.hit.regret", -1},
    {"cost", "ms at 64", "cost.time-exponent", -1, Where::kCurve, 64},
    {"cost", "ms at 256", "cost.time-exponent", -1, Where::kCurve, 256, true},
    {"cost", "ms at 1,024", "cost.time-exponent", -1, Where::kCurve, 1024},
    {"cost", "kB at 256", "cost.bytes-exponent", -1, Where::kCurve, 256, true},
    {"cost", "kB at 1,024", "cost.bytes-exponent", -1, Where::kCurve, 1024},
    {"cost", "time exponent", "cost.time-exponent", -1},
    {"cost", "time, long / short", "cost.time-ratio", -1},
    {"cost", "bytes exponent", "cost.bytes-exponent", -1},
};

std::string WorldName(const std::string& spec) { return spec.substr(0, spec.find('(')); }

// Of a metric in a world whatever its parameters: the first that there is in any run.
const Metric* Any(const Recipe& recipe, const char* id, const std::string& world) {
  const Metric* found = nullptr;
  for (const Evaluation* e : recipe.runs)
    for (const Metric& m : e->metrics)
      if (m.id == id && WorldName(m.world) == world && (!found || (!found->value && m.value))) found = &m;
  return found;
}

SeedValues AtOfCurve(const Recipe& recipe, const Spec& c, const std::string& world) {
  SeedValues values;
  const double scale = std::string_view(c.id) == "cost.bytes-exponent" ? 1.0 / 1024 : 1;
  for (const Evaluation* e : recipe.runs)
    for (const Metric& m : e->metrics)
      if (m.id == c.id && m.world == world && m.curve)
        for (size_t i = 0; i < m.curve->x.size(); ++i)
          if (m.curve->x[i] == c.at) values.push_back({m.curve->y[i] * scale, {}, {}});
  return values;
}

// The mean over gaps on one side of the window, a part each.
std::vector<SeedValues> OfGaps(const Recipe& recipe, const Spec& c, const Metric& metric, int64_t window) {
  std::vector<SeedValues> parts;
  for (const auto& [part, score] : metric.by)
    if (part.starts_with("gap=") && score.value && (std::stoll(part.substr(4)) <= window) == (c.where == Where::kWithin))
      if (SeedValues values = ValuesOf(recipe, c.id, metric.world, part); !values.empty()) parts.push_back(std::move(values));
  return parts;
}

TableCell CellOf(const Recipe& recipe, const Spec& c, const std::string& world, int64_t window) {
  TableCell cell;
  const Metric* metric = Any(recipe, c.id, world);
  cell.cause = metric ? metric->cause : "not asked";
  if (!metric || !metric->value) return cell;
  std::vector<SeedValues> numbers;
  if (c.where == Where::kValue)
    numbers = {ValuesOf(recipe, c.id, metric->world)};
  else if (c.where == Where::kCurve)
    numbers = {AtOfCurve(recipe, c, metric->world)};
  else
    numbers = OfGaps(recipe, c, *metric, window);
  if (numbers.empty() || numbers[0].empty()) {
    cell.cause = "not measured there";
    return cell;
  }
  if (numbers.size() == 1 && numbers[0].size() == 1) {
    cell.value = numbers[0][0].value;
    cell.interval = numbers[0][0].interval;
    return cell;
  }
  const Resampled mean = Resample(numbers, Mean, kResamples);
  cell.value = mean.value;
  if (mean.interval.low < mean.interval.high) cell.interval = mean.interval;
  return cell;
}

std::string DynamicsOf(const Json& facts) {
  if (!facts.contains("layout")) return "";
  const std::string path = facts.value("path", "");
  const Json::json_pointer steps("/rollout/steps");
  return fmt::format("{}, {}{}", facts.value("layout", ""), WorldName(path),
                     facts.contains(steps) ? fmt::format(", {} steps", facts.at(steps).get<int64_t>()) : "");
}

bool Dominates(const MechanismRow& a, const MechanismRow& b, const std::vector<TableColumn>& columns) {
  bool better = false;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (!columns[i].headline) continue;
    const double d = columns[i].better * (*a.cells[i].value - *b.cells[i].value);
    if (d < 0) return false;
    better = better || d > 0;
  }
  return better;
}

// Among models that have all headline numbers of the table.
void MarkPareto(MechanismTable& t, const std::vector<bool>& model) {
  const bool any = std::any_of(t.columns.begin(), t.columns.end(), [](const TableColumn& c) { return c.headline; });
  std::vector<size_t> whole;
  for (size_t r = 0; r < t.rows.size() && any; ++r) {
    bool all = model[r];
    for (size_t i = 0; i < t.columns.size(); ++i) all = all && (!t.columns[i].headline || t.rows[r].cells[i].value);
    if (all) whole.push_back(r);
  }
  for (const size_t r : whole)
    t.rows[r].pareto = whole.size() > 1 && std::none_of(whole.begin(), whole.end(),
                                                        [&](size_t o) { return o != r && Dominates(t.rows[o], t.rows[r], t.columns); });
}

void Note(MechanismTable& t, const std::vector<const Recipe*>& models) {
  int64_t least = 0, most = 0;
  std::set<std::string> data;
  bool one_seed = false;
  for (const Recipe* r : models) {
    const int64_t n = r->facts.value("parameters", int64_t{0});
    least = least == 0 ? n : std::min(least, n);
    most = std::max(most, n);
    data.insert(r->facts.value("trained_on", ""));
    one_seed = one_seed || r->runs.size() == 1;
  }
  if (static_cast<double>(most) > 1.05 * static_cast<double>(least))
    t.notes.push_back(fmt::format("Parameters differ by more than 5 %: {} to {}.", least, most));
  if (data.size() > 1) t.notes.push_back("Not all were trained on the same data.");
  if (one_seed) t.notes.push_back("Rows of 1 seed: the interval leaves out what training varies.");
}

MechanismTable TableOf(const std::string& world, const std::vector<const Recipe*>& recipes) {
  MechanismTable t;
  t.world = world;
  int64_t window = 0;
  for (const Recipe* r : recipes) window = std::max(window, r->WindowReach());
  std::vector<std::vector<TableCell>> cells;  // by column
  for (const Spec& c : kColumns) {
    if (c.where == Where::kWithin && window == 0) continue;
    std::vector<TableCell> column;
    for (const Recipe* r : recipes) column.push_back(CellOf(*r, c, world, window));
    if (std::none_of(column.begin(), column.end(), [](const TableCell& cell) { return cell.value.has_value(); })) continue;
    std::string metric = c.id;
    if (c.where == Where::kWithin) metric += fmt::format(" within {} frames", window);
    if (c.where == Where::kBeyond) metric += fmt::format(" beyond {} frames", window);
    if (c.where == Where::kCurve) metric += fmt::format(", curve at {} frames", c.at);
    t.columns.push_back({c.axis, c.heading, metric, c.better, c.headline});
    cells.push_back(std::move(column));
  }
  std::vector<bool> model;
  std::vector<const Recipe*> models;
  for (size_t i = 0; i < recipes.size(); ++i) {
    const Recipe& r = *recipes[i];
    MechanismRow row{r.name, r.mechanism.kind, DynamicsOf(r.facts), std::ssize(r.runs), r.facts.value("parameters", int64_t{0}), {}, false};
    for (const auto& column : cells) row.cells.push_back(column[i]);
    if (std::none_of(row.cells.begin(), row.cells.end(), [](const TableCell& c) { return c.value.has_value(); })) continue;
    t.rows.push_back(std::move(row));
    model.push_back(r.model);
    if (r.model) models.push_back(&r);
  }
  MarkPareto(t, model);
  if (models.size() > 1) Note(t, models);
  return t;
}

}  // namespace

std::vector<MechanismTable> MechanismTables(const std::vector<Recipe>& recipes) {
  const bool models = std::any_of(recipes.begin(), recipes.end(), [](const Recipe& r) { return r.model; });
  std::vector<std::string> worlds;
  std::vector<const Recipe*> all;
  for (const Recipe& r : recipes) {
    all.push_back(&r);
    if (models && !r.model) continue;
    for (const Evaluation* e : r.runs)
      for (const Metric& m : e->metrics)
        if (const std::string name = WorldName(m.world); std::find(worlds.begin(), worlds.end(), name) == worlds.end())
          worlds.push_back(name);
  }
  std::vector<MechanismTable> tables;
  for (const std::string& world : worlds)
    if (MechanismTable t = TableOf(world, all); !t.rows.empty()) tables.push_back(std::move(t));
  return tables;
}

}  // namespace orrery
