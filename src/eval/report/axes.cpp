#include "eval/report/axes.h"

#include <algorithm>
#include <map>
#include <span>

#include "eval/report/chart.h"
#include "eval/statistics.h"

namespace orrery {

namespace {

constexpr std::array kBest = {"perfect", "oracle", "real"};
constexpr std::array kKnowNothing = {"random", "ignore", "frozen",   "chance",    "wrongact",     "paused",   "stale",  "still",
                                     "worst",  "blind",  "constant", "discarded", "single-frame", "shuffled", "reverse"};

std::string Name(const Evaluation& e) { return e.model.value("name", "unnamed"); }

// The second word of an id: "twin" of causality.twin.remove.cne.
std::string ProbeOf(const std::string& id) {
  const size_t first = id.find('.');
  return id.substr(first + 1, id.find_first_of(".@", first + 1) - first - 1);
}

double MeanOf(const std::map<std::string, std::vector<double>>& groups) {
  double sum = 0;
  for (const auto& [name, values] : groups) sum += Mean(values);
  return sum / static_cast<double>(groups.size());
}

// Metrics named NAME@NET of one net; by name and world.
std::map<std::pair<std::string, std::string>, const Metric*> OfNet(const Evaluation& e, const std::string& net) {
  std::map<std::pair<std::string, std::string>, const Metric*> found;
  for (const Metric& m : e.metrics)
    if (const size_t at = m.id.find('@'); at != std::string::npos && m.id.substr(at + 1) == net && m.direction == "lower" && m.value)
      found[{m.id.substr(m.id.find('.') + 1, at - m.id.find('.') - 1), m.world}] = &m;
  return found;
}

struct Judged {
  std::string name;
  const Metric *trained, *random;
};

// Whether a is below b beyond both intervals.
bool Below(const Metric& a, const Metric& b) { return a.interval && b.interval && a.interval->high < b.interval->low; }

std::string Rest(size_t count, size_t named) { return count > named ? fmt::format("; and {} more", count - named) : ""; }

NetAgreement Agreement(const std::vector<Judged>& subjects) {
  NetAgreement out;
  std::vector<double> trained, random;
  for (const Judged& s : subjects) {
    trained.push_back(*s.trained->value);
    random.push_back(*s.random->value);
    for (const Judged& other : subjects)
      if (Below(*s.trained, *other.trained) && Below(*other.random, *s.random)) out.opposed.emplace_back(s.name, other.name);
  }
  out.subjects = std::ssize(subjects);
  out.spearman = Spearman(trained, random);
  return out;
}

constexpr double kNames = 220, kBar = 180, kNumber = 30, kColumn = kBar + kNumber + 18, kRow = 24, kHead = 40;  // px of the glance

std::string AxisBar(double x, double y, const AxisScore& axis, const std::string& what) {
  std::string svg = fmt::format("<rect x=\"{:.0f}\" y=\"{:.0f}\" width=\"{}\" height=\"14\" class=\"track\"/>", x, y + 4, kBar);
  if (!axis.score) return svg + fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" class=\"tick\">not measured</text>", x + 4, y + 15);
  svg += fmt::format("<rect x=\"{:.0f}\" y=\"{:.0f}\" width=\"{:.1f}\" height=\"14\" class=\"bar\">", x, y + 4, kBar * *axis.score);
  svg += fmt::format("<title>{}: {:.2f}, of {} metrics</title></rect>", what, *axis.score, axis.metrics);
  return svg + fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" class=\"tick\">{:.2f}</text>", x + kBar + 4, y + 15, *axis.score);
}

}  // namespace

std::optional<double> AnchoredScore(const Metric& m) {
  if (!m.value || m.unit == "dB" || m.direction == "neither") return std::nullopt;
  const bool cost = m.id.starts_with("cost."), higher = m.direction == "higher";
  std::optional<double> best, worst;
  if (cost && m.anchors.contains("constant") && m.anchors.contains("linear")) {
    best = m.anchors.at("constant");
    worst = m.anchors.at("linear");
  } else if (!cost) {
    for (const char* name : kBest)
      if (const auto found = m.anchors.find(name); !best && found != m.anchors.end()) best = found->second;
    for (const char* name : kKnowNothing)
      if (const auto found = m.anchors.find(name); found != m.anchors.end())
        if (!worst || (higher ? found->second > *worst : found->second < *worst)) worst = found->second;
  }
  if (!best || !worst || (higher ? *best <= *worst : *best >= *worst)) return std::nullopt;
  return std::clamp((*m.value - *worst) / (*best - *worst), 0.0, 1.0);
}

std::array<AxisScore, kAxes.size()> AxisScores(const Evaluation& e) {
  std::array<AxisScore, kAxes.size()> axes;
  for (size_t i = 0; i < kAxes.size(); ++i) {
    std::map<std::string, std::vector<double>> by_id, by_probe;
    for (const Metric& m : e.metrics)
      if (m.id.starts_with(fmt::format("{}.", kAxes[i])))
        if (const auto score = AnchoredScore(m)) by_id[m.id].push_back(*score);
    for (const auto& [id, worlds] : by_id) by_probe[ProbeOf(id)].push_back(Mean(worlds));
    axes[i].metrics = std::ssize(by_id);
    if (!by_probe.empty()) axes[i].score = MeanOf(by_probe);
  }
  return axes;
}

std::string AxesChart(const std::vector<Evaluation>& all) {
  std::string svg;
  bool any = false;
  for (size_t i = 0; i < kAxes.size(); ++i)
    svg += fmt::format("<text x=\"{:.0f}\" y=\"26\" class=\"title\">{}</text>", kNames + static_cast<double>(i) * kColumn, kAxes[i]);
  for (size_t r = 0; r < all.size(); ++r) {
    const std::string name = Escape(Name(all[r]));
    const double y = kHead + kRow * static_cast<double>(r);
    svg += fmt::format("<text x=\"{}\" y=\"{:.0f}\" class=\"tick\" text-anchor=\"end\">{}</text>", kNames - 10, y + 15, name);
    const auto axes = AxisScores(all[r]);
    for (size_t i = 0; i < axes.size(); ++i) {
      svg += AxisBar(kNames + static_cast<double>(i) * kColumn, y, axes[i], fmt::format("{}, {}", name, kAxes[i]));
      any = any || axes[i].score;
    }
  }
  if (!any) return "";
  const double width = kNames + static_cast<double>(kAxes.size()) * kColumn, height = kHead + kRow * static_cast<double>(all.size()) + 8;
  return fmt::format(
      "<h2>At a glance</h2><p class=\"quiet\">0: as good as who knows nothing (random, ignore, frozen, by chance); 1: perfect; of "
      "cost, 0: grows in proportion to the history, 1: does not grow. Means over probes of the metrics that have both ends; to look "
      "at, not to test.</p><svg xmlns=\"http://www.w3.org/2000/svg\" id=\"axes\" class=\"chart\" role=\"img\" "
      "aria-label=\"scores of every subject on four axes\" viewBox=\"0 0 {:.0f} {:.0f}\" "
      "style=\"width:100%;height:auto\">{}</svg>",
      width, height, svg);
}

std::vector<NetAgreement> NetAgreements(const std::vector<Evaluation>& all) {
  std::vector<NetAgreement> out;
  for (const char* net : {"F-img", "F-vid"}) {
    std::map<std::pair<std::string, std::string>, std::vector<Judged>> subjects;
    for (const Evaluation& e : all) {
      const auto random = OfNet(e, "F-rand");
      for (const auto& [key, trained] : OfNet(e, net))
        if (const auto found = random.find(key); found != random.end()) subjects[key].push_back({Name(e), trained, found->second});
    }
    for (const auto& [key, judged] : subjects) {
      if (judged.size() < 3) continue;
      out.push_back(Agreement(judged));
      out.back().metric = key.first;
      out.back().world = key.second;
      out.back().nets = fmt::format("{} and F-rand", net);
    }
  }
  return out;
}

std::string AgreementTable(const std::vector<Evaluation>& all) {
  std::string rows;
  for (const NetAgreement& a : NetAgreements(all)) {
    constexpr size_t kNamed = 6;
    std::string told;
    for (const auto& [nearer, farther] : std::span(a.opposed).first(std::min(kNamed, a.opposed.size())))
      told += fmt::format("{}{} before {}", told.empty() ? "" : "; ", Escape(nearer), Escape(farther));
    rows +=
        fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{:.2f}</td><td class=\"{}\">{}</td></tr>",
                    Escape(a.metric), Escape(a.world), Escape(a.nets), a.subjects, a.spearman, a.opposed.empty() ? "pass" : "fail",
                    a.opposed.empty() ? "none" : told + Rest(a.opposed.size(), kNamed) + ", the other way round by F-rand");
  }
  if (rows.empty()) return "";
  return "<h3 id=\"agreement\">Do trained and random features rank alike?</h3><div "
         "class=\"scroll\"><table><tr><th>distance</th><th>world</th>"
         "<th>nets</th><th>subjects</th><th>Spearman</th><th>told apart by both, and opposed</th></tr>" +
         rows + "</table></div>";
}

}  // namespace orrery
