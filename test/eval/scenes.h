// Scenarios and films for the tests of subjects.
#pragma once
#include <ATen/ATen.h>

#include "eval/pixels.h"
#include "eval/subject.h"
#include "worlds/policy.h"
#include "worlds/registry.h"

namespace orrery {

// `steps` actions that a policy takes in the world.
inline Scenario PolicyScenario(const std::string& world, uint64_t seed, int64_t context, int64_t steps, const char* policy = "explore") {
  Scenario scenario{world, seed, context, {}, "", 0, 0};
  const auto made = MakeWorld(world);
  made->Reset(seed);
  const auto who = MakePolicy(policy);
  Rng rng(seed, "policy");
  for (int64_t t = 0; t < steps; ++t) {
    scenario.actions.push_back(who->Act(*made, rng));
    made->Step(scenario.actions.back());
  }
  return scenario;
}

// Runs of one action each: {{2, 5}, {0, 3}} is five times 2, then three times 0.
inline std::vector<std::vector<float>> Runs(std::initializer_list<std::pair<int, int>> runs) {
  std::vector<std::vector<float>> actions;
  for (const auto& [action, times] : runs) actions.insert(actions.end(), static_cast<size_t>(times), {static_cast<float>(action)});
  return actions;
}

inline std::unique_ptr<Subject> Judged(const std::string& spec) { return std::move(MakeSubjects(spec).front()); }

inline at::Tensor Shot(const World& world) {
  at::Tensor frame = at::empty({world.Facts().height, world.Facts().width, 3}, at::kByte);
  world.Render({frame.mutable_data_ptr<uint8_t>(), static_cast<size_t>(frame.numel())});
  return frame;
}

// Of the truth, the frames that are to be imagined.
inline at::Tensor Future(const Scenario& scenario) { return MakeTruth(scenario).film.frames.slice(0, scenario.context); }

inline const WorldObject& ObjectOf(const std::vector<WorldObject>& objects, int64_t id) {
  for (const WorldObject& object : objects)
    if (object.id == id) return object;
  Fail("no object {}", id);
}

}  // namespace orrery
