#include "eval/report/page.h"

#include <algorithm>
#include <set>

#include "eval/report/axes.h"
#include "eval/report/chart.h"
#include "eval/report/margins.h"
#include "eval/report/table.h"

namespace orrery {

namespace {

constexpr const char* kStyle = R"css(
:root{--ink:#1a1a1a;--paper:#fff;--soft:#f3f4f6;--line:#d5d8dd;--good:#1a7f37;--bad:#b3261e}
@media (prefers-color-scheme:dark){:root{--ink:#e6e6e6;--paper:#16181c;--soft:#22262d;--line:#3a4049;--good:#4cc26b;--bad:#ff7b72}}
body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:1100px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem}h2{font-size:1.25rem;margin-top:2.2rem;border-bottom:1px solid var(--line)}h3{font-size:1rem;margin-bottom:.3rem}
table{border-collapse:collapse;font-size:.86rem;margin:.6rem 0}td,th{padding:.25rem .55rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th{background:var(--soft)}td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}.scroll{overflow-x:auto}
.banner{background:var(--bad);color:#fff;padding:.7rem 1rem;border-radius:.4rem;font-weight:600}.fine{background:var(--good);color:#fff;padding:.4rem 1rem;border-radius:.4rem}
.pass{color:var(--good)}.fail{color:var(--bad);font-weight:600}.quiet{opacity:.7;font-size:.82rem}
.charts{display:flex;flex-wrap:wrap;gap:1rem}svg.chart{background:var(--soft);border-radius:.4rem}svg text{fill:var(--ink);font:11px system-ui,sans-serif}
svg .title{font-weight:600;font-size:12px}svg .grid{stroke:var(--line);stroke-width:.7}svg .marker{stroke:var(--bad);stroke-dasharray:4 3}svg .anchor{stroke:var(--ink);opacity:.35;stroke-width:2}
svg .track{fill:var(--line);opacity:.6}svg .bar{fill:#4a90c4}svg .fit{stroke-dasharray:5 4;opacity:.8}
img.strip{image-rendering:pixelated;max-width:100%}code{background:var(--soft);padding:.05rem .3rem;border-radius:.2rem}
)css";

struct Family {
  const char *prefix, *title, *question;
};
constexpr Family kFamilies[] = {
    {"quality.", "Quality", "Does it look right?"},
    {"persistence.", "Persistence", "Is what was seen still there later?"},
    {"causality.", "Causality", "Does it obey cause and effect?"},
    {"cost.", "Cost", "What does a frame take, in time and memory?"},
};

std::string Text(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

std::string Name(const Evaluation& e) { return e.model.contains("name") ? Text(e.model.at("name")) : "unnamed"; }

std::string ValueCell(const std::optional<double>& value, const std::optional<Interval>& interval) {
  if (!value) return "<td class=\"n\">–</td>";
  std::string range =
      interval ? fmt::format(" <span class=\"quiet\">({} to {})</span>", Format(interval->low), Format(interval->high)) : "";
  return fmt::format("<td class=\"n\">{}{}</td>", Format(*value), range);
}

std::string ObjectTable(const Json& object) {
  std::string html = "<table>";
  for (const auto& [key, value] : object.items()) html += fmt::format("<tr><th>{}</th><td>{}</td></tr>", Escape(key), Escape(Text(value)));
  return html + "</table>";
}

// Probes that ended in an error: what they would have measured is not there.
std::string FailedCells(const std::vector<Evaluation>& all) {
  std::string html;
  int64_t count = 0;
  for (const Evaluation& e : all)
    for (const Json& cell : e.protocol.value("failed", Json::array())) {
      html += fmt::format("<li>{}: {} on {}: {}</li>", Escape(Name(e)), Escape(Text(cell.at("probe"))), Escape(Text(cell.at("world"))),
                          Escape(Text(cell.at("reason"))));
      ++count;
    }
  if (!count) return "";
  return fmt::format("<div class=\"banner\" id=\"failed\">{} {} in an error, the numbers are missing:<ul>{}</ul></div>", count,
                     count == 1 ? "probe ended" : "probes ended", html);
}

std::string Header(const std::vector<Evaluation>& all) {
  int64_t rows = 0, failed = 0;
  for (const Evaluation& e : all)
    for (const SanityRow& s : e.sanity) {
      ++rows;
      failed += !s.pass;
    }
  std::string html = "<h1>Orrery: functional evaluation</h1>" + FailedCells(all);
  if (failed)
    html += fmt::format("<p class=\"banner\" id=\"banner\">{} of {} sanity checks failed: the metrics they belong to must not be used.</p>",
                        failed, rows);
  else if (rows)
    html += fmt::format("<p class=\"fine\" id=\"banner\">All {} sanity checks hold.</p>", rows);
  for (const Evaluation& e : all)
    html += fmt::format("<details{}><summary><b>{}</b></summary>{}{}{}</details>", all.size() == 1 ? " open" : "", Escape(Name(e)),
                        ObjectTable(e.model), ObjectTable(e.run), ObjectTable(e.protocol));
  return html;
}

using Key = std::pair<std::string, std::string>;  // id, world

const Metric* Find(const Evaluation& e, const Key& key) {
  for (const Metric& m : e.metrics)
    if (m.id == key.first && m.world == key.second) return &m;
  return nullptr;
}

// Ids and worlds of a family in order of first appearance.
std::vector<Key> Keys(const std::vector<Evaluation>& all, const std::string& prefix) {
  std::vector<Key> keys;
  for (const Evaluation& e : all)
    for (const Metric& m : e.metrics)
      if (const Key key{m.id, m.world}; m.id.starts_with(prefix) && std::find(keys.begin(), keys.end(), key) == keys.end())
        keys.push_back(key);
  return keys;
}

std::string FamilyTable(const std::vector<Evaluation>& all, const std::vector<Key>& keys) {
  std::string html = "<div class=\"scroll\"><table><tr><th>metric</th><th>world</th><th>better</th>";
  for (const Evaluation& e : all) html += fmt::format("<th>{}</th>", Escape(Name(e)));
  html += "<th>known subjects</th></tr>";
  for (const Key& key : keys) {
    const Metric* first = nullptr;
    std::string cells;
    for (const Evaluation& e : all) {
      const Metric* m = Find(e, key);
      if (m && !first) first = m;
      cells += !m         ? "<td class=\"n\"></td>"
               : m->value ? ValueCell(m->value, m->interval)
                          : fmt::format("<td class=\"quiet\" title=\"{0}\">none: {0}</td>", Escape(m->cause));
    }
    std::string anchors;
    for (const auto& [name, value] : first->anchors) anchors += fmt::format("{} {}; ", Escape(name), Format(value));
    html += fmt::format(
        "<tr><td><a href=\"#{0}\">{0}</a> <span class=\"quiet\">{1}</span></td><td>{2}</td><td>{3}</td>{4}<td "
        "class=\"quiet\">{5}</td></tr>",
        Escape(key.first), Escape(first->unit == "1" ? "" : first->unit), Escape(key.second), first->direction, cells, anchors);
  }
  return html + "</table></div>";
}

constexpr const char* kHorizon = "imagined frames";

// The survey's: naive models collapse after some 600 frames, stable ones last beyond 1,800.
std::vector<Marker> Landmarks(double last) {
  std::vector<Marker> markers;
  for (const double at : {600.0, 1800.0})
    if (at <= last) markers.push_back({at, Format(at)});
  return markers;
}

std::string FamilyCharts(const std::vector<Evaluation>& all, const std::vector<Key>& keys) {
  std::string html = "<div class=\"charts\">";
  for (const Key& key : keys) {
    std::vector<Series> series;
    ChartOptions o;
    o.title = key.first + ", " + key.second;
    std::vector<IntervalRow> rows;
    for (const Evaluation& e : all) {
      const Metric* m = Find(e, key);
      if (!m) continue;
      rows.push_back({Name(e), m->value, m->interval, m->anchors});
      if (!m->curve) continue;
      const Curve& c = *m->curve;
      series.push_back({.name = Name(e), .x = c.x, .y = c.y, .low = c.low, .high = c.high, .fit = c.fit});
      o.x_label = c.x_label;
      o.y_label = c.y_label;
      o.log_x = c.log_x;
      o.log_y = c.log_y;
      if (!c.x.empty() && c.x_label == kHorizon) o.markers = Landmarks(c.x.back());
    }
    if (!series.empty())
      html += LineChart(series, o);
    else if (rows.size() > 1)
      html += IntervalChart(rows, o);
  }
  return html + "</div>";
}

std::string Parts(const std::vector<Evaluation>& all, const std::vector<Key>& keys) {
  std::string html;
  for (const Key& key : keys) {
    std::set<std::string> names;
    for (const Evaluation& e : all)
      if (const Metric* m = Find(e, key))
        for (const auto& [name, part] : m->by) names.insert(name);
    if (names.empty()) continue;
    html += fmt::format("<details><summary>{}, {}: by part</summary><table><tr><th></th>", Escape(key.first), Escape(key.second));
    for (const Evaluation& e : all) html += fmt::format("<th>{}</th>", Escape(Name(e)));
    html += "</tr>";
    for (const std::string& name : names) {
      html += fmt::format("<tr><td>{}</td>", Escape(name));
      for (const Evaluation& e : all) {
        const Metric* m = Find(e, key);
        const auto part = m ? m->by.find(name) : std::map<std::string, MetricPart>::const_iterator{};
        html += m && part != m->by.end() ? ValueCell(part->second.value, part->second.interval) : "<td></td>";
      }
      html += "</tr>";
    }
    html += "</table></details>";
  }
  return html;
}

std::string Strips(const std::vector<Evaluation>& all) {
  std::string html;
  for (const Evaluation& e : all)
    for (const Strip& s : e.strips)
      html += fmt::format(
          "<h3>{}: {} <span class=\"quiet\">{}</span></h3><img class=\"strip\" alt=\"film strip of {}\" src=\"data:image/png;base64,{}\">",
          Escape(Name(e)), Escape(s.why), Escape(s.scenario), Escape(s.scenario), Base64(s.png));
  return html.empty() ? "" : "<h2>Film strips, chosen by rule</h2>" + html;
}

std::string Claims(const std::vector<Evaluation>& all) {
  std::string html;
  for (const Evaluation& e : all)
    for (const Claim& c : e.claims) {
      const std::string sort = c.verdict == "supported" ? "pass" : c.verdict == "contradicted" ? "fail" : "quiet";
      html += fmt::format("<tr><td>{}</td><td>{}</td>{}<td class=\"n\">{}</td><td class=\"{}\">{}</td><td class=\"quiet\">{}</td></tr>",
                          Escape(c.id), Escape(c.statement), ValueCell(c.effect, c.interval), c.p_holm ? Format(*c.p_holm) : "–", sort,
                          Escape(c.verdict), Escape(c.reason));
    }
  if (html.empty()) return "";
  return "<h2>Claims</h2><div class=\"scroll\"><table><tr><th></th><th>claim</th><th>effect</th><th>p "
         "(Holm)</th><th>verdict</th><th>why</th></tr>" +
         html + "</table></div>";
}

std::string Sanity(const std::vector<Evaluation>& all) {
  std::string html;
  for (const Evaluation& e : all)
    for (const SanityRow& s : e.sanity)
      html += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"{}\">{}</td></tr>", Escape(s.metric),
                          Escape(s.dummy), Escape(s.expected), s.got ? Format(*s.got) : "–", s.pass ? "pass" : "fail",
                          s.pass ? "holds" : "FAILS");
  if (html.empty()) return "";
  return "<h2>Sanity</h2><p>What subjects with a known fault must score.</p><div class=\"scroll\"><table "
         "id=\"sanity\"><tr><th>metric</th><th>dummy</th>"
         "<th>expected</th><th>got</th><th></th></tr>" +
         html + "</table></div>";
}

std::string Definitions(const std::vector<Evaluation>& all) {
  std::string html = "<h2>Every metric</h2>";
  std::set<std::string> told;
  for (const Evaluation& e : all)
    for (const Metric& m : e.metrics) {
      if (!told.insert(m.id).second) continue;
      std::string notes;
      for (const std::string& note : m.notes) notes += Escape(note) + " ";
      html += fmt::format(
          "<h3 id=\"{0}\">{0}</h3><p>{1}<span class=\"quiet\">Unit {2}; better {3}; range {4} to {5}; interval {6}; {7} scenarios, {8} "
          "failed; source {9}.</span></p>",
          Escape(m.id), notes, Escape(m.unit), m.direction, m.lowest ? Format(*m.lowest) : "−∞", m.highest ? Format(*m.highest) : "∞",
          Escape(m.method.empty() ? "none" : m.method), m.count, m.failed, Escape(m.source));
    }
  return html;
}

}  // namespace

std::string Base64(const std::string& bytes) {
  constexpr const char* letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) group = group << 8 | (i + k < bytes.size() ? static_cast<uint8_t>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k) out += i + k <= bytes.size() ? letters[group >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

std::string ReportPage(const std::vector<Evaluation>& all) {
  std::string html = fmt::format(
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
      "<title>Orrery evaluation</title><style>{}</style></head><body>{}",
      kStyle, Header(all));
  const std::vector<Recipe> recipes = Recipes(all);
  html += AxesChart(all) + Claims(all) + TableHtml(MechanismTables(recipes)) + MarginHtml(Margins(recipes));
  for (const Family& family : kFamilies) {
    const std::vector<Key> keys = Keys(all, family.prefix);
    if (keys.empty()) continue;
    html += fmt::format("<h2>{}</h2><p class=\"quiet\">{}</p>", family.title, family.question) + FamilyTable(all, keys) +
            FamilyCharts(all, keys) + (std::string_view(family.prefix) == "quality." ? AgreementTable(all) : "") + Parts(all, keys);
  }
  return html + Strips(all) + Sanity(all) + Definitions(all) + "</body></html>\n";
}

}  // namespace orrery
