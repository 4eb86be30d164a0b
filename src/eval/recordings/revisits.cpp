#include "eval/recordings/revisits.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/rng.h"
#include "core/shape.h"

namespace orrery {

namespace {

struct Apart {
  double way = 0;    // strides
  double angle = 0;  // degrees, 0..180
};

void RequirePose(const RecordingWorld& recording) {
  if (!recording.Facts().has_pose)
    Fail("{}: a recording with poses expected, to know where the viewer comes back to; record it with --pose X,Y,ANGLE",
         recording.Facts().spec);
}

}  // namespace

std::vector<Visit> FindRevisits(const at::Tensor& poses, double stride, const RevisitOptions& options) {
  CheckShape(poses, {kAny, 3}, "poses");
  CheckDtype(poses, at::kFloat, "poses");
  if (stride <= 0) return {};
  const at::Tensor rows = poses.contiguous();
  const float* pose = rows.const_data_ptr<float>();
  const auto apart = [&](int64_t a, int64_t b) {
    const float *p = pose + 3 * a, *q = pose + 3 * b;
    const double turn = std::remainder(static_cast<double>(p[2]) - q[2], 2 * std::numbers::pi);
    return Apart{std::hypot(static_cast<double>(p[0]) - q[0], static_cast<double>(p[1]) - q[1]) / stride,
                 std::abs(turn) * 180 / std::numbers::pi};
  };
  std::vector<Visit> visits;
  for (int64_t back = 2; back < poses.size(0); ++back) {
    bool away = false;
    for (int64_t first = back - 1; first >= 0; --first) {
      const Apart a = apart(first, back);
      if (a.way <= options.near && a.angle <= options.angle) {
        if (away) visits.push_back({first, back});
        break;
      }
      away = away || a.way > options.away || a.angle > options.look_away;
    }
  }
  return visits;
}

double Stride(const RecordingWorld& recording, double still) {
  RequirePose(recording);
  std::vector<double> ways;
  for (const int64_t e : recording.Episodes()) {
    const at::Tensor at = recording.Set().Poses(e).narrow(1, 0, 2);
    if (at.size(0) < 2) continue;
    const at::Tensor way = (at.slice(0, 1) - at.slice(0, 0, -1)).to(at::kDouble).norm(2, {1}).contiguous();
    ways.insert(ways.end(), way.const_data_ptr<double>(), way.const_data_ptr<double>() + way.numel());
  }
  if (ways.empty()) return 0;
  const double least = still * *std::max_element(ways.begin(), ways.end());
  std::erase_if(ways, [&](double w) { return w <= least; });
  if (ways.empty()) return 0;
  std::nth_element(ways.begin(), ways.begin() + std::ssize(ways) / 2, ways.end());
  return ways[ways.size() / 2];
}

std::vector<RevisitScenario> RecordedRevisits(std::string_view world, int64_t count, int64_t context, int64_t gap, uint64_t seed) {
  if (context <= kSince) Fail("revisits: a context of {} frames or more expected, got {}", kSince + 1, context);
  const int64_t before = context - 1 - kSince;
  const auto recording = MakeRecording(world);
  const double stride = Stride(*recording);
  Rng rng(DeriveSeed(seed, static_cast<uint64_t>(gap)), "revisits");
  std::vector<int64_t> episodes = recording->Episodes();
  for (auto i = std::ssize(episodes) - 1; i > 0; --i)
    std::swap(episodes[static_cast<size_t>(i)], episodes[static_cast<size_t>(rng.Below(i + 1))]);
  std::vector<RevisitScenario> out;
  for (const int64_t e : episodes) {
    if (std::ssize(out) == count) break;
    std::vector<Visit> visits = FindRevisits(recording->Set().Poses(e), stride);
    std::erase_if(visits, [&](const Visit& v) { return v.back - v.first < gap || v.back - v.first >= 2 * gap || v.first < before; });
    if (visits.empty()) continue;
    const Visit& v = visits[static_cast<size_t>(rng.Below(std::ssize(visits)))];
    RevisitScenario r;
    const int64_t begin = v.first - before;
    r.scenario.world = world;
    r.scenario.seed = recording->Seed(e, begin);
    r.scenario.context = context;
    r.scenario.actions = recording->Actions(e, begin, v.back - begin);
    r.first = before;
    r.back = v.back - begin;
    out.push_back(std::move(r));
  }
  return out;
}

}  // namespace orrery
