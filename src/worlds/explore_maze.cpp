#include "worlds/explore_maze.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "worlds/maze_map.h"

namespace orrery {

namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kTurnStep = kPi / 12;  // radians turned by one action
constexpr double kArrived = 0.35;       // cells
constexpr double kSight = 4;            // cells
constexpr double kBody = 0.28;          // half the width of the corridor that a straight walk needs

const StateVariable* FindVariable(const std::vector<StateVariable>& state, std::string_view name) {
  const auto found = std::find_if(state.begin(), state.end(), [&](const StateVariable& v) { return v.name == name; });
  return found == state.end() ? nullptr : &*found;
}

double WrapAngle(double angle) { return std::remainder(angle, 2 * kPi); }

}  // namespace

bool MazeExplorer::Knows(const World& world) {
  const ActionSpace& actions = world.Facts().actions;
  const std::vector<std::string> lattice = {"noop", "forward", "left", "right", "forward-left", "forward-right"};
  const std::vector<std::string> continuous = {"forward", "turn"};
  const bool acts = actions.names == (actions.Discrete() ? lattice : continuous);
  return acts && world.TruePose() && FindVariable(world.TrueState(), "walls");
}

void MazeExplorer::Look(const World& world) {
  const std::vector<StateVariable> state = world.TrueState();
  const StateVariable& walls = *FindVariable(state, "walls");
  size_ = static_cast<int32_t>(walls.shape[0]);
  wall_.assign(walls.values.begin(), walls.values.end());
  visited_.resize(wall_.size(), -1);
}

std::vector<float> MazeExplorer::Act(const World& world, Rng& rng) {
  const ActionSpace& actions = world.Facts().actions;
  const Pose pose = *world.TruePose();
  if (wall_.empty()) Look(world);
  visited_[static_cast<int32_t>(pose.y) * size_ + static_cast<int32_t>(pose.x)] = frame_++;
  const bool idle = path_.empty() && turns_ == 0 && rests_ == 0;
  const bool moved = pose.x != last_.x || pose.y != last_.y || pose.angle != last_.angle;
  stuck_ = moved || rests_ > 0 ? 0 : stuck_ + 1;
  last_ = pose;
  if (disturbed_ == 0 && rng.Bernoulli(noise_)) {
    disturbed_ = 1 + static_cast<int>(rng.Below(4));
    disturbance_ = RandomAction(actions, rng);
  }
  if (disturbed_ > 0) {
    --disturbed_;
    return disturbance_;
  }
  if (idle || stuck_ > 4) {
    Look(world);
    Plan(pose, rng);
  }
  const auto [forward, turn] = Steer(pose);
  if (!actions.Discrete()) return {static_cast<float>(forward), static_cast<float>(turn)};
  const int side = turn > 0.5 ? 1 : turn < -0.5 ? 2 : 0;
  if (forward < 0.5) return {static_cast<float>(side == 0 ? 0 : 1 + side)};
  return {static_cast<float>(side == 0 ? 1 : 3 + side)};
}

void MazeExplorer::Plan(const Pose& pose, Rng& rng) {
  path_.clear();
  turns_ = rests_ = stuck_ = 0;
  const int32_t here = static_cast<int32_t>(pose.y) * size_ + static_cast<int32_t>(pose.x);
  const double errand = rng.Uniform();
  if (errand < 0.12) {
    turns_ = static_cast<int>(6 + 6 * rng.Below(4)) * (rng.Bernoulli(0.5) ? 1 : -1);
  } else if (errand < 0.15) {
    rests_ = 1 + static_cast<int>(rng.Below(6));
  } else if (errand < 0.35) {
    const int32_t there = FarCell(pose, rng);
    WalkTo(here, there, rng);
    WalkTo(there, here, rng);
  } else if (errand < 0.5) {
    const int32_t first = FarCell(pose, rng), second = FarCell(pose, rng);
    WalkTo(here, first, rng);
    WalkTo(first, second, rng);
    WalkTo(second, here, rng);
  } else {
    WalkTo(here, FarCell(pose, rng), rng);
  }
}

// Of a few free cells drawn, the one not visited for the longest time, sometimes any.
int32_t MazeExplorer::FarCell(const Pose& pose, Rng& rng) const {
  const int32_t here = static_cast<int32_t>(pose.y) * size_ + static_cast<int32_t>(pose.x);
  const std::vector<int32_t> distance = WalkDistances(wall_, size_, {here});
  std::vector<int32_t> reachable;
  for (size_t cell = 0; cell < distance.size(); ++cell)
    if (distance[cell] >= 0) reachable.push_back(static_cast<int32_t>(cell));
  int32_t best = reachable[rng.Below(static_cast<int64_t>(reachable.size()))];
  if (rng.Bernoulli(0.3)) return best;
  for (int i = 0; i < 4; ++i) {
    const int32_t other = reachable[rng.Below(static_cast<int64_t>(reachable.size()))];
    if (visited_[other] < visited_[best]) best = other;
  }
  return best;
}

void MazeExplorer::WalkTo(int32_t from, int32_t to, Rng& rng) {
  const std::vector<int32_t> distance = WalkDistances(wall_, size_, {to});
  for (int32_t cell = from; cell != to && distance[cell] >= 0;) {
    std::vector<int32_t> nearer;
    for (const int32_t next : {cell + 1, cell - 1, cell + size_, cell - size_})
      if (distance[next] >= 0 && distance[next] < distance[cell]) nearer.push_back(next);
    cell = nearer[rng.Below(static_cast<int64_t>(nearer.size()))];
    path_.push_back({cell % size_ + rng.Uniform(0.4, 0.6), cell / size_ + rng.Uniform(0.4, 0.6), cell == to});
  }
}

double MazeExplorer::Distance(const Pose& pose, const Point& to) { return std::hypot(to.x - pose.x, to.y - pose.y); }

bool MazeExplorer::PlainSight(const Pose& pose, const Point& to) const {
  const double dx = to.x - pose.x, dy = to.y - pose.y;
  const int samples = 1 + static_cast<int>(Distance(pose, to) / 0.1);
  for (int i = 1; i <= samples; ++i)
    for (const double sx : {-kBody, kBody})
      for (const double sy : {-kBody, kBody}) {
        const auto x = static_cast<int32_t>(pose.x + dx * i / samples + sx), y = static_cast<int32_t>(pose.y + dy * i / samples + sy);
        if (wall_[y * size_ + x]) return false;
      }
  return true;
}

std::array<double, 2> MazeExplorer::Steer(const Pose& pose) {
  if (rests_ > 0) {
    --rests_;
    return {0, 0};
  }
  if (turns_ != 0) {
    const int side = turns_ > 0 ? 1 : -1;
    turns_ -= side;
    return {0, static_cast<double>(side)};
  }
  while (path_.size() > 1 && !path_[0].goal && Distance(pose, path_[1]) < kSight && PlainSight(pose, path_[1])) path_.pop_front();
  if (path_.empty()) return {0, 0};
  const Point goal = path_.front();
  const double distance = Distance(pose, goal);
  if (distance < kArrived) path_.pop_front();
  const double error = WrapAngle(std::atan2(goal.y - pose.y, goal.x - pose.x) - pose.angle);
  const double turn = std::abs(error) < 0.5 * kTurnStep ? 0 : std::clamp(error / kTurnStep, -1.0, 1.0);
  const double widest = distance < 1 ? 2 * kTurnStep : 4 * kTurnStep;  // a bend that can be walked
  return {std::abs(error) > widest + 0.01 ? 0.0 : 1.0, turn};
}

}  // namespace orrery
