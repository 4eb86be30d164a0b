#include "state/stack.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.h"
#include "state/join.h"

namespace orrery {

namespace {

class StackReader : public MemoryReader {
 public:
  explicit StackReader(std::vector<std::unique_ptr<MemoryReader>> parts) : parts_(std::move(parts)) {}

  InputContext Input() override {
    InputContext all;
    for (const auto& part : parts_) all = JoinInputs(all, part->Input());
    return all;
  }
  LayerRead Read(int64_t layer, const LayerActivation& own, const at::Tensor& query) override {
    LayerRead all;
    for (const auto& part : parts_) {
      LayerRead read = part->Read(layer, own, query);
      all.sight = JoinSights(all.sight, read.sight);
      all.context = JoinContexts(all.context, read.context);
    }
    return all;
  }
  bool WantsTokens() const override {
    for (const auto& part : parts_)
      if (part->WantsTokens()) return true;
    return false;
  }
  at::Tensor Branch(int64_t layer, const at::Tensor& x) override {
    at::Tensor sum;
    for (const auto& part : parts_) sum = AddDefined(sum, part->Branch(layer, x));
    return sum;
  }
  at::Tensor BranchTwins(int64_t layer, const at::Tensor& x, const at::Tensor& asking) override {
    at::Tensor sum;
    for (const auto& part : parts_) sum = AddDefined(sum, part->BranchTwins(layer, x, asking));
    return sum;
  }
  bool Finish(Parts& state) override {
    bool any = false;
    for (size_t i = 0; i < parts_.size(); ++i) {
      Parts own = state.Take(std::to_string(i));
      any = parts_[i]->Finish(own) || any;
      state.Append(std::to_string(i), own);
    }
    return any;
  }
  at::Tensor Loss() override {
    at::Tensor sum;
    for (const auto& part : parts_) sum = AddDefined(sum, part->Loss());
    return sum;
  }

 private:
  std::vector<std::unique_ptr<MemoryReader>> parts_;
};

}  // namespace

StackedMemory::StackedMemory(std::vector<std::shared_ptr<Memory>> parts) : parts_(std::move(parts)) {
  ORRERY_CHECK(parts_.size() > 1);
  for (size_t i = 0; i < parts_.size(); ++i) register_module(Prefix(i), parts_[i]);
}

MemoryFacts StackedMemory::Declared() const {
  MemoryFacts all = parts_[0]->Declared();
  for (size_t i = 1; i < parts_.size(); ++i) {
    const MemoryFacts one = parts_[i]->Declared();
    all.bounded = all.bounded && one.bounded;
    all.needs_pose = all.needs_pose || one.needs_pose;
    all.reach = all.reach < 0 || one.reach < 0 ? -1 : std::max(all.reach, one.reach);
    all.held = all.held < 0 || one.held < 0 ? -1 : std::max(all.held, one.held);
    all.tolerance = std::max(all.tolerance, one.tolerance);
    for (const char port : one.ports)
      if (all.ports.find(port) == std::string::npos) all.ports += port;
  }
  all.family = "hybrid";
  return all;
}

std::string StackedMemory::Spec() const {
  std::string spec;
  for (const auto& part : parts_) spec += (spec.empty() ? "" : " + ") + part->Spec();
  return spec;
}

Parts StackedMemory::Reset(int64_t batch, at::Device device, at::ScalarType dtype, uint64_t seed) const {
  Parts state;
  for (size_t i = 0; i < parts_.size(); ++i) state.Append(Prefix(i), parts_[i]->Reset(batch, device, dtype, seed + i));
  return state;
}

ReadPlan StackedMemory::BeginFrame(const Parts& state, const FrameQuery& query) const {
  ReadPlan plan{query, {}};
  for (size_t i = 0; i < parts_.size(); ++i) plan.selection.Append(Prefix(i), parts_[i]->BeginFrame(Of(state, i), query).selection);
  return plan;
}

InputContext StackedMemory::Input(const Parts& state, const ReadPlan& plan) const {
  InputContext all;
  for (size_t i = 0; i < parts_.size(); ++i) all = JoinInputs(all, parts_[i]->Input(Of(state, i), Of(plan, i)));
  return all;
}

AttentionContext StackedMemory::Context(const Parts& state, const ReadPlan& plan, int64_t layer, const at::Tensor& query) const {
  AttentionContext all;
  for (size_t i = 0; i < parts_.size(); ++i) all = JoinContexts(all, parts_[i]->Context(Of(state, i), Of(plan, i), layer, query));
  return all;
}

bool StackedMemory::ReadsQueries() const {
  return std::any_of(parts_.begin(), parts_.end(), [](const auto& part) { return part->ReadsQueries(); });
}

at::Tensor StackedMemory::Branch(const Parts& state, const ReadPlan& plan, int64_t layer, const at::Tensor& x) const {
  at::Tensor sum;
  for (size_t i = 0; i < parts_.size(); ++i) sum = AddDefined(sum, parts_[i]->Branch(Of(state, i), Of(plan, i), layer, x));
  return sum;
}

at::Tensor StackedMemory::BranchOfFlight(const Parts& state, const std::vector<ReadPlan>& plans, int64_t layer, const at::Tensor& x) const {
  at::Tensor sum;
  for (size_t i = 0; i < parts_.size(); ++i) {
    std::vector<ReadPlan> own;
    for (const ReadPlan& plan : plans) own.push_back(Of(plan, i));
    sum = AddDefined(sum, parts_[i]->BranchOfFlight(Of(state, i), own, layer, x));
  }
  return sum;
}

void StackedMemory::Commit(Parts& state, const ReadPlan& plan, const CleanFrame& frame) const {
  for (size_t i = 0; i < parts_.size(); ++i) {
    Parts own = state.Take(Prefix(i));
    parts_[i]->Commit(own, Of(plan, i), frame);
    state.Append(Prefix(i), own);
  }
}

void StackedMemory::TakeOlder(Parts& state, const Parts& other) const {
  for (size_t i = 0; i < parts_.size(); ++i) {
    Parts own = state.Take(Prefix(i));
    parts_[i]->TakeOlder(own, Of(other, i));
    state.Append(Prefix(i), own);
  }
}

std::unique_ptr<MemoryReader> StackedMemory::OpenClip(const ClipQuery& clip) const {
  std::vector<std::unique_ptr<MemoryReader>> readers;
  for (size_t i = 0; i < parts_.size(); ++i) {
    ClipQuery own = clip;
    std::unique_ptr<Parts> before;
    if (clip.before) own.before = (before = std::make_unique<Parts>(Of(*clip.before, i))).get();
    readers.push_back(parts_[i]->OpenClip(own));
  }
  return std::make_unique<StackReader>(std::move(readers));
}

void StackedMemory::AdoptEmbedding(const TokenEmbedding& embedding) {
  for (const auto& part : parts_) part->AdoptEmbedding(embedding);
}

void StackedMemory::AdoptPoses(const at::Tensor& mean, const at::Tensor& deviation) {
  for (const auto& part : parts_) part->AdoptPoses(mean, deviation);
}

size_t StackedMemory::StateBytes(int64_t frames, at::ScalarType dtype) const {
  size_t bytes = 0;
  for (const auto& part : parts_) bytes += part->StateBytes(frames, dtype);
  return bytes;
}

MemoryCost StackedMemory::Cost(int64_t frames) const {
  MemoryCost all;
  for (const auto& part : parts_) {
    const MemoryCost one = part->Cost(frames);
    all.read += one.read;
    all.select += one.select;
    all.write += one.write;
  }
  return all;
}

Json StackedMemory::Audit(const Parts& state, const ReadPlan& plan) const {
  Json all = Json::object();
  for (size_t i = 0; i < parts_.size(); ++i) all[parts_[i]->Spec()] = parts_[i]->Audit(Of(state, i), Of(plan, i));
  return all;
}

}  // namespace orrery
