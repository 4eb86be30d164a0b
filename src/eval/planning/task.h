// Tasks with a known way to tell success: what planning inside a subject is tried on.
#pragma once
#include <array>

#include "core/rng.h"
#include "eval/readers/reader.h"

namespace orrery {

using ActionPlan = std::vector<std::vector<float>>;

// What is wanted in one episode.
class Goal {
 public:
  virtual ~Goal() = default;
  // How good it would be if a plan ended so; higher is better. Looks at the picture, or at the objects in it: PlanningTask::objects.
  virtual double Score(const World& imagined, const std::vector<WorldObject>& objects) const = 0;
  // Of the true world.
  virtual bool Reached(const World& truth) const = 0;
  virtual bool Spoilt(const World&) const { return false; }  // it can no longer be reached as asked
};

struct PlanningEpisode {
  Scenario start;  // the context; the rest of its actions are a way through the episode for dummies that show films
  std::shared_ptr<const Goal> goal;
  std::optional<int64_t> known;  // steps of a known way there
  ActionPlan expert;             // that way; empty where none is known but what planning in the true world finds
};

constexpr size_t kPolicies = 6;

struct PlanningTask {
  const char* name;
  int64_t steps;  // of an episode, at most
  int64_t plans;  // made in an episode, at most
  bool objects;   // Score looks at objects, which learned models have only where a reader finds them
  std::vector<float> idle;
  // Policies of graded worth: the expert's plan, each action of which is replaced by a random one at this rate. Rising; the first is 0.
  std::array<double, kPolicies> slips;
  // Candidates of one plan from the world as it truly is, in the order of the draw: the first alone is a plan drawn blindly. The same for
  // every subject. May step the world; who calls puts it back.
  std::vector<ActionPlan> (*propose)(World& now, Rng& rng);
  // Deterministic. Throws Error when no episode can be made from seeds near `seed`.
  PlanningEpisode (*make)(const std::string& world, uint64_t seed, int64_t context);
};

// maze: come to where a given picture was taken, within half a cell and 30 degrees; scored by the mean squared error to the picture.
// billiards: hit the ball farthest from the cue and no other; scored by where balls are.
// dominoes: push both ends so that the waves meet between two given dominoes; scored by which way dominoes lean.
// keys: get the key of the door and unlock it; scored by door, key and the way to them.
// pair: the same while the other agent throws the lever, so that door and gate stand open; scored alike.
// Throws Error for other worlds.
const PlanningTask& TaskOf(const std::string& world);

// Planning among proposals, executed in the true world: the best candidate by Score as imagined (the first one among equals) is done to
// its end, then the subject is shown what happened and plans again.
struct PlannedEpisode {
  bool reached = false;
  int64_t steps = 0, rollouts = 0;
  ActionPlan done;  // in the true world
  // Of the first plan, one a candidate: the imagined scores, and which one was taken. None where nobody plans.
  std::vector<double> promised;
  size_t taken = 0;

  // 1 less half of the share of steps that was used; 0 where the goal was not reached.
  double Return(int64_t limit) const;
};

// Begins the imagined world at the end of a scenario's context.
using Imaginer = std::function<std::unique_ptr<World>(const Scenario&)>;

// `reads`: objects are read off the pictures of what is imagined. The same seed gives the same candidates whoever plans. Without an
// imaginer the first candidate is taken every time: blind drawing.
PlannedEpisode RunPlanned(const PlanningTask& task, const PlanningEpisode& episode, uint64_t seed, const Imaginer& imagine,
                          bool reads = false);

// The candidates of plan number `plan` of an episode, when the true world has come to `truth`, which is left as it is.
std::vector<ActionPlan> Candidates(const PlanningTask& task, World& truth, uint64_t seed, int64_t plan);

// Plans with idle steps up to the longest: scores at different times would tell plans apart where actions do not.
std::vector<ActionPlan> OneHorizon(const PlanningTask& task, std::vector<ActionPlan> plans);

// The plans of the policies, one for each rate of slips: `expert` with slips that hang on `seed` alone.
std::vector<ActionPlan> PolicyPlans(const PlanningTask& task, const ActionPlan& expert, const ActionSpace& actions, uint64_t seed);

// Scores of plans from the end of a scenario's context; the world is left as it is. Objects are those it has, or those that `reader` finds
// in its picture.
std::vector<double> ScorePlans(World& begun, const Goal& goal, const std::vector<ActionPlan>& plans, ObjectReader* reader = nullptr);

// The reader of a subject whose worlds have no objects; null where the task needs none, or, with the reason in `cause`, where there is none
// that knows a picture without those before it.
std::unique_ptr<ObjectReader> ReaderOf(const PlanningTask& task, const World& truth, std::string* cause = nullptr);

}  // namespace orrery
