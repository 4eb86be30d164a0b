#include "agent/planner.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "agent/action_distribution.h"

namespace orrery {

namespace {

struct ShootingOptions {
  int64_t horizon = 12;
  int64_t samples = 64;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ShootingOptions, horizon, samples)

struct CemOptions {
  int64_t horizon = 12;
  int64_t samples = 64;
  int64_t iterations = 4;
  double elites = 0.2;
  double keep = 0.1;
  double deviation = 1;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(CemOptions, horizon, samples, iterations, elites, keep, deviation)

struct MppiOptions {
  int64_t horizon = 12;
  int64_t samples = 64;
  int64_t iterations = 2;
  double temperature = 0.3;
  double deviation = 0.5;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(MppiOptions, horizon, samples, iterations, temperature, deviation)

template <class T>
void Require(const char* planner, const char* name, T value, T low, T high) {
  if (!(value >= low && value <= high)) Fail("{}: '{}' must lie in [{}, {}], got {}", planner, name, low, high, value);
}

template <class Options>
Options Checked(const char* planner, const Options& o) {
  Require<int64_t>(planner, "horizon", o.horizon, 1, 10000);
  Require<int64_t>(planner, "samples", o.samples, 1, 1000000);
  if constexpr (requires { o.iterations; }) {
    Require<int64_t>(planner, "iterations", o.iterations, 1, 1000);
    Require<double>(planner, "deviation", o.deviation, 0, 10);
    if (o.samples < 2 * o.iterations)
      Fail("{}: at least two samples an iteration expected, got {} for {}; ask for more samples or fewer iterations", planner, o.samples,
           o.iterations);
  }
  return o;
}

// Tries sequences from one state, counts them and remembers the best.
class Trial {
 public:
  Trial(World& model, const Task& task) : model_(model), task_(task), start_(model.Snapshot()) {
    if (model.Facts().actions.Width() == 0) Fail("{}: takes no actions, so there is nothing to plan", model.Facts().spec);
  }
  ~Trial() { model_.Restore(start_); }

  double Value(const Sequence& actions) {
    model_.Restore(start_);
    const double value = Rollout(model_, task_, actions);
    ++plan_.rollouts;
    if (plan_.rollouts == 1 || value > plan_.value) {
      plan_.actions = actions;
      plan_.value = value;
    }
    return value;
  }
  const ActionSpace& Space() const { return model_.Facts().actions; }
  const Plan& Best() const { return plan_; }

 private:
  World& model_;
  const Task& task_;
  std::string start_;
  Plan plan_;
};

// The guess, filled up with the distribution's most likely actions.
Sequence Filled(const ActionDistribution& distribution, std::span<const std::vector<float>> guess) {
  Sequence sequence = distribution.Mode();
  std::copy_n(guess.begin(), std::min(guess.size(), sequence.size()), sequence.begin());
  return sequence;
}

// Samples of iteration `i` of a budget.
int64_t Share(int64_t samples, int64_t iterations, int64_t i) { return samples * (i + 1) / iterations - samples * i / iterations; }

class RandomShooting : public Planner {
 public:
  explicit RandomShooting(const ShootingOptions& o) : o_(Checked("random_shooting", o)) {}

  Plan Search(World& model, const Task& task, std::span<const std::vector<float>> guess, Rng& rng) const override {
    Trial trial(model, task);
    const ActionSpace& space = trial.Space();
    const ActionDistribution uniform(space, o_.horizon, 1);
    if (!guess.empty()) trial.Value(Filled(uniform, guess));
    while (trial.Best().rollouts < o_.samples) {
      Sequence sequence = uniform.Sample(rng);
      for (int64_t d = 0; d < space.dims; ++d)
        for (std::vector<float>& action : sequence)
          action[d] = static_cast<float>(space.low.empty() ? rng.Uniform(-1, 1) : rng.Uniform(space.low[d], space.high[d]));
      trial.Value(sequence);
    }
    return trial.Best();
  }

 private:
  ShootingOptions o_;
};

class CrossEntropy : public Planner {
 public:
  explicit CrossEntropy(const CemOptions& o) : o_(Checked("cem", o)) {
    Require<double>("cem", "elites", o.elites, 0, 1);
    Require<double>("cem", "keep", o.keep, 0, 1);
  }

  Plan Search(World& model, const Task& task, std::span<const std::vector<float>> guess, Rng& rng) const override {
    Trial trial(model, task);
    ActionDistribution distribution(trial.Space(), o_.horizon, o_.deviation);
    distribution.Lean(guess);
    std::vector<Sequence> samples;
    std::vector<double> values;
    for (int64_t i = 0; i < o_.iterations; ++i) {
      const int64_t share = Share(o_.samples, o_.iterations, i);
      for (int64_t k = 0; k < share; ++k) {
        samples.push_back(samples.empty() && !guess.empty() ? Filled(distribution, guess) : distribution.Sample(rng));
        values.push_back(trial.Value(samples.back()));
      }
      distribution.Fit(samples, Elite(values, share), o_.keep, false);
    }
    return trial.Best();
  }

 private:
  // 1 for the best of all samples so far, at least one, as many as an iteration's share asks for; earlier samples first among equals.
  std::vector<double> Elite(const std::vector<double>& values, int64_t share) const {
    std::vector<size_t> order(values.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] > values[b]; });
    const auto elites = std::max<size_t>(1, static_cast<size_t>(std::lround(o_.elites * static_cast<double>(share))));
    std::vector<double> weights(values.size(), 0);
    for (size_t i = 0; i < elites; ++i) weights[order[i]] = 1;
    return weights;
  }

  CemOptions o_;
};

class PathIntegral : public Planner {
 public:
  explicit PathIntegral(const MppiOptions& o) : o_(Checked("mppi", o)) { Require<double>("mppi", "temperature", o.temperature, 1e-6, 1e6); }

  Plan Search(World& model, const Task& task, std::span<const std::vector<float>> guess, Rng& rng) const override {
    Trial trial(model, task);
    ActionDistribution distribution(trial.Space(), o_.horizon, o_.deviation);
    distribution.Lean(guess);
    for (int64_t i = 0; i < o_.iterations; ++i) {
      const bool last = i + 1 == o_.iterations;  // whose last rollout is that of the plan itself
      std::vector<Sequence> samples;
      std::vector<double> values;
      for (int64_t k = Share(o_.samples, o_.iterations, i) - last; k > 0; --k) {
        samples.push_back(i == 0 && samples.empty() && !guess.empty() ? Filled(distribution, guess) : distribution.Sample(rng));
        values.push_back(trial.Value(samples.back()));
      }
      distribution.Fit(samples, Weights(values), 0, true);
    }
    Plan plan;
    plan.actions = distribution.Mode();
    plan.value = trial.Value(plan.actions);
    plan.rollouts = trial.Best().rollouts;
    return plan;
  }

 private:
  std::vector<double> Weights(const std::vector<double>& values) const {
    const double n = static_cast<double>(values.size()), best = *std::max_element(values.begin(), values.end());
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
    double squares = 0;
    for (const double value : values) squares += (value - mean) * (value - mean);
    const double scale = o_.temperature * std::sqrt(squares / n);
    std::vector<double> weights;
    for (const double value : values) weights.push_back(scale > 0 ? std::exp((value - best) / scale) : 1);
    return weights;
  }

  MppiOptions o_;
};

std::vector<Param> Describe(const Json& defaults) {
  static const Json docs = {{"horizon", "steps that a plan looks ahead"},
                            {"samples", "rollouts a plan"},
                            {"iterations", "among which the samples are shared"},
                            {"elites", "as a share of an iteration's samples: how many of all so far the next one is fitted to, 0..1"},
                            {"keep", "share of the old distribution that is kept, 0..1"},
                            {"temperature", "standard deviations of the returns; low: the best samples count alone"},
                            {"deviation", "of numbers, half ranges, 0..10"}};
  std::vector<Param> params;
  for (const auto& [name, value] : defaults.items()) params.push_back({name, value, docs[name].get<std::string>()});
  return params;
}

}  // namespace

double Rollout(World& model, const Task& task, std::span<const std::vector<float>> actions) {
  double sum = 0, weight = 1;
  for (const std::vector<float>& action : actions) {
    model.Step(action);
    const double reward = task.reward(model);
    if (!std::isfinite(reward)) Fail("task: the reward is not a finite number in {}", model.Facts().spec);
    sum += weight * reward;
    weight *= task.discount;
    if (task.finished && task.finished(model)) break;
  }
  return sum;
}

const Registry<std::unique_ptr<Planner>>& Planners() {
  static const Registry<std::unique_ptr<Planner>> planners(
      "planner", {{{"random_shooting", "the best of independent sequences", "classic", Describe(Json(ShootingOptions{}))},
                   [](const Json& p) { return std::make_unique<RandomShooting>(p.get<ShootingOptions>()); }},
                  {{"cem", "a distribution fitted again and again to its best samples", "cross-entropy method (Rubinstein 1999)",
                    Describe(Json(CemOptions{}))},
                   [](const Json& p) { return std::make_unique<CrossEntropy>(p.get<CemOptions>()); }},
                  {{"mppi", "the mean of all samples, weighted by the exponential of their return", "MPPI (arXiv 1509.01149)",
                    Describe(Json(MppiOptions{}))},
                   [](const Json& p) { return std::make_unique<PathIntegral>(p.get<MppiOptions>()); }}});
  return planners;
}

std::unique_ptr<Planner> MakePlanner(std::string_view spec) { return Planners().Make(spec); }

}  // namespace orrery
