// geometry.points: a cloud of points in the world. Each latent cell of the newest frames is a point where a learned depth puts it, with
// what the cell holds; for the frame to come the cloud is drawn as that frame's pose sees it, nearest first, and the network gets the
// picture as features of the frame's own tokens (render, generate, update: GEN3C, arXiv 2503.03751). Depth is the mean of a distribution
// over bins and learns through where points land; there is no second estimate of depth, so nothing is aligned. State: (3 + f) numbers a
// point, of at most `points` points, the oldest frame going first. B batch, T frames, M frames kept, C x h x w latents, n = h w points a
// frame, f features, K depth bins, N tokens, D width.
#pragma once
#include "state/explicit/decoupled/cells.h"

namespace orrery {

struct PointsOptions {
  int64_t points = 4096;  // rounded down to whole frames
  int64_t features = 0;   // f; 0: the latent itself
  int64_t bins = 12;      // K
  double range = 0;       // of sight, in units of the pose; 0: four deviations of the data's positions
  double fov = 90;        // degrees
};

class PointsMemory : public Memory {
 public:
  // Frames in a row: places x, y, height over the camera in world coordinates [B, F, n, 3], what is there [B, F, n, f], and which frames
  // they are of.
  struct Cloud {
    at::Tensor place, feature;
    std::vector<int64_t> frame;
  };

  PointsMemory(const PointsOptions& options, const MemoryGeometry& geometry);

  static Facts Describe();
  static std::shared_ptr<Memory> Make(const Json& params, const MemoryGeometry& geometry);

  MemoryFacts Declared() const override;
  std::string Spec() const override;
  Parts Reset(int64_t batch, at::Device device, at::ScalarType dtype, uint64_t seed) const override;
  ReadPlan BeginFrame(const Parts& state, const FrameQuery& query) const override;
  InputContext Input(const Parts& state, const ReadPlan& plan) const override;
  void Commit(Parts& state, const ReadPlan& plan, const CleanFrame& frame) const override;
  std::unique_ptr<MemoryReader> OpenClip(const ClipQuery& clip) const override;
  void AdoptPoses(const at::Tensor& mean, const at::Tensor& deviation) override;
  size_t StateBytes(int64_t frames, at::ScalarType dtype) const override;
  MemoryCost Cost(int64_t frames) const override;
  Json Audit(const Parts& state, const ReadPlan& plan) const override;

  int64_t FramesKept() const { return options_.points / FramePoints(); }  // M
  int64_t FramePoints() const { return Rows() * Columns(); }              // n
  int64_t Features() const { return options_.features > 0 ? options_.features : geometry_.channels; }

  // Depth of every cell along the heading, in units of the pose, [..., n], of latents [..., C, h, w].
  at::Tensor Depth(const at::Tensor& latent) const;
  // Points of frames: depth [B, F, n], pose [B, F, 3] -> [B, F, n, 3].
  at::Tensor Lift(const at::Tensor& depth, const at::Tensor& pose) const;
  Cloud Points(const at::Tensor& latent, const at::Tensor& pose, int64_t first) const;
  // The kept frames of a state, oldest first.
  Cloud Kept(const Parts& state) const;
  void Store(Parts& state, const Cloud& cloud) const;  // frames after those that are there
  // The cloud as `pose` [B, 3] sees it at frame `now`: [B, n, f + 3]: features, log depth, log age, and how much covers the cell, 0 to 1.
  at::Tensor Draw(const Cloud& cloud, const at::Tensor& pose, int64_t now) const;
  at::Tensor Features(const at::Tensor& picture) const;  // [R, n, f + 3] -> [R, N, D]

 private:
  int64_t Rows() const { return geometry_.rows * geometry_.patch; }        // h
  int64_t Columns() const { return geometry_.columns * geometry_.patch; }  // w
  at::Tensor Slopes() const;                                               // left and up a unit of depth, of every cell, [n, 2]
  double Edge() const;                                                     // the outermost slope to the left

  PointsOptions options_;
  MemoryGeometry geometry_;
  std::shared_ptr<CellEncoder> cells_;
  torch::nn::Linear depth_{nullptr}, feature_{nullptr}, picture_{nullptr}, out_{nullptr};
  at::Tensor fade_;   // [] how fast old points fade beside new ones
  at::Tensor range_;  // [] buffer
};

}  // namespace orrery
