// The tasks themselves.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "eval/planning/task.h"
#include "worlds/registry.h"

namespace orrery {

namespace {

constexpr uint64_t kSeeds = 100;      // tried for an episode
constexpr int64_t kLongestPlan = 36;  // steps

ActionPlan Repeated(ActionPlan plan, int64_t action, int64_t times) {
  plan.insert(plan.end(), static_cast<size_t>(times), {static_cast<float>(action)});
  return plan;
}

template <class T>
void Shuffle(std::vector<T>& list, Rng& rng) {
  for (size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[static_cast<size_t>(rng.Below(static_cast<int64_t>(i)))]);
}

// Actions of a whole episode: the context rests, then come blind plans.
Scenario Start(const PlanningTask& task, const std::string& world, uint64_t seed, int64_t context) {
  Scenario s;
  s.world = world;
  s.seed = seed;
  s.context = context;
  s.actions.assign(static_cast<size_t>(context - 1), {0.0f});
  Rng rng(seed, "way");
  while (static_cast<int64_t>(s.actions.size()) < context + task.steps + kLongestPlan) {
    const ActionPlan plan = task.propose(rng)[0];
    s.actions.insert(s.actions.end(), plan.begin(), plan.end());
    if (plan.empty()) s.actions.push_back({0.0f});
  }
  return s;
}

// Actions of the lattice walk of the maze.
constexpr int64_t kForward = 1, kLeft = 2, kRight = 3;

// Turn, walk, turn: every such way once. One unit of a turn is 15 degrees.
std::vector<ActionPlan> Walks(Rng& rng) {
  constexpr std::array<int64_t, 5> kTurns = {-6, -3, 0, 3, 6}, kSteps = {0, 2, 4, 6, 8};
  const auto turned = [](ActionPlan plan, int64_t turn) { return Repeated(std::move(plan), turn > 0 ? kLeft : kRight, std::abs(turn)); };
  std::vector<ActionPlan> plans;
  for (const int64_t first : kTurns)
    for (const int64_t steps : kSteps)
      for (const int64_t last : kTurns) plans.push_back(turned(Repeated(turned({}, first), kForward, steps), last));
  Shuffle(plans, rng);
  return plans;
}

double Distance(const Pose& a, const Pose& b) { return std::hypot(a.x - b.x, a.y - b.y); }

class PictureGoal : public Goal {
 public:
  explicit PictureGoal(const World& there) : pose_(*there.TruePose()), picture_(Picture(there)) {}

  double Score(const World& imagined) const override {
    const std::vector<uint8_t> shown = Picture(imagined);
    double squares = 0;
    for (size_t i = 0; i < shown.size(); ++i) {
      const double off = (static_cast<double>(shown[i]) - static_cast<double>(picture_[i])) / 255;
      squares += off * off;
    }
    return -squares / static_cast<double>(shown.size());
  }

  bool Reached(const World& truth) const override {
    const Pose pose = *truth.TruePose();
    const double turn = std::remainder(pose.angle - pose_.angle, 2 * std::numbers::pi);
    return Distance(pose, pose_) <= 0.5 && std::abs(turn) <= std::numbers::pi / 6 + 1e-6;
  }

 private:
  static std::vector<uint8_t> Picture(const World& world) {
    std::vector<uint8_t> rgb(static_cast<size_t>(3 * world.Facts().height * world.Facts().width));
    world.Render(rgb);
    return rgb;
  }

  Pose pose_;  // where the picture was taken
  std::vector<uint8_t> picture_;
};

PlanningEpisode PictureEpisode(const std::string& world, uint64_t seed, int64_t context) {
  PlanningEpisode episode;
  episode.start = Start(TaskOf(world), world, seed, context);
  const auto start = ContextEnd(episode.start);
  const std::string snapshot = start->Snapshot();
  const Pose from = *start->TruePose();
  Rng rng(seed, "goal");
  for (const ActionPlan& way : Walks(rng)) {
    start->Restore(snapshot);
    for (const auto& action : way) start->Step(action);
    if (Distance(from, *start->TruePose()) < 1) continue;
    const auto goal = std::make_shared<PictureGoal>(*start);
    start->Restore(snapshot);
    episode.known = 0;
    while (!goal->Reached(*start)) start->Step(way[static_cast<size_t>((*episode.known)++)]);
    episode.goal = goal;
    return episode;
  }
  Fail("planning: no way of a cell or more leads from the start of {} with seed {}", world, seed);
}

constexpr double kMoved = 1.5;  // pixels: a ball that was hit

// One or two bursts of pushes in neighbouring directions, with time to roll after each.
std::vector<ActionPlan> Shots(Rng& rng) {
  constexpr int64_t kCandidates = 160;
  std::vector<ActionPlan> plans;
  for (int64_t i = 0; i < kCandidates; ++i) {
    ActionPlan plan = Repeated({}, 0, rng.Below(7));
    for (int64_t bursts = 1 + rng.Below(2); bursts > 0; --bursts) {
      const int64_t way = rng.Below(8), beside = (way + (rng.Bernoulli(0.5) ? 1 : 7)) % 8;
      const int64_t pushes = 1 + rng.Below(6), aside = rng.Below(4);
      ActionPlan burst = Repeated(Repeated({}, 1 + way, pushes), 1 + beside, aside);
      Shuffle(burst, rng);
      plan.insert(plan.end(), burst.begin(), burst.end());
      plan = Repeated(std::move(plan), 0, 2 + rng.Below(19));
    }
    if (static_cast<int64_t>(plan.size()) > kLongestPlan) plan.resize(kLongestPlan);
    plans.push_back(std::move(plan));
  }
  return plans;
}

class HitGoal : public Goal {
 public:
  // Objects sorted by id, the cue first.
  explicit HitGoal(std::vector<WorldObject> before) : before_(std::move(before)) {
    for (size_t i = 1; i < before_.size(); ++i)
      if (Far(before_[i], before_[0]) > Far(before_[target_], before_[0])) target_ = i;
  }

  double Apart() const { return Far(before_[target_], before_[0]); }  // pixels

  double Score(const World& imagined) const override {
    const std::vector<WorldObject> now = imagined.Objects();
    if (now.size() != before_.size() || Others(now)) return -2;
    return Hit(now) ? 1 : -Far(now[target_], now[0]) / 64;
  }
  bool Reached(const World& truth) const override { return Hit(truth.Objects()); }
  bool Spoilt(const World& truth) const override { return Others(truth.Objects()); }

 private:
  static double Far(const WorldObject& a, const WorldObject& b) { return std::hypot(a.x - b.x, a.y - b.y); }
  bool Moved(const std::vector<WorldObject>& now, size_t i) const { return Far(now[i], before_[i]) > kMoved; }
  bool Hit(const std::vector<WorldObject>& now) const { return Moved(now, target_); }
  bool Others(const std::vector<WorldObject>& now) const {
    for (size_t i = 1; i < now.size(); ++i)
      if (i != target_ && Moved(now, i)) return true;
    return false;
  }

  std::vector<WorldObject> before_;
  size_t target_ = 0;
};

PlanningEpisode HitEpisode(const std::string& world, uint64_t seed, int64_t context) {
  constexpr double kApart = 22;  // pixels at least between the middles, about 4 m
  for (uint64_t k = 0; k < kSeeds; ++k) {
    PlanningEpisode episode;
    episode.start = Start(TaskOf(world), world, DeriveSeed(seed, k), context);
    const auto goal = std::make_shared<HitGoal>(ContextEnd(episode.start)->Objects());
    if (goal->Apart() < kApart) continue;
    episode.goal = goal;
    return episode;
  }
  Fail("planning: none of {} tables of {} has a ball {} pixels from the cue", kSeeds, world, kApart);
}

}  // namespace

const PlanningTask& TaskOf(const std::string& world) {
  static const PlanningTask picture = {"picture", 48, 3, false, Walks, PictureEpisode};
  static const PlanningTask hit = {"hit", 72, 3, true, Shots, HitEpisode};
  if (world.starts_with("maze")) return picture;
  if (world.starts_with("billiards")) return hit;
  Fail("planning: maze or billiards expected, got {}", world);
}

}  // namespace orrery
