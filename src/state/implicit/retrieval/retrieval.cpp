#include "state/implicit/retrieval/retrieval.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "state/clip_rows.h"

namespace orrery {

namespace {

std::vector<FrameBank::Field> Fields(const MemoryGeometry& g, bool pose, std::vector<FrameBank::Field> more) {
  std::vector<FrameBank::Field> fields{{"latent", {g.channels, g.rows * g.patch, g.columns * g.patch}, false}};
  if (pose) fields.push_back({"pose", {3}});
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

void NeedPose(const at::Tensor& pose) {
  if (!pose.defined()) Fail("retrieval.pose: the pose of every frame expected; this data or world has none, use retrieval.key");
}

}  // namespace

RetrievalMemory::RetrievalMemory(const RetrievalOptions& options, const MemoryGeometry& geometry, bool needs_pose,
                                 std::vector<FrameBank::Field> more)
    : options_(options), geometry_(geometry), needs_pose_(needs_pose), bank_(Fields(geometry, needs_pose, std::move(more))) {
  if (options.k < 0) Fail("retrieval: k >= 0 frames expected, got {}", options.k);
  embedding_ = register_module("embedding", std::make_shared<LatentEmbedding>(geometry, options.pool, needs_pose));
  gate_ = register_parameter("gate", at::full({}, kFirstGate));
  unit_ = register_buffer("unit", at::ones({}));
}

MemoryFacts RetrievalMemory::Declared() const {
  return {.bounded = false, .needs_pose = needs_pose_, .reach = -1, .ports = "I", .family = "retrieval"};
}

void RetrievalMemory::AdoptPoses(const at::Tensor&, const at::Tensor& deviation) {
  const at::NoGradGuard guard;
  unit_.copy_(deviation.mean().clamp_min(1e-3));
}

InputContext RetrievalMemory::Show(const at::Tensor& latent, const at::Tensor& pose, const at::Tensor& viewer, const at::Tensor& frame,
                                   const at::Tensor& now) const {
  const int64_t R = latent.size(0), k = latent.size(1), n = embedding_->Tokens();
  const at::Tensor age = (now.unsqueeze(1) - frame).clamp_min(1).to(latent.device());
  const at::Tensor relative = pose.defined() ? RelativePose(pose, viewer.unsqueeze(1), Unit()) : at::Tensor();
  InputContext out;
  out.tokens = embedding_->Embed(latent, relative, age).view({R, k * n, -1});
  // Rank r sits just before the frames that others hold, whatever its age: times that training has seen.
  const at::Tensor rank = at::arange(k, at::kFloat).add(static_cast<double>(geometry_.recent + 1)).neg();
  out.coord = at::cat({rank.repeat_interleave(n).unsqueeze(1), embedding_->Places().repeat({k, 1})}, 1).to(latent.device());
  out.bias = GatedBias((frame >= 0).repeat_interleave(n, 1).to(latent.device()), gate_);
  return out;
}

ReadPlan RetrievalMemory::BeginFrame(const Parts& state, const FrameQuery& query) const {
  if (needs_pose_) NeedPose(query.pose);
  const int64_t committed = FrameBank::Committed(state), candidates = committed - geometry_.recent;
  ReadPlan plan{query, {}};
  if (options_.k == 0 || candidates <= 0) return plan;
  const at::Tensor marks = bank_.First(state, MarkField(), committed).to(at::kCPU);
  const auto one = [](const at::Tensor& x) { return x.defined() ? x.unsqueeze(1) : x; };
  const at::Tensor ask = Ask(marks.narrow(1, committed - 1, 1), one(query.action), one(query.pose)).to(at::kCPU);
  at::Tensor chosen = at::full({marks.size(0), options_.k}, -1, at::kLong);
  for (int64_t b = 0; b < marks.size(0); ++b) {
    const std::vector<int64_t> frames = Choose(marks[b], ask[b][0], candidates, committed);
    for (size_t i = 0; i < frames.size(); ++i) chosen[b][static_cast<int64_t>(i)] = frames[i];
  }
  plan.selection.Add("frame", "batch rank", chosen);
  return plan;
}

InputContext RetrievalMemory::Input(const Parts& state, const ReadPlan& plan) const {
  if (!plan.selection.Has("frame")) return {};
  const at::Tensor& frame = plan.selection.Get("frame");
  const at::Tensor now = at::full({frame.size(0)}, plan.query.frame, at::kLong);
  return Show(bank_.Gather(state, "latent", frame), needs_pose_ ? bank_.Gather(state, "pose", frame) : at::Tensor(), plan.query.pose, frame,
              now);
}

void RetrievalMemory::Commit(Parts& state, const ReadPlan& plan, const CleanFrame& clean) const {
  if (needs_pose_) NeedPose(clean.query.pose);
  std::vector<at::Tensor> values{clean.latent};
  if (needs_pose_) values.push_back(clean.query.pose.to(at::kFloat));
  if (std::string_view(MarkField()) != "pose") {
    const at::NoGradGuard guard;
    values.push_back(Mark(clean.latent.unsqueeze(1), {}).squeeze(1));
  }
  bank_.Append(state, values);
}

// Frame t of a clip looks among the clip's frames before it.
class RetrievalReader : public MemoryReader {
 public:
  RetrievalReader(const RetrievalMemory& memory, const ClipQuery& clip) : memory_(memory), clip_(clip) {
    if (memory.needs_pose_) NeedPose(clip.pose);
    marks_ = memory.Mark(clip.latent, clip.pose);
  }
  LayerRead Read(int64_t, const LayerActivation&, const at::Tensor&) override { return {}; }
  at::Tensor Loss() override { return memory_.SelectorLoss(clip_, marks_); }

  InputContext Input() override {
    const int64_t T = clip_.frames, k = memory_.options_.k, recent = memory_.geometry_.recent;
    if (k == 0 || T <= recent + 1) return {};
    const at::Tensor seen = marks_.detach(), before = at::cat({at::zeros_like(seen.narrow(1, 0, 1)), seen.narrow(1, 0, T - 1)}, 1);
    const at::Tensor ask = memory_.Ask(before, clip_.action, clip_.pose).detach().to(at::kCPU), host = seen.to(at::kCPU);
    const std::vector<ClipRow> rows = ReadingRows(clip_, recent);
    if (rows.empty()) return {};
    std::vector<int64_t> frames, now;
    for (const auto& [b, t] : rows) {
      std::vector<int64_t> chosen = memory_.Choose(host[b], ask[b][t], t - recent, t);
      chosen.resize(static_cast<size_t>(k), -1);
      now.push_back(t);
      frames.insert(frames.end(), chosen.begin(), chosen.end());
    }
    const at::Tensor row = RowIndex(rows, T), frame = at::tensor(frames, at::kLong).view({-1, k});
    const at::Tensor source = row.floor_divide(T).unsqueeze(1) * T + frame.clamp_min(0);
    const bool pose = memory_.needs_pose_;
    InputContext out = memory_.Show(PickFrames(clip_.latent, source), pose ? PickFrames(clip_.pose, source) : at::Tensor(),
                                    pose ? PickFrames(clip_.pose, row) : at::Tensor(), frame, at::tensor(now, at::kLong));
    out.rows = row.to(clip_.latent.device());
    return out;
  }

 private:
  const RetrievalMemory& memory_;
  ClipQuery clip_;
  at::Tensor marks_;
};

std::unique_ptr<MemoryReader> RetrievalMemory::OpenClip(const ClipQuery& clip) const {
  return std::make_unique<RetrievalReader>(*this, clip);
}

MemoryCost RetrievalMemory::Cost(int64_t frames) const {
  MemoryCost cost{.write = MarkCost()};
  const int64_t candidates = frames - geometry_.recent;
  if (options_.k == 0 || candidates <= 0) return cost;
  const double N = static_cast<double>(geometry_.Tokens()), D = static_cast<double>(geometry_.Dim());
  // Absent frames are computed too: the shapes do not change with time.
  const double c = static_cast<double>(options_.k * embedding_->Tokens());
  const double layer = c * 12 * D * D + 2 * c * c * D;  // projections, MLP and attention of the read tokens among themselves
  cost.read = 2 * N * c * D;
  cost.select = SelectCost(candidates) + static_cast<double>(geometry_.layers) * layer;
  return cost;
}

Json RetrievalMemory::Audit(const Parts& state, const ReadPlan& plan) const {
  Json frames = Json::array();
  if (plan.selection.Has("frame")) {
    const at::Tensor& chosen = plan.selection.Get("frame");
    for (int64_t j = 0; j < chosen.size(1); ++j)
      if (const int64_t f = chosen[0][j].item<int64_t>(); f >= 0) frames.push_back(f);
  }
  return {{"frames", frames}, {"tokens", frames.size() * static_cast<size_t>(embedding_->Tokens())}, {"bank", FrameBank::Committed(state)}};
}

}  // namespace orrery
