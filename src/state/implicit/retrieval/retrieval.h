// External retrieval: a bank of past frames, of which a few are looked up for every new frame and shown to the network as clean input
// tokens (WorldMem, arXiv 2504.12369; Context as Memory, arXiv 2506.03141; MagicWorld, arXiv 2511.18886).
// B batch, T frames, k frames read, N' tokens of a read frame, R rows.
#pragma once
#include <span>

#include "state/frame_bank.h"
#include "state/latent_embedding.h"

namespace orrery {

struct RetrievalOptions {
  int64_t k = 4;     // frames read
  int64_t pool = 1;  // p x p tokens of a read frame become one
};

// A subclass says what is stored beside the latent and which frames are chosen. State: T records. Read: c = k N' tokens.
class RetrievalMemory : public Memory {
 public:
  RetrievalMemory(const RetrievalOptions& options, const MemoryGeometry& geometry, bool needs_pose, std::vector<FrameBank::Field> more);

  MemoryFacts Declared() const override;
  Parts Reset(int64_t batch, at::Device device, at::ScalarType dtype, uint64_t seed) const override { return bank_.Reset(); }
  ReadPlan BeginFrame(const Parts& state, const FrameQuery& query) const override;
  InputContext Input(const Parts& state, const ReadPlan& plan) const override;
  void Commit(Parts& state, const ReadPlan& plan, const CleanFrame& frame) const override;
  std::unique_ptr<MemoryReader> OpenClip(const ClipQuery& clip) const override;
  void AdoptEmbedding(const TokenEmbedding& embedding) override { embedding_->Adopt(embedding); }
  void AdoptPoses(const at::Tensor& mean, const at::Tensor& deviation) override;
  size_t StateBytes(int64_t frames, at::ScalarType dtype) const override { return bank_.Bytes(frames, dtype); }
  MemoryCost Cost(int64_t frames) const override;
  Json Audit(const Parts& state, const ReadPlan& plan) const override;

 protected:
  // What a frame can be found by, [B, T, ...] of a clip's frames (T = 1 in a session): poses, keys.
  virtual at::Tensor Mark(const at::Tensor& latent, const at::Tensor& pose) const = 0;
  virtual const char* MarkField() const = 0;  // its name in the bank
  // At most k distinct frames of 0 .. candidates - 1, best first, for the frame that follows `newest` frames.
  // marks [T, ...] fp32 on the CPU; query [...] what is asked for, from Ask.
  virtual std::vector<int64_t> Choose(const at::Tensor& marks, const at::Tensor& query, int64_t candidates, int64_t newest) const = 0;
  // What to ask for frames 0 .. T - 1, [B, T, ...]: of poses themselves, of marks of the frames before (`marks` of frames -1 .. T - 2,
  // frame -1 being zeros) and actions [B, T, A].
  virtual at::Tensor Ask(const at::Tensor& marks, const at::Tensor& action, const at::Tensor& pose) const = 0;
  // Beside the network's loss, in training.
  virtual at::Tensor SelectorLoss(const ClipQuery& clip, const at::Tensor& marks) const { return {}; }
  virtual double SelectCost(int64_t candidates) const = 0;  // of looking among so many frames, > 0
  virtual double MarkCost() const { return 0; }             // of a frame that is stored

  RetrievalOptions options_;
  MemoryGeometry geometry_;
  double Unit() const { return unit_.item<double>(); }  // of lengths, in the data's units

 private:
  friend class RetrievalReader;
  // latent [R, k, C, h, w], pose and viewer [R, k, 3], [R, 3] or undefined, frame [R, k] (-1: none), now [R].
  InputContext Show(const at::Tensor& latent, const at::Tensor& pose, const at::Tensor& viewer, const at::Tensor& frame,
                    const at::Tensor& now) const;

  bool needs_pose_;
  FrameBank bank_;
  std::shared_ptr<LatentEmbedding> embedding_;
  at::Tensor gate_;  // [] bias of every read token
  at::Tensor unit_;  // [] buffer
};

}  // namespace orrery
