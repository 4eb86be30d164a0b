#include "eval/suite/suite.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "core/file.h"
#include "core/progress.h"
#include "core/signals.h"

namespace orrery {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct Cell {
  size_t subject, plan;
  fs::path folder;
};

// Whether a cell of exactly this plan is there.
bool Finished(const Cell& cell, const ProbePlan& plan) {
  if (!fs::exists(cell.folder / "eval.json")) return false;
  const Evaluation e = LoadEvaluation(cell.folder);
  return e.run.contains("plan") && e.run.at("plan") == Json(plan);
}

// A scenario of the plan, to ask a subject whether it fits.
std::string Unfit(const Subject& subject, const ProbePlan& plan) {
  ProbePlan one = plan;
  one.scenarios = 1;
  Scenario s = MakeScenarios(one)[0];
  if (!plan.interventions.empty()) {
    s.intervention = plan.interventions[0];
    s.at = s.context;
    if (!subject.Name().starts_with("dummy:") && subject.Name() != "truth") s.at = std::max<int64_t>(0, s.context - 3);
  }
  return subject.Unfit(s);
}

Evaluation RunCell(const Subject& subject, const ProbePlan& plan) {
  const auto start = Clock::now();
  Evaluation e;
  e.model = {{"name", subject.Name()}};
  const std::string unfit = Unfit(subject, plan);
  if (unfit.empty()) {
    ProbeResult result = Probes().Make(plan.probe, subject, plan);
    e.metrics = std::move(result.metrics);
    e.strips = std::move(result.strips);
  }
  e.run = {{"plan", plan}, {"unfit", unfit}, {"seconds", std::chrono::duration<double>(Clock::now() - start).count()}};
  return e;
}

Evaluation Join(const std::string& name, const SuiteOptions& options, const std::vector<Evaluation>& cells) {
  Evaluation whole;
  double seconds = 0;
  Json skipped = Json::array(), worlds = Json::array();
  for (const Evaluation& cell : cells) {
    whole.metrics.insert(whole.metrics.end(), cell.metrics.begin(), cell.metrics.end());
    whole.strips.insert(whole.strips.end(), cell.strips.begin(), cell.strips.end());
    seconds += cell.run.at("seconds").get<double>();
    if (const std::string unfit = cell.run.at("unfit"); !unfit.empty())
      skipped.push_back({{"probe", cell.run.at("plan").at("probe")}, {"world", cell.run.at("plan").at("world")}, {"reason", unfit}});
    else
      worlds.push_back(cell.run.at("plan"));
  }
  whole.model = {{"name", name}};
  whole.run = {{"suite", options.suite}, {"seconds", seconds}};
  whole.protocol = {{"quantised", true}, {"plans", worlds}, {"skipped", skipped}};
  return whole;
}

int64_t EnvironmentNumber(const char* name) {
  const char* text = std::getenv(name);
  return text ? std::atoll(text) : -1;
}

}  // namespace

std::string FileName(const std::string& name) {
  std::string out = name;
  while (!out.empty() && out.back() == '/') out.pop_back();
  for (char& c : out)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '.') c = '_';
  return out;
}

std::pair<int64_t, int64_t> LauncherRank() {
  for (const auto& [rank, size] :
       {std::pair{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"}, {"PMI_RANK", "PMI_SIZE"}, {"SLURM_PROCID", "SLURM_NTASKS"}}) {
    const int64_t r = EnvironmentNumber(rank), n = EnvironmentNumber(size);
    if (n > 0 && r >= 0 && r < n) return {r, n};
  }
  return {0, 1};
}

std::vector<Evaluation> RunSuite(const std::vector<std::unique_ptr<Subject>>& subjects, const SuiteOptions& options,
                                 const fs::path& folder) {
  std::vector<ProbePlan> plans;
  for (const ProbePlan& plan : SuitePlans(options.suite))
    if (options.worlds.empty() ||
        std::find(options.worlds.begin(), options.worlds.end(), plan.world.substr(0, plan.world.find('('))) != options.worlds.end())
      plans.push_back(plan);
  if (plans.empty()) Fail("eval: the suite '{}' has no probe on the worlds asked for", options.suite);
  std::vector<Cell> cells;
  for (size_t s = 0; s < subjects.size(); ++s)
    for (size_t p = 0; p < plans.size(); ++p) cells.push_back({s, p, folder / "cells" / FileName(subjects[s]->Name()) / plans[p].Name()});
  Progress progress("evaluating", static_cast<int64_t>(cells.size()), "cells");
  for (size_t i = 0; i < cells.size(); ++i) {
    ThrowIfStopRequested();
    const ProbePlan& plan = plans[cells[i].plan];
    const Subject& subject = *subjects[cells[i].subject];
    if (static_cast<int64_t>(i) % options.ranks == options.rank && !Finished(cells[i], plan))
      SaveEvaluation(RunCell(subject, plan), cells[i].folder);
    progress.Update(static_cast<int64_t>(i) + 1, subject.Name() + " " + plan.Name());
  }
  progress.Finish();
  if (options.rank != 0) return {};
  for (const Cell& cell : cells)  // others may still be at work
    while (!Finished(cell, plans[cell.plan])) {
      ThrowIfStopRequested();
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
  std::vector<Evaluation> whole;
  for (size_t s = 0; s < subjects.size(); ++s) {
    std::vector<Evaluation> parts;
    for (const Cell& cell : cells)
      if (cell.subject == s) parts.push_back(LoadEvaluation(cell.folder));
    whole.push_back(Join(subjects[s]->Name(), options, parts));
    SaveEvaluation(whole.back(), folder / FileName(subjects[s]->Name()));
  }
  return whole;
}

}  // namespace orrery
