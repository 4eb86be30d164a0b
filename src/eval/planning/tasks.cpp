// The tasks of maze and billiards.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "eval/planning/plans.h"

namespace orrery {

namespace {

constexpr int64_t kLongestPlan = 36;  // steps

// Actions of the lattice walk of the maze.
const std::vector<float> kForward = {1}, kLeft = {2}, kRight = {3}, kNone = {0};

// Turn, walk, turn: every such way once. One unit of a turn is 15 degrees.
std::vector<ActionPlan> Walks(World&, Rng& rng) {
  constexpr std::array<int64_t, 5> kFirst = {-6, -3, 0, 3, 6};
  constexpr std::array<int64_t, 3> kSteps = {0, 4, 8}, kLast = {-3, 0, 3};
  const auto turned = [](ActionPlan plan, int64_t turn) { return Repeated(std::move(plan), turn > 0 ? kLeft : kRight, std::abs(turn)); };
  std::vector<ActionPlan> plans;
  for (const int64_t first : kFirst)
    for (const int64_t steps : kSteps)
      for (const int64_t last : kLast) plans.push_back(turned(Repeated(turned({}, first), kForward, steps), last));
  Shuffle(plans, rng);
  return plans;
}

double Distance(const Pose& a, const Pose& b) { return std::hypot(a.x - b.x, a.y - b.y); }

class PictureGoal : public Goal {
 public:
  explicit PictureGoal(const World& there) : pose_(*there.TruePose()), picture_(Picture(there)) {}

  double Score(const World& imagined, const std::vector<WorldObject>&) const override {
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
  constexpr double kAway = 1.5;  // cells at least
  for (uint64_t k = 0; k < kPlanningSeeds; ++k) {
    PlanningEpisode episode;
    episode.start = PlanningStart(PictureTask(), world, DeriveSeed(seed, k), context, kLongestPlan);
    const auto start = ContextEnd(episode.start);
    const std::string snapshot = start->Snapshot();
    const Pose from = *start->TruePose();
    Rng rng(DeriveSeed(seed, k), "goal");
    for (const ActionPlan& way : Walks(*start, rng)) {
      start->Restore(snapshot);
      for (const auto& action : way) start->Step(action);
      if (Distance(from, *start->TruePose()) < kAway) continue;
      const auto goal = std::make_shared<PictureGoal>(*start);
      start->Restore(snapshot);
      episode.known = 0;
      while (!goal->Reached(*start)) start->Step(way[static_cast<size_t>((*episode.known)++)]);
      episode.goal = goal;
      episode.expert = way;
      return episode;
    }
  }
  Fail("planning: in none of {} mazes of {} does a way of {} cells lead from the start", kPlanningSeeds, world, kAway);
}

constexpr double kMoved = 1.5;  // pixels: a ball that was hit

std::vector<float> Push(int64_t way) { return {static_cast<float>(1 + way)}; }

// One or two bursts of pushes in neighbouring directions, with time to roll after each.
std::vector<ActionPlan> Shots(World&, Rng& rng) {
  constexpr int64_t kCandidates = 160;
  std::vector<ActionPlan> plans;
  for (int64_t i = 0; i < kCandidates; ++i) {
    ActionPlan plan = Repeated({}, kNone, rng.Below(7));
    for (int64_t bursts = 1 + rng.Below(2); bursts > 0; --bursts) {
      const int64_t way = rng.Below(8), beside = (way + (rng.Bernoulli(0.5) ? 1 : 7)) % 8;
      const int64_t pushes = 1 + rng.Below(6), aside = rng.Below(4);
      ActionPlan burst = Repeated(Repeated({}, Push(way), pushes), Push(beside), aside);
      Shuffle(burst, rng);
      plan.insert(plan.end(), burst.begin(), burst.end());
      plan = Repeated(std::move(plan), kNone, 2 + rng.Below(19));
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

  double Score(const World&, const std::vector<WorldObject>& now) const override {
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
  for (uint64_t k = 0; k < kPlanningSeeds; ++k) {
    PlanningEpisode episode;
    episode.start = PlanningStart(HitTask(), world, DeriveSeed(seed, k), context, kLongestPlan);
    const auto goal = std::make_shared<HitGoal>(ContextEnd(episode.start)->Objects());
    if (goal->Apart() < kApart) continue;
    episode.goal = goal;
    return episode;
  }
  Fail("planning: none of {} tables of {} has a ball {} pixels from the cue", kPlanningSeeds, world, kApart);
}

}  // namespace

const PlanningTask& PictureTask() {
  static const PlanningTask task = {"picture", 48, 2, false, kNone, {0, 0.05, 0.1, 0.2, 0.4, 1}, Walks, PictureEpisode};
  return task;
}

const PlanningTask& HitTask() {
  static const PlanningTask task = {"hit", 72, 3, true, kNone, {0, 0.01, 0.03, 0.08, 0.2, 1}, Shots, HitEpisode};
  return task;
}

}  // namespace orrery
