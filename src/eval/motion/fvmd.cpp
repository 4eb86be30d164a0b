#include "eval/motion/fvmd.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

#include "core/error.h"
#include "core/shape.h"
#include "eval/quality/distances.h"

namespace orrery {

namespace {

constexpr int64_t kCell = 5, kCube = 4, kBins = 8;
constexpr double kMargin = 8;       // px of 256
constexpr double kDiagonal = 1e-5;  // of the released distance

// vectors [N, 16, 400, 2] -> [N, 512]
at::Tensor Histograms(const at::Tensor& vectors) {
  constexpr int64_t kCubes = kFvmdFrames / kCube, kCells = kFvmdSide / kCell;
  const at::Tensor x = vectors.select(-1, 0), y = vectors.select(-1, 1);
  const at::Tensor bin = ((at::atan2(x, y) + std::numbers::pi) / (2 * std::numbers::pi / kBins)).floor().clamp(0, kBins - 1).to(at::kLong);
  const at::Tensor length = vectors.norm(2, -1).clamp(0, 255), weight = (length + 1).log2().clamp(0, 8).ceil() / 8;
  const at::Tensor votes = at::one_hot(bin, kBins).to(at::kDouble) * weight.unsqueeze(-1);
  return votes.view({-1, kCubes, kCube, kCells, kCell, kCells, kCell, kBins}).sum({2, 4, 6}).flatten(1);
}

}  // namespace

at::Tensor FvmdTracks(std::span<const FlowFrame> clip) {
  ORRERY_CHECK(static_cast<int64_t>(clip.size()) == kFvmdFrames);
  const FlowPlane& p = clip[0].levels[0];
  const at::Tensor scale =
      at::tensor({kFvmdPicture / static_cast<double>(p.width), kFvmdPicture / static_cast<double>(p.height)}, at::kDouble);
  return TrackGrid(clip, kFvmdSide, kMargin / kFvmdPicture) * scale;
}

at::Tensor FvmdFeatures(const at::Tensor& tracks, FvmdForm form) {
  CheckShape(tracks, {kAny, kFvmdFrames, kFvmdPoints, 2}, "FVMD tracks");
  const at::Tensor at = tracks.to(at::kDouble);
  const auto step = [](const at::Tensor& t,
                       int64_t first) {  // differences of neighbours from step
                                         // `first` on, 0 before
    at::Tensor d = at::zeros_like(t);
    d.narrow(1, first, kFvmdFrames - first).copy_(t.narrow(1, first, kFvmdFrames - first) - t.narrow(1, first - 1, kFvmdFrames - first));
    return d;
  };
  const at::Tensor velocity = step(at, 1), second = step(form == FvmdForm::kPaper ? velocity : at, 2);
  return at::cat({Histograms(velocity), Histograms(second)}, 1);
}

at::Tensor PooledFvmd(const at::Tensor& features) {
  constexpr int64_t kCubes = kFvmdFrames / kCube, kCells = kFvmdSide / kCell;
  return features.view({-1, 2, kCubes, kCells * kCells, kBins}).mean(3).flatten(1);
}

double FvmdDistance(const at::Tensor& a, const at::Tensor& b) {
  Moments x = FeatureMoments(a), y = FeatureMoments(b);
  const at::Tensor offset = kDiagonal * at::eye(x.covariance.size(0), at::kDouble);
  x.covariance = x.covariance + offset;
  y.covariance = y.covariance + offset;
  return Frechet(x, y) - 2 * kDiagonal * static_cast<double>(x.covariance.size(0));
}

}  // namespace orrery
