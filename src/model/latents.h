// A data set encoded once: latents as float16 in a mapped file, with actions and poses, so that training never runs the encoder
// and memory holds only what it touches.
#pragma once
#include "codec/codec.h"
#include "data/dataset.h"
#include "dynamics/objective.h"

namespace orrery {

class LatentStore {
 public:
  // Opens the cache in `folder`, or encodes `dataset` into it when it is missing or of another codec or data set.
  LatentStore(const Dataset& dataset, Codec& codec, std::string_view codec_hash, const std::filesystem::path& folder);

  int64_t Episodes() const { return static_cast<int64_t>(begin_.size()) - 1; }
  int64_t Frames(int64_t episode) const { return begin_[episode + 1] - begin_[episode]; }

  // Frames [first, first + count) of one episode as a clip of batch 1. The action of an episode's first frame is unknown.
  Clip Read(int64_t episode, int64_t first, int64_t count) const;
  // A batch of random windows of `length` frames from `episodes`, every window equally likely.
  // Throws Error when no episode is long enough.
  Clip Sample(const std::vector<int64_t>& episodes, int64_t batch, int64_t length, Rng& rng) const;

  // Mean and deviation of x and y over all poses, [2] each; undefined without pose.
  std::pair<at::Tensor, at::Tensor> PoseScale() const;
  // Root mean square motions between neighbouring frames (model/odometry.h), [3]; undefined without pose.
  at::Tensor MotionScale() const;

 private:
  void Encode(const Dataset& dataset, Codec& codec, const std::filesystem::path& folder, const Json& identity);

  std::vector<int64_t> begin_;  // first row of every episode, and the end
  at::Tensor latent_;           // [F, C, h, w] float16, mapped
  at::Tensor action_, pose_;    // [F, A], [F, 3] float32; undefined without
};

}  // namespace orrery
