#include "eval/motion/true_flow.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>
#include <map>

#include "core/error.h"
#include "eval/readers/reader.h"
#include "worlds/billiards.h"
#include "worlds/maze.h"

namespace orrery {

namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr double kStill = 1e-3;  // px

at::Tensor OfMaze(const Maze& before, const Maze& after) {
  const int64_t H = before.Facts().height, W = before.Facts().width;
  std::vector<float> depth(static_cast<size_t>(H * W));
  before.RenderDepth(depth);
  const Pose a = *before.TruePose(), b = *after.TruePose();
  const double focal = 0.5 * static_cast<double>(W);  // 90 degrees across
  at::Tensor flow = at::empty({H, W, 2}, at::kDouble);
  auto out = flow.accessor<double, 3>();
  for (int64_t y = 0; y < H; ++y)
    for (int64_t x = 0; x < W; ++x) {
      const double ahead = depth[static_cast<size_t>(y * W + x)];
      const double right = (static_cast<double>(x) + 0.5 - focal) * ahead / focal;
      const double down = (static_cast<double>(y) + 0.5 - 0.5 * static_cast<double>(H)) * ahead / focal;
      const double dx = a.x + ahead * std::cos(a.angle) + right * std::sin(a.angle) - b.x;
      const double dy = a.y + ahead * std::sin(a.angle) - right * std::cos(a.angle) - b.y;
      const double then = dx * std::cos(b.angle) + dy * std::sin(b.angle), across = dx * std::sin(b.angle) - dy * std::cos(b.angle);
      const double u = focal + focal * across / then - 0.5, v = 0.5 * static_cast<double>(H) + focal * down / then - 0.5;
      const bool seen = then > 0 && u >= 0 && v >= 0 && u <= static_cast<double>(W - 1) && v <= static_cast<double>(H - 1);
      out[y][x][0] = seen ? u - static_cast<double>(x) : kUnknown;
      out[y][x][1] = seen ? v - static_cast<double>(y) : kUnknown;
    }
  return flow;
}

at::Tensor OfBilliards(const World& before, const World& after) {
  const int64_t H = before.Facts().height, W = before.Facts().width;
  std::vector<int32_t> ids(static_cast<size_t>(H * W));
  before.RenderIds(ids);
  std::map<int64_t, FlowPoint> moves;
  const std::vector<WorldObject> then = after.Objects();
  for (const WorldObject& o : before.Objects())
    if (const WorldObject* later = FindObject(then, o.id)) moves[o.id] = {later->x - o.x, later->y - o.y};
  at::Tensor flow = at::zeros({H, W, 2}, at::kDouble);
  auto out = flow.accessor<double, 3>();
  for (int64_t y = 0; y < H; ++y)
    for (int64_t x = 0; x < W; ++x)
      if (const auto moved = moves.find(ids[static_cast<size_t>(y * W + x)]); moved != moves.end()) {
        out[y][x][0] = moved->second.x;
        out[y][x][1] = moved->second.y;
      }
  return flow;
}

at::Tensor Picture(const World& world) {
  at::Tensor rgb = at::empty({1, world.Facts().height, world.Facts().width, 3}, at::kByte);
  world.Render({rgb.mutable_data_ptr<uint8_t>(), static_cast<size_t>(rgb.numel())});
  return rgb;
}

}  // namespace

at::Tensor TrueFlow(const World& before, const World& after) {
  if (const auto* maze = dynamic_cast<const Maze*>(&before)) {
    const auto* later = dynamic_cast<const Maze*>(&after);
    ORRERY_CHECK(later);
    return OfMaze(*maze, *later);
  }
  return dynamic_cast<const Billiards*>(&before) ? OfBilliards(before, after) : at::Tensor();
}

std::optional<FlowFloor> MeasureFlow(const Scenario& scenario) {
  const auto now = ContextEnd(scenario), before = StartWorld(scenario);
  std::vector<at::Tensor> errors, speeds;
  std::vector<FlowFrame> last = FlowFrames(Picture(*now));
  for (int64_t t = scenario.context - 1; t < scenario.Last(); ++t) {
    before->Restore(now->Snapshot());
    now->Step(scenario.actions[static_cast<size_t>(t)]);
    const at::Tensor truth = TrueFlow(*before, *now);
    if (!truth.defined()) return std::nullopt;
    std::vector<FlowFrame> next = FlowFrames(Picture(*now));
    const at::Tensor speed = truth.norm(2, -1),
                     moving = speed > kStill;  // not of what is unknown
    errors.push_back((FlowField(last[0], next[0]) - truth).norm(2, -1).masked_select(moving));
    speeds.push_back(speed.masked_select(moving));
    last = std::move(next);
  }
  if (errors.empty()) return std::nullopt;
  const at::Tensor error = at::cat(errors), speed = at::cat(speeds);
  if (error.numel() == 0) return std::nullopt;
  const at::Tensor at = at::quantile(error, at::tensor({0.5, 0.9}, at::kDouble));
  return FlowFloor{at[0].item<double>(), at[1].item<double>(), speed.median().item<double>(), error.numel()};
}

}  // namespace orrery
