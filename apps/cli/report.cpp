#include <iostream>

#include "cli/verbs.h"
#include "core/file.h"
#include "eval/report/claims.h"
#include "eval/report/margins.h"
#include "eval/report/page.h"
#include "eval/report/table.h"

namespace orrery::cli {
namespace {

namespace fs = std::filesystem;

struct ReportArguments {
  std::vector<std::string> folders;
  std::string out = "report.html", json;
};

std::string NumberText(const Metric& m) {
  if (!m.value) return "none: " + m.cause;
  return fmt::format("{:.4g} ({:.4g} to {:.4g}) {}", *m.value, m.interval->low, m.interval->high, m.unit == "1" ? "" : m.unit);
}

std::string ClaimsText(const std::vector<Claim>& claims) {
  std::string text = "claims\n";
  for (const Claim& c : claims)
    text += fmt::format("  {:<4} {:<13} {}\n{:20}{}{}\n", c.id, c.verdict, c.statement, "",
                        c.p_holm ? fmt::format("p {:.2g} (Holm); ", *c.p_holm) : "", c.reason);
  return text;
}

Json ClaimsJson(const std::vector<Claim>& claims) {
  Evaluation whole;
  whole.claims = claims;
  return ToJson(whole).at("claims");
}

void Report(const ReportArguments& a) {
  std::vector<Evaluation> all = JoinRuns(LoadRuns({a.folders.begin(), a.folders.end()}));
  const std::vector<Recipe> recipes = Recipes(all);
  const std::vector<MechanismTable> tables = MechanismTables(recipes);
  const std::vector<MarginTable> margins = Margins(recipes);
  const std::vector<Claim> claims = JudgeClaims(recipes);
  std::cout << TableText(tables) << "\n" << MarginText(margins) << "\n" << ClaimsText(claims) << "\n";
  for (Evaluation& e : all) e.claims.clear();  // of fewer runs
  all.front().claims = claims;
  WriteFileAtomic(a.out, ReportPage(all));
  if (!a.json.empty()) WriteJson(a.json, {{"tables", TableJson(tables)}, {"margins", MarginJson(margins)}, {"claims", ClaimsJson(claims)}});
  for (const Evaluation& e : all) {
    std::cout << e.model.at("name").get<std::string>() << "\n";
    for (const Metric& m : e.metrics) std::cout << fmt::format("  {:<40} {:<18} {}\n", m.id, m.world, NumberText(m));
  }
}

}  // namespace

void AddReport(CLI::App& app) {
  auto a = std::make_shared<ReportArguments>();
  CLI::App* verb = app.add_subcommand(
      "report", "Put finished evaluations together: mechanisms side by side, claims about them judged, one HTML page, and all numbers");
  verb->add_option("folders", a->folders, "Folders with an eval.json, or with such folders in them; runs of one model are joined")
      ->required();
  verb->add_option("--out", a->out, "Page to write")->capture_default_str();
  verb->add_option("--json", a->json, "File to write the table and the claims to, as data");
  Example(*verb, "orrery report results/states --out states.html\n  orrery report results/maze/models_maze results/other --json both.json");
  verb->callback([a] { Report(*a); });
}

}  // namespace orrery::cli
