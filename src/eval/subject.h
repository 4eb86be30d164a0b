// What is judged: a learned model, the true world, or a dummy whose faults are known.
#pragma once
#include <filesystem>

#include "eval/scenario.h"
#include "model/world_model.h"

namespace orrery {

// Immutable. Metrics and planners use the worlds that it begins, through the interface of World alone.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual std::string Name() const = 0;  // as in MakeSubjects

  // Why it cannot be asked about such a scenario; empty when it can.
  virtual std::string Unfit(const Scenario& scenario) const = 0;

  // A world that has seen the context: its frame is number context - 1, and it waits for actions[context - 1]. Its Reset(seed) goes back
  // there with the chance of `seed`; Begin takes SampleSeed(scenario, sample). An intervention after the context is given to it by
  // Intervene, as to the true world. Throws Error with the reason when it does not fit.
  virtual std::unique_ptr<World> Begin(const Scenario& scenario, uint64_t sample) const = 0;
};

// Truth itself, "truth": its Reset begins the world anew from another seed, as that of the world does.
std::unique_ptr<Subject> TruthSubject();

// A model in a session of its own, given the context's true frames and actions. It does not fit a world with other actions or frames.
std::unique_ptr<Subject> ModelSubject(std::string name, std::shared_ptr<const WorldModel> model, const RolloutOptions& rollout);

// One subject a spec: "truth", "dummy:NAME(parameters)", or the folder of a model; "dummy:all": every dummy.
// `rollout` replaces a model's own options. Throws Error that lists the dummies, or says what the folder lacks.
std::vector<std::unique_ptr<Subject>> MakeSubjects(std::string_view spec, const std::optional<RolloutOptions>& rollout = std::nullopt);

// Frames context .. T as the subject imagines them. reground r > 0: after every r imagined frames it begins anew from the true past
// (r = 1: teacher-forced); 0: it runs freely.
Film Imagine(const Subject& subject, const Scenario& scenario, uint64_t sample, int64_t reground = 0);

}  // namespace orrery
