// Tasks with a known way to tell success: what planning inside a subject is tried on.
#pragma once
#include "core/rng.h"
#include "eval/scenario.h"

namespace orrery {

using ActionPlan = std::vector<std::vector<float>>;

// What is wanted in one episode.
class Goal {
 public:
  virtual ~Goal() = default;
  // How good it would be if a plan ended so; higher is better. Looks at what every subject shows, see PlanningTask::objects.
  virtual double Score(const World& imagined) const = 0;
  // Of the true world.
  virtual bool Reached(const World& truth) const = 0;
  virtual bool Spoilt(const World&) const { return false; }  // it can no longer be reached as asked
};

struct PlanningEpisode {
  Scenario start;  // the context; the rest of its actions are a way through the episode for dummies that show films
  std::shared_ptr<const Goal> goal;
  std::optional<int64_t> known;  // steps of a known way there
};

struct PlanningTask {
  const char* name;
  int64_t steps;  // of an episode, at most
  int64_t plans;  // made in an episode, at most
  bool objects;   // Score asks for World::Objects, which learned models have not
  // Candidates of one plan in the order of the draw: the first alone is a plan drawn blindly. The same for every subject.
  std::vector<ActionPlan> (*propose)(Rng& rng);
  // Deterministic. Throws Error when no episode can be made from seeds near `seed`.
  PlanningEpisode (*make)(const std::string& world, uint64_t seed, int64_t context);
};

// maze: come to where a given picture was taken, within half a cell and 30 degrees; scored by the mean squared error to the picture.
// billiards: hit the ball farthest from the cue and no other; scored by where balls are.
// Throws Error for other worlds.
const PlanningTask& TaskOf(const std::string& world);

// Planning among proposals, executed in the true world: the best candidate by Score as imagined (the first one among equals) is done to
// its end, then the subject is shown what happened and plans again.
struct PlannedEpisode {
  bool reached = false;
  int64_t steps = 0, rollouts = 0;
  // Of the first plan, one a candidate: the imagined scores, and which one was taken. None where nobody plans.
  std::vector<double> promised;
  size_t taken = 0;

  // 1 less half of the share of steps that was used; 0 where the goal was not reached.
  double Return(int64_t limit) const;
};

// Begins the imagined world at the end of a scenario's context.
using Imaginer = std::function<std::unique_ptr<World>(const Scenario&)>;

// The same seed gives the same candidates whoever plans. Without an imaginer the first candidate is taken every time: blind drawing.
PlannedEpisode RunPlanned(const PlanningTask& task, const PlanningEpisode& episode, uint64_t seed, const Imaginer& imagine);

// Scores of plans from the end of a scenario's context.
std::vector<double> ScorePlans(World& begun, const Goal& goal, const std::vector<ActionPlan>& plans);

}  // namespace orrery
