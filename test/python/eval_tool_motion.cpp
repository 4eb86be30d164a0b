// Metrics of motion.
#include <ATen/ATen.h>

#include "eval/motion/cuts.h"
#include "eval/motion/fvmd.h"
#include "eval_tool.h"

namespace orrery {
namespace {

// film [2, H, W, 3], points [N, 2]: x, y -> moved [N, 2], of the first frame's points in the second
const EvalCommand kFlow("flow", [](const Json&, const TensorFile& in) {
  const auto frames = FlowFrames(in.At("film", "IN"));
  at::Tensor moved = in.At("points", "IN").to(at::kDouble).clone();
  auto at = moved.accessor<double, 2>();
  for (int64_t n = 0; n < moved.size(0); ++n) {
    const FlowPoint q = FindPoint(frames[0], frames[1], {at[n][0], at[n][1]});
    at[n][0] = q.x;
    at[n][1] = q.y;
  }
  return ToolResult{{}, {{"moved", moved}}};
});

// {released}, tracks [N, 16, 400, 2] -> features [N, 1024], pooled [N, 64]
const EvalCommand kFvmd("fvmd", [](const Json& options, const TensorFile& in) {
  const at::Tensor features =
      FvmdFeatures(in.At("tracks", "IN"), options.at("released").get<bool>() ? FvmdForm::kReleased : FvmdForm::kPaper);
  return ToolResult{{}, {{"features", features}, {"pooled", PooledFvmd(features)}}};
});

// a, b [N, d]
const EvalCommand kFvmdDistance("fvmd_distance", [](const Json&, const TensorFile& in) {
  return ToolResult{{{"distance", FvmdDistance(in.At("a", "IN"), in.At("b", "IN"))}}, {}};
});

// film -> hsv, change [T - 1]
const EvalCommand kContent("content", [](const Json&, const TensorFile& in) {
  const at::Tensor& film = in.At("film", "IN");
  return ToolResult{{}, {{"hsv", Hsv(film)}, {"change", ContentChange(film)}}};
});

}  // namespace
}  // namespace orrery
