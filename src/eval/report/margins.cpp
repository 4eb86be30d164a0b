#include "eval/report/margins.h"

#include <algorithm>
#include <set>

#include "eval/report/chart.h"

namespace orrery {

namespace {

const Recipe* Baseline(const std::vector<Recipe>& recipes) {
  const auto found = std::find_if(recipes.begin(), recipes.end(),
                                  [](const Recipe& r) { return r.model && r.mechanism.parts.size() == 1 && r.mechanism.Has("window"); });
  return found == recipes.end() ? nullptr : &*found;
}

std::optional<Margin> MarginOf(const Recipe& of, const Recipe& to, const Metric& m, const std::string& part) {
  const SeedValues a = ValuesOf(of, m.id, m.world, part), b = ValuesOf(to, m.id, m.world, part);
  if (a.empty() || b.empty()) return {};
  const std::vector<SeedValues> both{a, b};
  const Resampled difference = Resample(both, [](std::span<const double> v) { return v[0] - v[1]; });
  return Margin{difference.value, difference.interval};
}

MarginTable TableOf(const std::vector<Recipe>& recipes, const Recipe& baseline, const Metric& metric) {
  MarginTable t{metric.id, metric.world, metric.unit, metric.direction == "lower" ? -1 : 1, baseline.name, {}, {}};
  for (const auto& [part, score] : metric.by)
    if (part.starts_with("gap=") && score.value) t.parts.push_back(part);
  for (const Recipe& r : recipes) {
    if (!r.model || &r == &baseline) continue;
    MarginTable::Row row{r.name, {}};
    for (const std::string& part : t.parts) row.margins.push_back(MarginOf(r, baseline, metric, part));
    if (std::any_of(row.margins.begin(), row.margins.end(), [](const auto& m) { return m.has_value(); })) t.rows.push_back(std::move(row));
  }
  return t;
}

std::string Gap(const std::string& part) { return fmt::format("gap {}", std::stoll(part.substr(4))); }
std::string Unit(const MarginTable& t) { return t.unit.empty() || t.unit == "1" ? "" : ", " + t.unit; }

}  // namespace

std::vector<MarginTable> Margins(const std::vector<Recipe>& recipes) {
  std::vector<MarginTable> tables;
  const Recipe* baseline = Baseline(recipes);
  if (!baseline) return tables;
  std::set<std::pair<std::string, std::string>> done;
  for (const Evaluation* e : baseline->runs)
    for (const Metric& m : e->metrics) {
      if (!m.value || !done.emplace(m.id, m.world).second) continue;
      MarginTable t = TableOf(recipes, *baseline, m);
      if (!t.parts.empty() && !t.rows.empty()) tables.push_back(std::move(t));
    }
  return tables;
}

std::string MarginText(const std::vector<MarginTable>& tables) {
  std::string text;
  for (const MarginTable& t : tables) {
    text += fmt::format("{} on {}, less that of {}{} (*: the 95 % interval leaves out 0)\n  {:<46}", t.metric, t.world, t.baseline, Unit(t),
                        "");
    for (const std::string& part : t.parts) text += fmt::format("  {:<22}", Gap(part));
    text += "\n";
    for (const MarginTable::Row& row : t.rows) {
      text += fmt::format("  {:<46.46}", row.name);
      for (const auto& m : row.margins)
        text += fmt::format(
            "  {:<22}",
            m ? fmt::format("{:+.2f} [{:.2f}, {:.2f}]{}", m->value, m->interval.low, m->interval.high, m->Clear() ? " *" : "") : "-");
      text += "\n";
    }
  }
  return text;
}

std::string MarginHtml(const std::vector<MarginTable>& tables) {
  std::string html;
  for (const MarginTable& t : tables) {
    html += fmt::format("<h3>{} on {}{}, less that of {} {}</h3><div class=\"scroll\"><table class=\"mechanisms\"><tr><th>subject</th>",
                        Escape(t.metric), Escape(t.world), Escape(Unit(t)), Escape(t.baseline), t.better > 0 ? "↑" : "↓");
    for (const std::string& part : t.parts) html += fmt::format("<th>{}</th>", Gap(part));
    html += "</tr>";
    for (const MarginTable::Row& row : t.rows) {
      html += fmt::format("<tr><td>{}</td>", Escape(row.name));
      for (const auto& m : row.margins)
        html += m ? fmt::format("<td class=\"n{}\">{:.2f} <span class=\"quiet\">({:.2f} to {:.2f})</span></td>", m->Clear() ? "" : " quiet",
                                m->value, m->interval.low, m->interval.high)
                  : std::string("<td class=\"n quiet\">–</td>");
      html += "</tr>";
    }
    html += "</table></div>";
  }
  if (html.empty()) return "";
  return "<h2>What a state adds to a window</h2><p class=\"quiet\">Differences on the same scenarios, with 95 % intervals over seeds and "
         "scenarios; grey where the interval has 0 in it.</p>" +
         html;
}

Json MarginJson(const std::vector<MarginTable>& tables) {
  Json out = Json::array();
  for (const MarginTable& t : tables) {
    Json rows = Json::array();
    for (const MarginTable::Row& row : t.rows) {
      Json parts = Json::object();
      for (size_t i = 0; i < t.parts.size(); ++i)
        if (const auto& m = row.margins[i]) parts[t.parts[i]] = {{"value", m->value}, {"ci95", {m->interval.low, m->interval.high}}};
      rows.push_back({{"name", row.name}, {"margins", parts}});
    }
    out.push_back({{"metric", t.metric}, {"world", t.world}, {"baseline", t.baseline}, {"rows", rows}});
  }
  return out;
}

}  // namespace orrery
