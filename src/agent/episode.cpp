#include "agent/episode.h"

#include <algorithm>

#include "model/dream_world.h"

namespace orrery {

namespace {

// Does one action in the true world; the rest of the result follows.
void Act(World& truth, const Task& task, std::vector<float> action, double& weight, EpisodeResult& result) {
  truth.Step(action);
  result.reward += weight * task.reward(truth);
  weight *= task.discount;
  result.finished = task.finished && task.finished(truth);
  result.actions.push_back(std::move(action));
}

}  // namespace

Observe ObserveNothing() {
  return [](World& model, const World&, std::span<const float> action) { model.Step(action); };
}

Observe ObserveTruth() {
  return [](World& model, const World& truth, std::span<const float> action) {
    if (auto* dream = dynamic_cast<DreamWorld*>(&model)) {
      std::vector<uint8_t> frame(static_cast<size_t>(3 * truth.Facts().height * truth.Facts().width));
      truth.Render(frame);
      dream->Observe(frame, action);
    } else if (model.Facts().spec == truth.Facts().spec) {
      model.Restore(truth.Snapshot());
    } else {
      Fail("{}: cannot be shown a frame of {}; let it observe nothing", model.Facts().spec, truth.Facts().spec);
    }
  };
}

EpisodeResult RunEpisode(World& truth, World& model, const Planner& planner, const Task& task, const Observe& observe,
                         const EpisodeOptions& options) {
  if (options.commit < 1) Fail("episode: at least one action a plan expected, got {}", options.commit);
  Rng rng(options.seed, "plan");
  EpisodeResult result;
  double weight = 1;
  std::vector<std::vector<float>> guess;
  while (static_cast<int64_t>(result.actions.size()) < options.steps && !result.finished) {
    const Plan plan = planner.Search(model, task, guess, rng);
    if (result.actions.empty()) result.promised = plan.value;
    result.rollouts += plan.rollouts;
    const auto commit = std::min<int64_t>(options.commit, static_cast<int64_t>(plan.actions.size()));
    for (int64_t i = 0; i < commit && static_cast<int64_t>(result.actions.size()) < options.steps && !result.finished; ++i) {
      Act(truth, task, plan.actions[static_cast<size_t>(i)], weight, result);
      observe(model, truth, result.actions.back());
    }
    guess.assign(plan.actions.begin() + commit, plan.actions.end());
  }
  return result;
}

EpisodeResult RunPolicy(World& truth, Policy& policy, const Task& task, const EpisodeOptions& options) {
  Rng rng(options.seed, "policy");
  EpisodeResult result;
  double weight = 1;
  while (static_cast<int64_t>(result.actions.size()) < options.steps && !result.finished)
    Act(truth, task, policy.Act(truth, rng), weight, result);
  return result;
}

}  // namespace orrery
