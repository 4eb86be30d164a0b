// Evaluations put together: runs of one model joined, training seeds of one recipe grouped, numbers over seeds with their intervals.
#pragma once
#include <filesystem>
#include <functional>
#include <span>

#include "eval/report/mechanism.h"
#include "eval/report/result.h"

namespace orrery {

// Of each folder: its own eval.json, or those one level below (a folder that `orrery eval` made). Throws Error when there is none.
std::vector<Evaluation> LoadRuns(const std::vector<std::filesystem::path>& folders);

// Evaluations of the same model (by the hash of its weights, else by all facts) become one. Of a metric (id, world, split) that several
// have, the one of more scenarios stays, of equals the later one.
std::vector<Evaluation> JoinRuns(std::vector<Evaluation> evaluations);

// Trainings that differ in their seed alone, or a subject that stands alone. Points into the evaluations it was made of.
struct Recipe {
  std::string name;  // its state spec, and what else tells it from the others; a subject without a state: its name
  bool model = false;
  Json facts;  // of the first run
  Mechanism mechanism;
  std::vector<const Evaluation*> runs;  // one a training seed

  // Frames back to which a window tells of what was: each layer reads what the frames in the window have read, so its frames times the
  // network's layers (6 where the facts do not tell "depth"). 0: no window; < 0: all.
  int64_t WindowReach() const;
  const Metric* Find(const std::string& id, const std::string& world) const;  // of the first run that has a value; else null
};

// In order of first appearance. Models whose facts agree but for name, hashes and seed are one recipe; where two of them share a seed, it
// is not the seed that tells them apart, and each stands alone.
std::vector<Recipe> Recipes(const std::vector<Evaluation>& evaluations);

// One number of one training seed. Its noise: that of its scenarios, else that of its interval, else none.
struct SeedValue {
  double value = 0;
  std::optional<Interval> interval;
  std::vector<double> per_scenario;  // whose mean is the value
};
using SeedValues = std::vector<SeedValue>;  // empty: not measured

// A metric over a recipe's seeds, or one part of it ("gap=0064"); runs without a value are left out.
SeedValues ValuesOf(const Recipe& recipe, const std::string& id, const std::string& world, const std::string& part = "");

constexpr int kDraws = 10'000;

struct Resampled {
  double value = 0;
  Interval interval;          // 95 %
  std::vector<double> draws;  // kDraws
};

// `of` the mean over seeds of each number. Crossed bootstrap (Owen, Annals of Applied Statistics 2007): in every draw the seeds of each
// number are drawn anew, and the same scenarios for all numbers of as many scenarios, so that what is common to them cancels. Deviations of
// S seeds are widened by sqrt(S / (S - 1)), which makes their variance unbiased. A number with an interval alone is drawn from a normal
// distribution of that width. Every number has at least one seed.
Resampled Resample(std::span<const SeedValues> numbers, const std::function<double(std::span<const double>)>& of, int draws = kDraws);
// A statistic of `count` rows, bootstrapped over them: where the unit is the recipe itself.
Resampled ResampleRows(int64_t count, const Statistic& statistic);

}  // namespace orrery
