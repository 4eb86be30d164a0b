// retrieval.pose: the frames whose field of view covers most of the coming one (WorldMem, arXiv 2504.12369), or overlaps it by the
// border-ray rule (Context as Memory, arXiv 2506.03141). Walls are ignored, as in both.
#pragma once
#include "state/implicit/retrieval/retrieval.h"
#include "state/implicit/retrieval/view.h"

namespace orrery {

struct PoseRetrievalOptions {
  RetrievalOptions read;
  std::string rule = "cover";  // or "rays"
  double fov = 90;             // degrees
  double range = 0;            // of sight, in the data's units; 0: two deviations of its positions
};

class PoseRetrieval : public RetrievalMemory {
 public:
  PoseRetrieval(const PoseRetrievalOptions& options, const MemoryGeometry& geometry);

  static Facts Describe();
  static PoseRetrievalOptions Options(const Json& params);
  std::string Spec() const override;

 protected:
  at::Tensor Mark(const at::Tensor&, const at::Tensor& pose) const override { return pose; }
  const char* MarkField() const override { return "pose"; }
  at::Tensor Ask(const at::Tensor&, const at::Tensor&, const at::Tensor& pose) const override { return pose; }
  std::vector<int64_t> Choose(const at::Tensor& marks, const at::Tensor& query, int64_t candidates, int64_t newest) const override;
  double SelectCost(int64_t candidates) const override;

 private:
  PoseRetrievalOptions pose_;
};

}  // namespace orrery
