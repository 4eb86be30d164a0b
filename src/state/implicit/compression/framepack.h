// framepack: older frames enter through larger patchify kernels, so the tokens of a frame fall with its age and their sum is bounded
// (FramePack, arXiv 2504.12626). Context tokens are embedded and run through the network once a frame.
// State: the last R latents, the mean of everything older and its count. Read: c = sum of the groups' tokens, whatever T.
#pragma once
#include "state/latent_embedding.h"
#include "state/memory.h"

namespace orrery {

// `frames` of one age band, each packed by kernels of time x (space x space) tokens.
struct PackGroup {
  int64_t frames, time, space;
};

class FramePackMemory : public Memory {
 public:
  // Groups newest first, "1x1x1,2x1x2,4x1x4": frames x time x space. The tail adds one token of everything older.
  FramePackMemory(const std::string& groups, bool tail, const MemoryGeometry& geometry);

  static Facts Describe();
  MemoryFacts Declared() const override;
  std::string Spec() const override;
  Parts Reset(int64_t batch, at::Device device, at::ScalarType dtype, uint64_t seed) const override;
  InputContext Input(const Parts& state, const ReadPlan& plan) const override;
  void Commit(Parts& state, const ReadPlan& plan, const CleanFrame& frame) const override;
  std::unique_ptr<MemoryReader> OpenClip(const ClipQuery& clip) const override;
  void AdoptEmbedding(const TokenEmbedding& embedding) override;
  size_t StateBytes(int64_t frames, at::ScalarType dtype) const override;
  MemoryCost Cost(int64_t frames) const override;
  Json Audit(const Parts& state, const ReadPlan& plan) const override;

  int64_t Ring() const { return ring_; }  // frames that keep their latents
  int64_t Tokens(int64_t frames) const;   // read after `frames` committed frames
  const std::vector<PackGroup>& Groups() const { return groups_; }

 private:
  friend class FramePackReader;
  // history [R, ring, C, h, w] newest first, count [R]: how many of them are there; mean [R, C, h, w] of `older` [R] frames.
  InputContext Pack(const at::Tensor& history, const at::Tensor& count, const at::Tensor& mean, const at::Tensor& older) const;

  std::string text_;
  bool tail_;
  MemoryGeometry geometry_;
  std::vector<PackGroup> groups_;
  std::vector<std::shared_ptr<LatentEmbedding>> embeddings_;  // one a group, and the tail's
  at::Tensor gate_;                                           // [] bias of every packed token
  int64_t ring_ = 0;
};

}  // namespace orrery
