#include "worlds/policy.h"

#include "worlds/explore_maze.h"
#include "worlds/explore_table.h"

namespace orrery {

namespace {

class RandomPolicy : public Policy {
 public:
  std::vector<float> Act(const World& world, Rng& rng) override { return RandomAction(world.Facts().actions, rng); }
};

class StickyPolicy : public Policy {
 public:
  explicit StickyPolicy(double repeat) : repeat_(repeat) {
    if (!(repeat >= 0 && repeat <= 1)) Fail("sticky: 'repeat' must lie in [0, 1], got {}", repeat);
  }
  std::vector<float> Act(const World& world, Rng& rng) override {
    if (!acted_ || !rng.Bernoulli(repeat_)) last_ = RandomAction(world.Facts().actions, rng);
    acted_ = true;
    return last_;
  }

 private:
  double repeat_;
  bool acted_ = false;
  std::vector<float> last_;
};

// For worlds that nobody has a plan for: bursts of actions that are kept for a while, and pauses to watch what they did (where the
// first action is to do nothing).
class BurstPolicy : public Policy {
 public:
  std::vector<float> Act(const World& world, Rng& rng) override {
    const ActionSpace& actions = world.Facts().actions;
    const bool can_wait = actions.Discrete() && !actions.names.empty() && actions.names.front() == "none";
    if (left_ == 0) {
      waits_ = can_wait && !waits_;
      left_ = waits_ ? 10 + rng.Below(40) : 3 + rng.Below(20);
    }
    --left_;
    if (waits_) return {0};
    if (last_.empty() || rng.Bernoulli(0.3)) last_ = RandomAction(actions, rng);
    return last_;
  }

 private:
  bool waits_ = false;
  int64_t left_ = 0;
  std::vector<float> last_;
};

// Looks at the variables of the true state to choose the explorer that knows such a world.
class ExplorePolicy : public Policy {
 public:
  explicit ExplorePolicy(double noise) : noise_(noise) {
    if (!(noise >= 0 && noise <= 1)) Fail("explore: 'noise' must lie in [0, 1], got {}", noise);
  }
  std::vector<float> Act(const World& world, Rng& rng) override {
    if (!explorer_) explorer_ = Choose(world);
    return explorer_->Act(world, rng);
  }

 private:
  std::unique_ptr<Policy> Choose(const World& world) const {
    if (MazeExplorer::Knows(world)) return std::make_unique<MazeExplorer>(noise_);
    if (TableExplorer::Knows(world)) return std::make_unique<TableExplorer>(noise_);
    return std::make_unique<BurstPolicy>();
  }

  double noise_;
  std::unique_ptr<Policy> explorer_;
};

}  // namespace

std::vector<float> RandomAction(const ActionSpace& actions, Rng& rng) {
  if (actions.Discrete()) return {static_cast<float>(rng.Below(actions.count))};
  std::vector<float> action;
  for (int64_t i = 0; i < actions.dims; ++i) {
    const double low = actions.low.empty() ? -1 : actions.low[i], high = actions.high.empty() ? 1 : actions.high[i];
    action.push_back(static_cast<float>(rng.Uniform(low, high)));
  }
  return action;
}

const Registry<std::unique_ptr<Policy>>& Policies() {
  static const Registry<std::unique_ptr<Policy>> policies(
      "policy",
      {{{"random", "an action drawn anew every frame", "own", {}}, [](const Json&) { return std::make_unique<RandomPolicy>(); }},
       {{"sticky",
         "a random action, mostly kept from frame to frame",
         "own",
         {{"repeat", 0.9, "chance to keep the action of the frame before, 0..1"}}},
        [](const Json& params) { return std::make_unique<StickyPolicy>(params["repeat"]); }},
       {{"explore",
         "maze: walks by way-points, loops and out-and-back, looks around; billiards: aimed pushes and rests; elsewhere: bursts and pauses",
         "own",
         {{"noise", 0.04, "chance a frame to begin a few random actions, 0..1"}}},
        [](const Json& params) { return std::make_unique<ExplorePolicy>(params["noise"]); }}});
  return policies;
}

std::unique_ptr<Policy> MakePolicy(std::string_view spec) { return Policies().Make(spec); }

}  // namespace orrery
