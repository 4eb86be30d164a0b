// Whether the dummies among evaluations score what they must.
#include "eval/suite/sanity_rules.h"

#include <set>

#include "eval/recordings/recording.h"
#include "eval/suite/suite.h"

namespace orrery {

namespace {

using On = SanityRule::On;

bool In(std::string_view wanted, std::string_view world) {
  return wanted.starts_with('!') ? !world.starts_with(wanted.substr(1)) : world.starts_with(wanted);
}

}  // namespace

std::vector<SanityRow> SanityRows(const std::vector<Evaluation>& evaluations) {
  std::map<std::pair<std::string, std::string>, SanityRule::Scores> by;  // metric, world
  for (const Evaluation& e : evaluations) {
    const std::string name = e.model.at("name");
    if (e.model.value("kind", "") != "dummy") continue;
    const std::string dummy = name.substr(name.find(':') + 1);
    for (const Metric& m : e.metrics) {
      by[{m.id, m.world}][dummy] = {m.value, m.cause, m.interval};
      for (const auto& [part, score] : m.by)
        by[{m.id + "@" + part, m.world}][dummy] = {score.value, "this part has no value", score.interval};
    }
  }
  std::vector<SanityRow> rows;
  for (const SanityRule& rule : SanityRules())
    for (const auto& [key, scores] : by) {
      const bool recorded = IsRecording(key.second);
      if (key.first != rule.metric || rule.worlds == (recorded ? On::kBuiltIn : On::kRecordings)) continue;
      if (!In(rule.world, key.second)) continue;
      const auto found = scores.find(rule.dummy);
      if (found == scores.end()) continue;
      const std::optional<double> got = found->second.value;
      const auto copy = scores.find("copy");
      if (recorded && !got && copy != scores.end() && !copy->second.value) continue;  // these episodes do not define it, even of the truth
      if (!got && found->second.cause.starts_with(kOfNoSubject)) continue;
      rows.push_back({fmt::format("{} ({})", key.first, key.second), rule.dummy,
                      got ? rule.expected : fmt::format("{}; none: {}", rule.expected, found->second.cause), got,
                      got && rule.holds(*got, scores)});
    }
  return rows;
}

std::vector<std::string> UnansweredRules(const std::vector<SanityRow>& rows) {
  std::set<std::pair<std::string, std::string>> answered;
  for (const SanityRow& row : rows) answered.emplace(row.metric.substr(0, row.metric.find(" (")), row.dummy);
  std::vector<std::string> left;
  for (const SanityRule& rule : SanityRules())
    if (!answered.contains({rule.metric, rule.dummy})) left.push_back(fmt::format("{} of {}", rule.metric, rule.dummy));
  return left;
}

}  // namespace orrery
