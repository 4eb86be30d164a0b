// The mechanism table as text, page and data.
#include <algorithm>
#include <cmath>

#include "eval/report/chart.h"
#include "eval/report/table.h"

namespace orrery {

namespace {

constexpr const char* kAxes[] = {"quality", "persistence", "causality", "cost"};

// Three digits, and no more places in the interval than tell its ends apart.
std::string Short(double v) { return fmt::format("{:.3g}", v == 0 ? 0 : v); }

std::string CellText(const TableCell& cell) {
  if (!cell.value) return "-";
  if (!cell.interval) return Short(*cell.value);
  return fmt::format("{} [{}, {}]", Short(*cell.value), Short(cell.interval->low), Short(cell.interval->high));
}

std::vector<size_t> ColumnsOf(const MechanismTable& t, const char* axis) {
  std::vector<size_t> columns;
  for (size_t i = 0; i < t.columns.size(); ++i)
    if (t.columns[i].axis == axis) columns.push_back(i);
  return columns;
}

std::string Block(const MechanismTable& t, const char* axis) {
  const std::vector<size_t> columns = ColumnsOf(t, axis);
  if (columns.empty()) return "";
  constexpr size_t kName = 44;
  const auto cut = [](const std::string& name) { return name.size() <= kName ? name : name.substr(0, kName - 2) + ".."; };
  std::string text = fmt::format("  {:<{}}", axis, kName + 2);
  std::vector<size_t> widths;
  for (const size_t c : columns) {
    widths.push_back(t.columns[c].heading.size());
    for (const MechanismRow& row : t.rows) widths.back() = std::max(widths.back(), CellText(row.cells[c]).size());
    text += fmt::format("  {:<{}}", t.columns[c].heading, widths.back());
  }
  text += "\n";
  for (const MechanismRow& row : t.rows) {
    if (std::none_of(columns.begin(), columns.end(), [&](size_t c) { return row.cells[c].value.has_value(); })) continue;
    text += fmt::format("  {} {:<{}}", row.pareto ? "*" : " ", cut(row.name), kName);
    for (size_t i = 0; i < columns.size(); ++i) text += fmt::format("  {:<{}}", CellText(row.cells[columns[i]]), widths[i]);
    text += "\n";
  }
  return text;
}

std::string CellHtml(const TableCell& cell) {
  if (!cell.value) return fmt::format("<td class=\"n quiet\" title=\"{}\">–</td>", Escape(cell.cause));
  const std::string range =
      cell.interval ? fmt::format(" <span class=\"quiet\">({} to {})</span>", Short(cell.interval->low), Short(cell.interval->high)) : "";
  return fmt::format("<td class=\"n\">{}{}</td>", Short(*cell.value), range);
}

size_t Place(const MechanismTable& t, const char* heading) {
  return static_cast<size_t>(std::find_if(t.columns.begin(), t.columns.end(), [&](const TableColumn& c) { return c.heading == heading; }) -
                             t.columns.begin());
}

// What is remembered against what it costs.
std::string Scatter(const MechanismTable& t) {
  size_t memory = Place(t, "recall beyond");
  if (memory == t.columns.size()) memory = Place(t, "gain beyond");
  const size_t bytes = Place(t, "kB at 256");
  if (memory == t.columns.size() || bytes == t.columns.size()) return "";
  std::vector<ScatterPoint> points;
  for (const MechanismRow& row : t.rows)
    if (row.cells[memory].value && row.cells[bytes].value)
      points.push_back({row.name, *row.cells[bytes].value, *row.cells[memory].value, row.cells[memory].interval, row.pareto});
  if (points.size() < 2) return "";
  ChartOptions o;
  o.title = "Memory against its size, " + t.world;
  o.x_label = "kB of state after 256 frames";
  o.y_label = t.columns[memory].heading;
  o.log_x = true;
  o.width = 640;
  o.height = 340;
  return ScatterChart(points, o);
}

}  // namespace

std::string TableText(const std::vector<MechanismTable>& tables) {
  std::string text;
  for (const MechanismTable& t : tables) {
    text += fmt::format("{}\n", t.world);
    for (const char* axis : kAxes) text += Block(t, axis);
    if (std::any_of(t.rows.begin(), t.rows.end(), [](const MechanismRow& r) { return r.pareto; }))
      text += "  * no other model is as good in every headline number and better in one\n";
    for (const std::string& note : t.notes) text += "  " + note + "\n";
  }
  return text;
}

std::string TableHtml(const std::vector<MechanismTable>& tables) {
  std::string html;
  for (const MechanismTable& t : tables) {
    html += fmt::format(
        "<h3>{}</h3><div class=\"scroll\"><table "
        "class=\"mechanisms\"><tr><th></th><th>subject</th><th>kind</th><th>dynamics</th><th>seeds</th><th>parameters</th>",
        Escape(t.world));
    for (const TableColumn& c : t.columns)
      html += fmt::format("<th title=\"{}\">{}{} {}</th>", Escape(c.metric), Escape(c.heading), c.headline ? " ◆" : "",
                          c.better > 0 ? "↑" : "↓");
    html += "</tr>";
    for (const MechanismRow& row : t.rows) {
      html += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>",
                          row.pareto ? "◆" : "", Escape(row.name), Escape(row.kind), Escape(row.dynamics), row.seeds,
                          row.parameters ? fmt::format("{}", row.parameters) : "");
      for (const TableCell& cell : row.cells) html += CellHtml(cell);
      html += "</tr>";
    }
    html += "</table></div>";
    for (const std::string& note : t.notes) html += fmt::format("<p class=\"quiet\">{}</p>", Escape(note));
    html += Scatter(t);
  }
  if (html.empty()) return "";
  return "<h2>Mechanisms</h2><p class=\"quiet\">Means over training seeds with 95 % intervals over seeds and scenarios. ◆ at a row: no "
         "other model is as good in every headline number (◆ at a column) and better in one.</p>" +
         html;
}

Json TableJson(const std::vector<MechanismTable>& tables) {
  Json out = Json::array();
  for (const MechanismTable& t : tables) {
    Json rows = Json::array();
    for (const MechanismRow& row : t.rows) {
      Json cells = Json::object();
      for (size_t i = 0; i < t.columns.size(); ++i) {
        const TableCell& c = row.cells[i];
        cells[t.columns[i].heading] = {{"metric", t.columns[i].metric},
                                       {"value", c.value ? Json(*c.value) : Json()},
                                       {"ci95", c.interval ? Json::array({c.interval->low, c.interval->high}) : Json()}};
        if (!c.value) cells[t.columns[i].heading]["cause"] = c.cause;
      }
      rows.push_back({{"name", row.name},
                      {"kind", row.kind},
                      {"dynamics", row.dynamics},
                      {"seeds", row.seeds},
                      {"parameters", row.parameters},
                      {"pareto", row.pareto},
                      {"cells", cells}});
    }
    out.push_back({{"world", t.world}, {"rows", rows}, {"notes", t.notes}});
  }
  return out;
}

}  // namespace orrery
