// Frozen nets whose features say what frames and clips look like (evaluation 0.4): those that are part of the program, and the user's.
#pragma once
#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace orrery {

constexpr int64_t kClipFrames = 16;

// Immutable. Computes on one thread, film by film, so that features do not hang on threads or on what else is asked.
class FeatureNet {
 public:
  // TorchScript in `bytes`, from frames [N, 3, H, W] or clips [N, 3, 16, H, W], fp32 RGB in [0, 1], to features [N, d]. Which of the two it
  // takes is tried out on noise of 64 x 64 pixels. Metrics carry `name` behind an @. Throws Error that names `where` when it takes
  // neither, gives something else, or numbers that are not finite.
  FeatureNet(std::string name, std::string_view bytes, const std::string& where, bool built_in = false);

  const std::string& Name() const;
  const std::string& Hash() const;  // SHA-256 of its bytes
  bool BuiltIn() const;
  bool OfClips() const;
  int64_t Width() const;  // d

  // Of a film [T, H, W, 3] uint8: features of every frame, [T, d] fp32; of a net of clips those of the first 16 frames, [1, d].
  // Throws Error on a film shorter than a clip, and when the net refuses frames of this size.
  at::Tensor Embed(const at::Tensor& film) const;

  // Whether it can tell frames apart place by place: a net of frames with a method stages(x), a list of [N, C, H', W'] tensors.
  bool HasStages() const;
  // The formula of LPIPS (Zhang et al., arXiv 1801.03924) without learnt weights: at every stage the features of a place are scaled to
  // length 1; squared differences, mean over channels and places, sum over stages. [T] fp64 of frames of the same index, >= 0, 0 of copies.
  at::Tensor PairDistance(const at::Tensor& a, const at::Tensor& b) const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

// F-img (frames) and F-vid (clips), trained on films of the built-in worlds; F-rand of either, the same trunks never trained. Then those
// that were added.
const std::vector<FeatureNet>& FeatureNets();
// "NAME=FILE" of a TorchScript file. Call before any suite runs. Throws Error on a name that is taken or not of letters, digits, - _ .,
// and on files that FeatureNet refuses.
void AddFeatureNet(const std::string& spec);

// Why a net may not be used on a world: a validity gate that it fails there (models/features/gates.json), or that was never run. Empty
// when it may. Of the user's nets nobody knows: empty.
std::string FailedGate(const FeatureNet& net, std::string_view world);

}  // namespace orrery
