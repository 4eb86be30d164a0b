// A suite: which probes on which worlds, run cell by cell for many subjects. A cell that is done is not done again, unless its plan, the
// subject's Facts, the probe's version or the recording differ.
#pragma once
#include <filesystem>

#include "eval/suite/probe.h"

namespace orrery {

struct SuiteOptions {
  std::string suite = "quick";               // or "full"
  std::vector<std::string> worlds;           // names of worlds to keep; empty: all that fit, or none where there are recordings
  int64_t rank = 0, ranks = 1;               // this process takes every ranks-th cell
  std::vector<std::string> recordings = {};  // specs (eval/recordings/recording.h), judged on as well
  std::vector<std::string> probes = {};      // names of probes to keep; empty: all
};

// Plans of a suite. Throws Error on an unknown name.
std::vector<ProbePlan> SuitePlans(const std::string& suite);

// Runs the cells that are missing below `folder` (cells/SUBJECT/PLAN/) and puts them together: one evaluation a subject, in the order
// given, saved as folder/SUBJECT/eval.json by rank 0, which waits for the others. Numbers do not depend on ranks, threads or interruptions.
// What a probe throws does not end the run: the cell's metrics are null with that cause (as far as another subject tells which they are),
// protocol.failed lists it, and the next run tries it again. With several ranks they share `folder`. Ctrl-C ends after the cell at hand is
// dropped; the finished ones stay.
std::vector<Evaluation> RunSuite(const std::vector<std::unique_ptr<Subject>>& subjects, const SuiteOptions& options,
                                 const std::filesystem::path& folder);

// Rank and size that mpirun, srun or a PMI launcher gave to this process: {0, 1} without one.
std::pair<int64_t, int64_t> LauncherRank();

// What the dummies among the evaluations must score, and whether they do.
std::vector<SanityRow> SanityRows(const std::vector<Evaluation>& evaluations);

// Rules that none of the rows is about, "METRIC of DUMMY": no such metric was measured, or no such dummy was there.
std::vector<std::string> UnansweredRules(const std::vector<SanityRow>& rows);

// A name that is fit for a file.
std::string FileName(const std::string& name);

}  // namespace orrery
