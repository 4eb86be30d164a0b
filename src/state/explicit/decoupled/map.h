// geometry.map: what was seen, laid out on the ground. A fixed grid of features seen from above, in world coordinates: every frame is
// lifted along the rays of its columns (depth as a learned distribution over bins, Philion & Fidler, arXiv 2008.05711), added at its pose,
// and for the frame to come rendered along the rays of that frame's pose; the network gets the render as features of the frame's own
// tokens. Cells are running means of limited memory. The family is that of arXiv 2503.03751 and 2506.05284: render, generate, update.
// State: G^2 (f + 2) numbers and a few more, whatever the history's length.
// B batch, T frames, R = B T, C x h x w latents, K depth bins, r rays a column, P = w r K points, f features, N tokens, D width.
#pragma once
#include "state/explicit/decoupled/cells.h"
#include "state/explicit/decoupled/grid.h"
#include "state/memory.h"

namespace orrery {

struct MapOptions {
  int64_t size = 64;      // G, cells a side
  double cell = 0;        // side of a cell, in units of the pose; 0: the largest power of two within a quarter of the positions' deviation
  int64_t features = 32;  // f
  int64_t bins = 12;      // K
  double range = 0;       // of sight, in units of the pose; 0: a quarter of the grid's side
  double fov = 90;        // degrees
  double keep = 5;        // mass of evidence that a cell keeps against new evidence; a whole frame in one cell weighs w
};

class MapMemory : public Memory {
 public:
  MapMemory(const MapOptions& options, const MemoryGeometry& geometry);

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

  double Cell() const { return cell_.item<double>(); }
  int64_t Points() const;                                     // P
  int64_t Channels() const { return options_.features + 2; }  // features, time of writing, mass

  // The grid's middle for a session that begins at `pose` [B, 3]: its place, moved to a corner of the lattice of cells. [B, 2]
  at::Tensor Origin(const at::Tensor& pose) const;
  // Where the rays of `pose` [B, T, 3] meet the grid about `origin` [B, 2].
  GridPoints Look(const at::Tensor& pose, const at::Tensor& origin) const;
  // latent [B, T, C, h, w], frame [T] fp32 -> what each point is written with, [B, T, P, f + 2] fp32.
  at::Tensor Lift(const at::Tensor& latent, const at::Tensor& frame) const;
  // What the points of a frame hold, [B, T, P, f + 2], frame [T] -> features [B T, N, D].
  at::Tensor Render(const at::Tensor& sums, const at::Tensor& frame) const;
  double Keep() const { return options_.keep; }
  // Mass that a frame puts beyond the grid, [B, T].
  static at::Tensor Outside(const at::Tensor& values, const GridPoints& points);

 private:
  int64_t LatentRows() const { return geometry_.rows * geometry_.patch; }
  int64_t LatentColumns() const { return geometry_.columns * geometry_.patch; }

  MapOptions options_;
  MemoryGeometry geometry_;
  std::shared_ptr<CellEncoder> cells_;
  torch::nn::Linear depth_{nullptr}, feature_{nullptr}, ray_{nullptr}, out_{nullptr};
  at::Tensor cell_;  // [] buffer
};

}  // namespace orrery
