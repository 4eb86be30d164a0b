#include "state/explicit/decoupled/points.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

#include "core/autocast.h"
#include "core/error.h"
#include "state/explicit/decoupled/camera.h"
#include "state/explicit/decoupled/splat.h"

namespace orrery {

namespace nn = torch::nn;

namespace {

constexpr const char* kName = "geometry.points";
constexpr int64_t kPictureHidden = 128;  // a token
constexpr double kSlack = 0.15;          // of the depth
constexpr double kNearest = 1.0 / 32;    // of the range: the first bin
constexpr double kLittle = 1e-4;

PointsMemory::Cloud Join(const PointsMemory::Cloud& a, const PointsMemory::Cloud& b) {
  PointsMemory::Cloud out{at::cat({a.place, b.place}, 1), at::cat({a.feature, b.feature}, 1), a.frame};
  out.frame.insert(out.frame.end(), b.frame.begin(), b.frame.end());
  return out;
}

PointsMemory::Cloud Slice(const PointsMemory::Cloud& c, int64_t begin, int64_t end) {
  return {c.place.narrow(1, begin, end - begin), c.feature.narrow(1, begin, end - begin), {c.frame.begin() + begin, c.frame.begin() + end}};
}

// The clip's frames, each of which sees those before it.
class PointsReader : public MemoryReader {
 public:
  PointsReader(const PointsMemory& memory, const ClipQuery& clip) : memory_(memory), clip_(clip) {}

  LayerRead Read(int64_t, const LayerActivation&, const at::Tensor&) override { return {}; }
  InputContext Input() override {
    NeedPose(clip_.pose, kName);
    own_ = memory_.Points(clip_.latent, clip_.pose.to(at::kFloat), clip_.first);
    const PointsMemory::Cloud all = clip_.before ? Join(memory_.Kept(*clip_.before), own_) : own_;
    const auto before = static_cast<int64_t>(all.frame.size()) - clip_.frames;
    std::vector<at::Tensor> pictures;
    for (int64_t t = 0; t < clip_.frames; ++t) {
      const int64_t end = before + t, begin = std::max<int64_t>(0, end - memory_.FramesKept());
      pictures.push_back(memory_.Draw(Slice(all, begin, end), clip_.pose.select(1, t), clip_.first + t));
    }
    InputContext out;
    out.features = memory_.Features(at::stack(pictures, 1).flatten(0, 1));
    return out;
  }
  bool Finish(Parts& state) override {
    memory_.Store(state, {own_.place.detach(), own_.feature.detach(), own_.frame});
    return true;
  }

 private:
  const PointsMemory& memory_;
  ClipQuery clip_;
  PointsMemory::Cloud own_;
};

}  // namespace

PointsMemory::PointsMemory(const PointsOptions& options, const MemoryGeometry& g) : options_(options), geometry_(g) {
  if (FramesKept() < 1) Fail("{}: at least the {} points of one frame expected, got {}", kName, FramePoints(), options.points);
  if (options.features < 0 || options.bins < 2)
    Fail("{}: features >= 0 and bins >= 2 expected, got {}, {}", kName, options.features, options.bins);
  if (options.range < 0) Fail("{}: range >= 0 expected, got {}", kName, options.range);
  CheckFov(options.fov, kName);
  const int64_t tokens = g.patch * g.patch * (Features() + 3);
  cells_ = register_module("cells", std::make_shared<CellEncoder>(g));
  depth_ = register_module("depth", nn::Linear(CellEncoder::kWidth, options.bins));
  if (options.features > 0) feature_ = register_module("feature", nn::Linear(g.channels, options.features));
  fade_ = register_parameter("fade", at::zeros({}));
  picture_ = register_module("picture", nn::Linear(tokens, kPictureHidden));
  out_ = register_module("out", nn::Linear(kPictureHidden, g.Dim()));
  const at::NoGradGuard guard;
  out_->weight.zero_();
  out_->bias.zero_();
  range_ = register_buffer("range", at::full({}, options.range > 0 ? options.range : 8.0));
}

Facts PointsMemory::Describe() {
  return {kName,
          "a cloud of points with learned depth, drawn as the coming pose sees it",
          "GEN3C, arXiv 2503.03751",
          {{"points", 4096, "at most so many points, those of the newest frames"},
           {"features", 0, "numbers a point; 0: the latent itself"},
           {"bins", 12, "depths that the depth head weighs"},
           {"range", 0.0, "of sight, in units of the pose; 0: four deviations of the data's positions"},
           {"fov", 90.0, "degrees"}}};
}

std::shared_ptr<Memory> PointsMemory::Make(const Json& p, const MemoryGeometry& geometry) {
  return std::make_shared<PointsMemory>(PointsOptions{p["points"].get<int64_t>(), p["features"].get<int64_t>(), p["bins"].get<int64_t>(),
                                                      p["range"].get<double>(), p["fov"].get<double>()},
                                        geometry);
}

MemoryFacts PointsMemory::Declared() const {
  return {.bounded = true, .needs_pose = true, .reach = -1, .ports = "I", .family = "geometry"};
}

std::string PointsMemory::Spec() const {
  return FormatSpec(kName, {{"points", options_.points},
                            {"features", options_.features},
                            {"bins", options_.bins},
                            {"range", options_.range},
                            {"fov", options_.fov}});
}

void PointsMemory::AdoptPoses(const at::Tensor&, const at::Tensor& deviation) {
  if (options_.range > 0) return;
  const at::NoGradGuard guard;
  range_.copy_(4 * deviation.mean().clamp_min(1e-3));
}

double PointsMemory::Edge() const { return std::tan(options_.fov * std::numbers::pi / 360); }

at::Tensor PointsMemory::Slopes() const {
  const at::Tensor left = RaySlopes(Columns(), 1, options_.fov);
  const double rows = static_cast<double>(Rows()), square = rows / static_cast<double>(Columns());
  const at::Tensor up = (1 - (at::arange(Rows(), at::kFloat) + 0.5) * (2 / rows)) * (Edge() * square);
  return at::stack({left.unsqueeze(0).expand({Rows(), -1}), up.unsqueeze(1).expand({-1, Columns()})}, -1).reshape({-1, 2});
}

at::Tensor PointsMemory::Depth(const at::Tensor& latent) const {
  nn::Linear depth = depth_;
  const at::Tensor logits = depth(cells_->Encode(latent.flatten(0, -4)).flatten(1, 2)).to(at::kFloat);  // [R, n, K]
  const Autocast exact(latent.device(), false);
  const double range = range_.item<double>();
  const at::Tensor bins = RayDepths(options_.bins, kNearest * range, range).to(logits.device()).log();
  std::vector<int64_t> shape(latent.sizes().begin(), latent.sizes().end() - 3);
  shape.push_back(FramePoints());
  return (logits.softmax(-1) * bins).sum(-1).exp().view(shape);
}

at::Tensor PointsMemory::Lift(const at::Tensor& depth, const at::Tensor& pose) const {
  const at::Tensor slopes = Slopes().to(depth.device());
  const auto of = [&](int64_t i) { return pose.select(2, i).to(at::kFloat).unsqueeze(2); };
  const at::Tensor left = depth * slopes.select(1, 0), c = of(2).cos(), s = of(2).sin();
  return at::stack({of(0) + depth * c - left * s, of(1) + depth * s + left * c, depth * slopes.select(1, 1)}, -1);
}

PointsMemory::Cloud PointsMemory::Points(const at::Tensor& latent, const at::Tensor& pose, int64_t first) const {
  at::Tensor feature = latent.flatten(3).transpose(2, 3);  // [B, F, n, C]
  if (nn::Linear project = feature_; options_.features > 0) feature = project(feature);
  Cloud cloud{Lift(Depth(latent), pose), feature.to(at::kFloat), {}};
  for (int64_t t = 0; t < latent.size(1); ++t) cloud.frame.push_back(first + t);
  return cloud;
}

at::Tensor PointsMemory::Draw(const Cloud& cloud, const at::Tensor& pose, int64_t now) const {
  const int64_t B = pose.size(0), F = static_cast<int64_t>(cloud.frame.size()), f = Features();
  if (F == 0) return at::zeros({B, FramePoints(), f + 3}, fade_.options());
  const double range = range_.item<double>();
  const at::Tensor place = cloud.place.flatten(1, 2), feature = cloud.feature.flatten(1, 2);
  const auto of = [&](int64_t i) { return pose.select(1, i).to(at::kFloat).unsqueeze(1); };
  const at::Tensor dx = place.select(2, 0) - of(0), dy = place.select(2, 1) - of(1), c = of(2).cos(), s = of(2).sin();
  const at::Tensor forward = dx * c + dy * s, left = dy * c - dx * s;
  const double near = kNearest * range / 4, w = static_cast<double>(Columns()), h = static_cast<double>(Rows());
  const at::Tensor depth = at::where(forward > near, forward, -1), reach = forward.clamp_min(near) * Edge();
  SplatPoints points;
  points.place = at::stack({(1 - left / reach) * (w / 2) - 0.5, (1 - place.select(2, 2) / (reach * (h / w))) * (h / 2) - 0.5}, -1);
  points.depth = depth;
  at::Tensor age = (now - at::tensor(cloud.frame, at::kLong)).to(at::kFloat).clamp_min(1).log().to(place.device());
  age = age.repeat_interleave(FramePoints()).unsqueeze(0).expand({B, -1});
  points.share = (-at::softplus(fade_) * age).exp();
  const at::Tensor values = at::cat({feature, (forward.clamp_min(near) / range).log().unsqueeze(2), age.unsqueeze(2) / 4}, 2);
  const at::Tensor drawn = Splat(values.contiguous(), points, Rows(), Columns(), kSlack), weight = drawn.narrow(2, f + 2, 1);
  return at::cat({drawn.narrow(2, 0, f + 2) / (weight + kLittle), weight / (weight + 0.1)}, 2);
}

at::Tensor PointsMemory::Features(const at::Tensor& picture) const {
  const int64_t R = picture.size(0), p = geometry_.patch, rows = geometry_.rows, columns = geometry_.columns;
  nn::Linear in = picture_, out = out_;
  const at::Tensor tokens =
      picture.view({R, rows, p, columns, p, -1}).permute({0, 1, 3, 2, 4, 5}).reshape({R, rows * columns, p * p * (Features() + 3)});
  return out(at::silu(in(tokens)));
}

Parts PointsMemory::Reset(int64_t batch, at::Device device, at::ScalarType, uint64_t) const {
  const at::TensorOptions fp32 = at::TensorOptions(device).dtype(at::kFloat);
  Parts state;
  state.Add("place", "batch frame point x,y,height", at::zeros({batch, FramesKept(), FramePoints(), 3}, fp32));
  state.Add("feature", "batch frame point channel", at::zeros({batch, FramesKept(), FramePoints(), Features()}, fp32));
  state.Add("frame", "frame", at::full({FramesKept()}, -1, at::kLong));
  return state;
}

// Frame t lies in slot t mod M of those counted from the reset.
PointsMemory::Cloud PointsMemory::Kept(const Parts& state) const {
  const at::Tensor& frame = state.Get("frame");
  std::vector<std::pair<int64_t, int64_t>> slots;  // frame, slot
  for (int64_t i = 0; i < FramesKept(); ++i)
    if (const int64_t t = frame[i].item<int64_t>(); t >= 0) slots.emplace_back(t, i);
  std::sort(slots.begin(), slots.end());
  Cloud cloud;
  std::vector<int64_t> order;
  for (const auto& [t, slot] : slots) {
    cloud.frame.push_back(t);
    order.push_back(slot);
  }
  const at::Tensor index = at::tensor(order, at::kLong).to(state.Get("place").device());
  cloud.place = state.Get("place").index_select(1, index);
  cloud.feature = state.Get("feature").index_select(1, index);
  return cloud;
}

void PointsMemory::Store(Parts& state, const Cloud& cloud) const {
  const auto count = static_cast<int64_t>(cloud.frame.size());
  at::Tensor &place = state.Mutable("place"), &feature = state.Mutable("feature"), &frame = state.Mutable("frame");
  for (int64_t i = std::max<int64_t>(0, count - FramesKept()); i < count; ++i) {
    const int64_t t = cloud.frame[static_cast<size_t>(i)], slot = t % FramesKept();
    place.select(1, slot).copy_(cloud.place.select(1, i));
    feature.select(1, slot).copy_(cloud.feature.select(1, i));
    frame[slot].fill_(t);
  }
}

ReadPlan PointsMemory::BeginFrame(const Parts&, const FrameQuery& query) const {
  NeedPose(query.pose, kName);
  return {query, {}};
}

InputContext PointsMemory::Input(const Parts& state, const ReadPlan& plan) const {
  InputContext out;
  out.features = Features(Draw(Kept(state), plan.query.pose, plan.query.frame));
  return out;
}

void PointsMemory::Commit(Parts& state, const ReadPlan& plan, const CleanFrame& clean) const {
  const at::NoGradGuard guard;
  Store(state, Points(clean.latent.to(at::kFloat).unsqueeze(1), plan.query.pose.unsqueeze(1), plan.query.frame));
}

std::unique_ptr<MemoryReader> PointsMemory::OpenClip(const ClipQuery& clip) const { return std::make_unique<PointsReader>(*this, clip); }

size_t PointsMemory::StateBytes(int64_t, at::ScalarType) const {
  const auto frames = static_cast<size_t>(FramesKept()), numbers = static_cast<size_t>(FramePoints() * (3 + Features()));
  return frames * (numbers * sizeof(float) + sizeof(int64_t));
}

MemoryCost PointsMemory::Cost(int64_t frames) const {
  const double n = static_cast<double>(FramePoints()), C = static_cast<double>(geometry_.channels), f = static_cast<double>(Features());
  const double points = static_cast<double>(std::min(frames, FramesKept())) * n, D = static_cast<double>(geometry_.Dim());
  return {
      .select = points * (16 + 4 * (f + 3)) + n * (f + 3) * kPictureHidden + static_cast<double>(geometry_.Tokens()) * kPictureHidden * D,
      .write = cells_->Macs() + n * (CellEncoder::kWidth * static_cast<double>(options_.bins) + C * (options_.features > 0 ? f : 0))};
}

Json PointsMemory::Audit(const Parts& state, const ReadPlan& plan) const {
  const Cloud cloud = Kept(state);
  Json out{{"frames", cloud.frame.size()}, {"points", cloud.frame.size() * static_cast<size_t>(FramePoints())}};
  if (!plan.query.pose.defined()) return out;
  const at::Tensor cover = Draw(cloud, plan.query.pose, plan.query.frame).select(2, Features() + 2);
  out["covered"] = (cover[0] > 0.5).to(at::kFloat).mean().item<double>();
  return out;
}

}  // namespace orrery
