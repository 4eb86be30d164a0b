#include <iostream>

#include "cli/verbs.h"
#include "core/file.h"
#include "eval/quality/feature_net.h"
#include "eval/recordings/recording.h"
#include "eval/report/claims.h"
#include "eval/report/page.h"
#include "eval/suite/suite.h"

namespace orrery::cli {
namespace {

namespace fs = std::filesystem;

struct EvalArguments {
  std::vector<std::string> subjects;
  std::string suite = "quick", out;
  std::vector<std::string> worlds, probes, data, features;
  RecordingOptions recording;
};

std::vector<std::string> SplitCommas(const std::vector<std::string>& words) {
  std::vector<std::string> out;
  for (const std::string& word : words) {
    size_t begin = 0, depth = 0;
    for (size_t i = 0; i <= word.size(); ++i) {
      if (i < word.size() && word[i] == '(') ++depth;
      if (i < word.size() && word[i] == ')') --depth;
      if (i < word.size() && (word[i] != ',' || depth > 0)) continue;
      if (i > begin) out.push_back(word.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  return out;
}

int64_t Failed(const std::vector<SanityRow>& rows) {
  return std::count_if(rows.begin(), rows.end(), [](const SanityRow& r) { return !r.pass; });
}

// "SUBJECT: PROBE on WORLD: REASON" of cells that ended in an error.
std::vector<std::string> FailedCells(const std::vector<Evaluation>& all) {
  std::vector<std::string> lines;
  for (const Evaluation& e : all)
    for (const Json& cell : e.protocol.at("failed"))
      lines.push_back(fmt::format("{}: {} on {}: {}", e.model.at("name").get<std::string>(), cell.at("probe").get<std::string>(),
                                  cell.at("world").get<std::string>(), cell.at("reason").get<std::string>()));
  return lines;
}

// Claims are about models beside each other.
void AddClaims(std::vector<Evaluation>& all) {
  const std::vector<Recipe> recipes = Recipes(all);
  if (std::count_if(recipes.begin(), recipes.end(), [](const Recipe& r) { return r.model; }) > 1) all.front().claims = JudgeClaims(recipes);
}

void Evaluate(const EvalArguments& a) {
  for (const std::string& spec : a.features) AddFeatureNet(spec);
  std::vector<std::unique_ptr<Subject>> subjects;
  for (const std::string& spec : SplitCommas(a.subjects))
    for (auto& subject : MakeSubjects(spec)) subjects.push_back(std::move(subject));
  SuiteOptions options{.suite = a.suite, .worlds = SplitCommas(a.worlds)};
  options.probes = SplitCommas(a.probes);
  std::tie(options.rank, options.ranks) = LauncherRank();
  for (const std::string& folder : a.data) {
    RecordingOptions recording = a.recording;
    recording.path = folder;
    options.recordings.push_back(FormatSpec("recording", Json(recording)));
  }
  std::vector<Evaluation> all = RunSuite(subjects, options, a.out);
  if (options.rank != 0) return;
  for (Evaluation& e : all) e.run["orrery"] = ORRERY_VERSION;
  all.front().sanity = SanityRows(all);
  AddClaims(all);
  for (const Evaluation& e : all) SaveEvaluation(e, fs::path(a.out) / FileName(e.model.at("name")));
  WriteFileAtomic(fs::path(a.out) / "report.html", ReportPage(all));
  Json summary{
      {"out", a.out}, {"subjects", all.size()}, {"sanity", all.front().sanity.size()}, {"sanity_failed", Failed(all.front().sanity)}};
  Json failures = Json::array();
  for (const SanityRow& r : all.front().sanity)
    if (!r.pass)
      failures.push_back(
          fmt::format("{} of {}: expected {}, got {}", r.metric, r.dummy, r.expected, r.got ? fmt::format("{:.6g}", *r.got) : "nothing"));
  if (!failures.empty()) summary["failures"] = failures;
  const std::vector<std::string> failed = FailedCells(all);
  if (!failed.empty()) summary["failed"] = failed;
  if (!all.front().sanity.empty() && a.worlds.empty() && a.probes.empty() && a.data.empty())
    summary["sanity_unanswered"] = UnansweredRules(all.front().sanity);
  std::cout << summary.dump(2) << "\n";
  if (!failed.empty())
    Fail("{} probes ended in an error and {} sanity checks failed; the report names them", failed.size(), failures.size());
  if (!failures.empty()) Fail("{} sanity checks failed; the report names them", failures.size());
}

}  // namespace

void AddEval(CLI::App& app) {
  auto a = std::make_shared<EvalArguments>();
  CLI::App* verb =
      app.add_subcommand("eval", "Judge models by what they do: quality, persistence, causality, cost; JSON and one HTML page");
  verb->add_option("subjects", a->subjects, "Model folders, dummy:NAME, dummy:all, truth; several, also separated by commas")->required();
  verb->add_option("--suite", a->suite, "quick, full (four times the scenarios), or memory (long gaps and films in the maze alone)")
      ->capture_default_str();
  verb->add_option("--world", a->worlds, "Only these worlds (default: all that fit)");
  verb->add_option("--probes", a->probes, "Only these probes (default: all)");
  verb->add_option("--data", a->data,
                   "Data sets to judge on, instead of the built-in worlds (unless --world names some): recorded episodes");
  verb->add_option("--split", a->recording.split, "Their episodes: validation (those that training held out), train or all")
      ->capture_default_str();
  verb->add_option("--validation-share", a->recording.share, "Share of the episodes that training held out")->capture_default_str();
  verb->add_option(
      "--features", a->features,
      "NAME=FILE.pt: another net for the probe distribution, TorchScript from frames [N, 3, H, W] or clips [N, 3, 16, H, W] in "
      "[0, 1] to features [N, d]");
  verb->add_option("--out", a->out, "Folder of the results; finished cells in it are kept")->required();
  Example(*verb,
          "orrery eval models/maze dummy:all --suite quick --out results/maze\n  mpirun -n 2 orrery eval dummy:all --out results/dummies");
  verb->callback([a] { Evaluate(*a); });
}

}  // namespace orrery::cli
