// A sum of memories, "window(16) + ssm()": contexts are joined, input features and branches added. A frame lives in one place: every
// part is told through MemoryGeometry::recent how many of the newest frames another part holds.
#pragma once
#include "state/memory.h"

namespace orrery {

class StackedMemory : public Memory {
 public:
  explicit StackedMemory(std::vector<std::shared_ptr<Memory>> parts);

  MemoryFacts Declared() const override;
  std::string Spec() const override;
  Parts Reset(int64_t batch, at::Device device, at::ScalarType dtype, uint64_t seed) const override;
  ReadPlan BeginFrame(const Parts& state, const FrameQuery& query) const override;
  InputContext Input(const Parts& state, const ReadPlan& plan) const override;
  AttentionContext Context(const Parts& state, const ReadPlan& plan, int64_t layer, const at::Tensor& query) const override;
  bool ReadsQueries() const override;
  at::Tensor Branch(const Parts& state, const ReadPlan& plan, int64_t layer, const at::Tensor& x) const override;
  at::Tensor BranchOfFlight(const Parts& state, const std::vector<ReadPlan>& plans, int64_t layer, const at::Tensor& x) const override;
  void Commit(Parts& state, const ReadPlan& plan, const CleanFrame& frame) const override;
  void TakeOlder(Parts& state, const Parts& other) const override;
  std::unique_ptr<MemoryReader> OpenClip(const ClipQuery& clip) const override;
  void AdoptEmbedding(const TokenEmbedding& embedding) override;
  void AdoptPoses(const at::Tensor& mean, const at::Tensor& deviation) override;
  size_t StateBytes(int64_t frames, at::ScalarType dtype) const override;
  MemoryCost Cost(int64_t frames) const override;
  Json Audit(const Parts& state, const ReadPlan& plan) const override;

 private:
  std::string Prefix(size_t i) const { return std::to_string(i); }
  Parts Of(const Parts& state, size_t i) const { return state.Extract(Prefix(i)); }
  ReadPlan Of(const ReadPlan& plan, size_t i) const { return {plan.query, plan.selection.Extract(Prefix(i))}; }

  std::vector<std::shared_ptr<Memory>> parts_;
};

}  // namespace orrery
