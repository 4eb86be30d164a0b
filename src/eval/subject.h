// What is judged: a learned model, the true world, or a dummy whose faults are known.
#pragma once
#include "eval/scenario.h"

namespace orrery {

class WorldModel;
struct RolloutOptions;

enum class SubjectKind { kTruth, kDummy, kModel };

// How films are made.
struct FilmOptions {
  uint64_t sample = 0;
  int64_t reground = 0;               // after so many imagined frames it goes on from the true past; 1: teacher-forced; 0: never
  std::span<const Scenario> foreign;  // one a scenario, with as long a context, whose memory takes the place of its own; empty: none
};

// Immutable. Metrics and planners use the worlds that it begins, through the interface of World alone.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual std::string Name() const = 0;  // as in MakeSubjects
  virtual SubjectKind Kind() const = 0;

  // What it is, enough to tell it from another of the same name: name, kind (truth, dummy, model); a model adds its spec strings, rollout,
  // parameters, training data, and the SHA-256 of its files (of one that is in no file: a hash of its weights).
  virtual Json Facts() const;

  // Why it cannot be asked about such a scenario; empty when it can.
  virtual std::string Unfit(const Scenario& scenario) const = 0;

  // A world that has seen the context: its frame is number context - 1, and it waits for actions[context - 1]. Its Reset(seed) goes back
  // there with the chance of `seed`; Begin takes SampleSeed(scenario, sample). An intervention after the context is given to it by
  // Intervene, as to the true world. Throws Error with the reason when it does not fit.
  virtual std::unique_ptr<World> Begin(const Scenario& scenario, uint64_t sample) const = 0;

  // The same, but it remembers another scenario of as many context frames instead. A model keeps the newest frames of its own context, as
  // far as a window holds them, and its frame; a simulator's memory is all that it is, so it is at the end of the other's context.
  virtual std::unique_ptr<World> BeginForeign(const Scenario& scenario, const Scenario& other, uint64_t sample) const {
    return Begin(other, sample);
  }

  // Frames context .. T of each scenario. A model imagines those of one length side by side: their frames are those of each alone, but for
  // rounding. With `foreign`, reground must be 0.
  virtual std::vector<Film> Films(std::span<const Scenario> scenarios, const FilmOptions& options) const;

  // The rest is asked of worlds that this subject began.

  // Goes on with the true frame [H, W, 3] that `action` led to, in place of an imagined one. False, and nothing happens: it cannot be
  // shown frames (a simulator); begin it anew.
  virtual bool Observe(World& begun, std::span<const uint8_t> rgb, std::span<const float> action) const { return false; }
  // Bytes of what it remembers now; none of a simulator.
  virtual std::optional<int64_t> StateBytes(const World& begun) const { return std::nullopt; }
  // What it knows now, [n] float64: a simulator its true state, a model its own (eval/memory/vector.h). None: it cannot tell.
  virtual std::optional<at::Tensor> Memory(const World& begun) const;
};

// Truth itself, "truth": its Reset begins the world anew from another seed, as that of the world does.
std::unique_ptr<Subject> TruthSubject();

// A model in a session of its own, given the context's true frames and actions; one that takes poses is given those of the true world under
// the same actions, and its facts say so. It does not fit a world with other actions or frames, or without the poses that it takes.
std::unique_ptr<Subject> ModelSubject(std::string name, std::shared_ptr<const WorldModel> model, const RolloutOptions& rollout);

// One subject a spec: "truth", "dummy:NAME(parameters)", or the folder of a model; "dummy:all": every dummy.
// Throws Error that lists the dummies, or says what the folder lacks.
std::vector<std::unique_ptr<Subject>> MakeSubjects(std::string_view spec);

// Frames context .. T as the subject imagines them. reground r > 0: after every r imagined frames it goes on from the true past (r = 1:
// teacher-forced): a model observes the true frames, a simulator begins anew; 0: it runs freely.
Film Imagine(const Subject& subject, const Scenario& scenario, uint64_t sample, int64_t reground = 0);

}  // namespace orrery
