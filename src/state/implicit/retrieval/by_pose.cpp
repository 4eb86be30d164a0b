#include "state/implicit/retrieval/by_pose.h"

#include <ATen/ATen.h>

#include <numbers>

#include "core/error.h"

namespace orrery {

namespace {

constexpr int64_t kPoints = 256;
constexpr double kNearShare = 0.02;  // of the range: nearer meetings of rays count for nothing

PlanarPose At(const float* row) { return {row[0], row[1], row[2]}; }

}  // namespace

PoseRetrieval::PoseRetrieval(const PoseRetrievalOptions& options, const MemoryGeometry& geometry)
    : RetrievalMemory(options.read, geometry, true, {}), pose_(options) {
  const std::vector<std::string> rules{"cover", "rays"};
  if (std::find(rules.begin(), rules.end(), options.rule) == rules.end()) FailUnknown("rule of retrieval.pose", options.rule, rules);
  if (!(options.fov > 0 && options.fov < 180)) Fail("retrieval.pose: fov in (0, 180) degrees expected, got {}", options.fov);
  if (options.range < 0) Fail("retrieval.pose: range >= 0 expected, got {}", options.range);
}

Facts PoseRetrieval::Describe() {
  return {"retrieval.pose",
          "past frames whose view overlaps the coming one",
          "arXiv 2504.12369, 2506.03141",
          {{"k", 4, "frames read"},
           {"pool", 1, "p x p tokens of a read frame become one"},
           {"rule", "cover", "cover (most of the view, greedily) or rays (border rays meet)"},
           {"fov", 90.0, "degrees"},
           {"range", 0.0, "of sight, in units of the pose; 0: two deviations of the data's positions"}}};
}

PoseRetrievalOptions PoseRetrieval::Options(const Json& p) {
  return {
      {p["k"].get<int64_t>(), p["pool"].get<int64_t>()}, p["rule"].get<std::string>(), p["fov"].get<double>(), p["range"].get<double>()};
}

std::string PoseRetrieval::Spec() const {
  return FormatSpec("retrieval.pose",
                    {{"k", options_.k}, {"pool", options_.pool}, {"rule", pose_.rule}, {"fov", pose_.fov}, {"range", pose_.range}});
}

std::vector<int64_t> PoseRetrieval::Choose(const at::Tensor& marks, const at::Tensor& query, int64_t candidates, int64_t) const {
  const at::Tensor m = marks.narrow(0, 0, candidates).to(at::kFloat).contiguous(), q = query.to(at::kFloat).contiguous();
  std::vector<PlanarPose> past;
  for (int64_t i = 0; i < candidates; ++i) past.push_back(At(m.const_data_ptr<float>() + 3 * i));
  const double range = pose_.range > 0 ? pose_.range : 2 * Unit();
  const FieldOfView view{pose_.fov * std::numbers::pi / 180, range};
  const PlanarPose target = At(q.const_data_ptr<float>());
  return pose_.rule == "cover" ? CoverView(past, target, view, options_.k, kPoints)
                               : OverlapView(past, target, view, options_.k, kNearShare * range);
}

double PoseRetrieval::SelectCost(int64_t candidates) const {
  return pose_.rule == "cover" ? static_cast<double>(kPoints * candidates) : static_cast<double>(8 * candidates);
}

}  // namespace orrery
