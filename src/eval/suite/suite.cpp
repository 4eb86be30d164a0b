#include "eval/suite/suite.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "core/file.h"
#include "core/progress.h"
#include "core/sha256.h"
#include "core/signals.h"
#include "eval/quality/feature_files.h"
#include "eval/quality/feature_net.h"
#include "eval/recordings/plans.h"
#include "eval/recordings/windows.h"

namespace orrery {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct Cell {
  size_t subject = 0;  // index
  ProbePlan plan;
  Json key;  // all that decides its numbers
  fs::path folder;
};

Json Key(const Json& subject, const ProbePlan& plan) {
  Json key{{"plan", plan}, {"subject", subject}, {"probe_version", Probes().Make(std::string_view(plan.probe)).version}};
  if (IsRecording(plan.world)) key["recording"] = fmt::format("{:016x}", MakeRecording(plan.world)->Fingerprint());
  if (plan.probe == "distribution") {
    for (const FeatureNet& net : FeatureNets()) key["features"].push_back(net.Name() + " " + net.Hash());
    key["gates"] = Sha256(FeatureGates());
  }
  return key;
}

// Whether its result is there, with exactly this key.
bool Finished(const Cell& cell) {
  if (!fs::exists(cell.folder / "eval.json")) return false;
  const Evaluation e = LoadEvaluation(cell.folder);
  return e.run.contains("key") && e.run.at("key") == cell.key;
}

// Why the subject cannot be asked; empty when it can. A plan's first scenario stands for all.
std::string Unfit(const Subject& subject, const ProbePlan& plan) {
  ProbePlan one = plan;
  one.scenarios = 1;
  Scenario s = MakeScenarios(one)[0];
  if (!plan.interventions.empty()) {
    s.intervention = plan.interventions[0];
    s.at = s.context;
    if (subject.Kind() == SubjectKind::kModel) s.at = std::max<int64_t>(0, s.context - 3);
  }
  return subject.Unfit(s);
}

bool Among(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::vector<ProbePlan> ChosenPlans(const SuiteOptions& options) {
  for (const std::string& probe : options.probes) Probes().Find(probe);  // throws on an unknown one
  const auto asked = [&](const ProbePlan& plan) { return options.probes.empty() || Among(options.probes, plan.probe); };
  std::vector<ProbePlan> plans;
  for (const ProbePlan& plan : SuitePlans(options.suite))
    if (asked(plan) &&
        (options.worlds.empty() ? options.recordings.empty() : Among(options.worlds, plan.world.substr(0, plan.world.find('(')))))
      plans.push_back(plan);
  if (plans.empty() && options.recordings.empty())
    Fail("eval: the suite '{}' has no probe on the worlds asked for{}", options.suite,
         options.probes.empty() ? "" : " among the probes asked for");
  for (const std::string& recording : options.recordings)
    for (ProbePlan& plan : RecordingPlans(recording, options.suite == "full" ? 4 : 1))
      if (asked(plan)) plans.push_back(std::move(plan));
  if (plans.empty()) Fail("eval: none of the probes asked for can be asked of a recording");
  return plans;
}

// Sets of too few episodes, and models of something else than a set that they were named together with, are mistakes, not cells to leave
// out.
void RequireFit(const std::vector<std::unique_ptr<Subject>>& subjects, const std::vector<std::string>& recordings) {
  for (const std::string& recording : recordings) {
    const Scenario first = RecordedScenarios(recording, 1, 1, 1, 0)[0];
    for (const auto& subject : subjects)
      if (subject->Kind() == SubjectKind::kModel)
        if (const std::string reason = subject->Unfit(first); !reason.empty())
          Fail("{} does not fit {}: {}", subject->Name(), recording, reason);
  }
}

// Fills metrics and strips. Why the subject was not asked; empty when it was.
std::string Ask(const Subject& subject, const ProbePlan& plan, Evaluation& e) {
  std::string unfit = Unfit(subject, plan);
  if (!unfit.empty()) return unfit;
  ProbeResult result = Probes().Make(std::string_view(plan.probe)).run(subject, plan);
  for (const Metric& m : result.metrics) Check(m);
  e.metrics = std::move(result.metrics);
  e.strips = std::move(result.strips);
  return {};
}

// What a probe throws is the cell's result: the others go on.
Evaluation RunCell(const Subject& subject, const Cell& cell) {
  const auto start = Clock::now();
  Evaluation e;
  e.model = cell.key.at("subject");
  std::string unfit, failure;
  try {
    unfit = Ask(subject, cell.plan, e);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    failure = error.what();
  } catch (const std::exception& error) {
    failure = fmt::format("internal error: {}", error.what());
  }
  failure = failure.substr(0, failure.find('\n'));
  e.run = {
      {"key", cell.key}, {"unfit", unfit}, {"failure", failure}, {"seconds", std::chrono::duration<double>(Clock::now() - start).count()}};
  return e;
}

std::string FailureOf(const Evaluation& cell) { return cell.run.value("failure", ""); }

// What failed last time is tried again.
void ForgetFailures(const std::vector<Cell>& cells, const SuiteOptions& options) {
  for (size_t i = 0; i < cells.size(); ++i)
    if (static_cast<int64_t>(i) % options.ranks == options.rank && Finished(cells[i]) &&
        !FailureOf(LoadEvaluation(cells[i].folder)).empty())
      fs::remove(cells[i].folder / "eval.json");
}

// The numbers of a cell that failed: those that other subjects have of the same plan, null with the cause.
std::vector<Metric> NullMetrics(const ProbePlan& plan, const std::string& cause, const std::vector<std::vector<Evaluation>>& parts) {
  for (const auto& subject : parts)
    for (const Evaluation& cell : subject) {
      if (cell.metrics.empty() || cell.run.at("key").at("plan") != Json(plan)) continue;
      std::vector<std::string> ids;
      for (const Metric& m : cell.metrics) ids.push_back(m.id);
      return Missing(plan, ids, cause);
    }
  return {};
}

Evaluation Join(const Json& subject, const SuiteOptions& options, const std::vector<Evaluation>& cells) {
  Evaluation whole;
  double seconds = 0;
  Json skipped = Json::array(), failed = Json::array(), worlds = Json::array();
  for (const Evaluation& cell : cells) {
    whole.metrics.insert(whole.metrics.end(), cell.metrics.begin(), cell.metrics.end());
    whole.strips.insert(whole.strips.end(), cell.strips.begin(), cell.strips.end());
    seconds += cell.run.at("seconds").get<double>();
    const Json& plan = cell.run.at("key").at("plan");
    if (const std::string unfit = cell.run.at("unfit"); !unfit.empty())
      skipped.push_back({{"probe", plan.at("probe")}, {"world", plan.at("world")}, {"reason", unfit}});
    else if (const std::string failure = FailureOf(cell); !failure.empty())
      failed.push_back({{"probe", plan.at("probe")}, {"world", plan.at("world")}, {"reason", failure}});
    else
      worlds.push_back(plan);
  }
  whole.model = subject;
  whole.run = {{"suite", options.suite}, {"seconds", seconds}};
  whole.protocol = {{"quantised", true}, {"plans", worlds}, {"skipped", skipped}, {"failed", failed}};
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
  const std::vector<ProbePlan> plans = ChosenPlans(options);
  RequireFit(subjects, options.recordings);
  std::vector<Json> facts;
  std::vector<Cell> cells;
  for (size_t i = 0; i < subjects.size(); ++i) {
    facts.push_back(subjects[i]->Facts());
    for (const ProbePlan& plan : plans)
      cells.push_back({i, plan, Key(facts[i], plan), folder / "cells" / FileName(subjects[i]->Name()) / plan.Name()});
  }
  ForgetFailures(cells, options);
  Progress progress("evaluating", static_cast<int64_t>(cells.size()), "cells");
  for (size_t i = 0; i < cells.size(); ++i) {
    ThrowIfStopRequested();
    const Cell& cell = cells[i];
    const Subject& subject = *subjects[cell.subject];
    if (static_cast<int64_t>(i) % options.ranks == options.rank && !Finished(cell)) SaveEvaluation(RunCell(subject, cell), cell.folder);
    progress.Update(static_cast<int64_t>(i) + 1, subject.Name() + " " + cell.plan.Name());
  }
  progress.Finish();
  if (options.rank != 0) return {};
  std::vector<std::vector<Evaluation>> parts(subjects.size());
  for (const Cell& cell : cells) {
    while (!Finished(cell)) {  // others may still be at work
      ThrowIfStopRequested();
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    parts[cell.subject].push_back(LoadEvaluation(cell.folder));
  }
  for (size_t i = 0; i < cells.size(); ++i) {
    Evaluation& part = parts[cells[i].subject][i % plans.size()];
    if (const std::string failure = FailureOf(part); !failure.empty()) part.metrics = NullMetrics(cells[i].plan, failure, parts);
  }
  std::vector<Evaluation> whole;
  for (size_t i = 0; i < subjects.size(); ++i) {
    whole.push_back(Join(facts[i], options, parts[i]));
    SaveEvaluation(whole.back(), folder / FileName(subjects[i]->Name()));
  }
  return whole;
}

}  // namespace orrery
