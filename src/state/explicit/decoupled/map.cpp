#include "state/explicit/decoupled/map.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/autocast.h"
#include "core/error.h"
#include "state/explicit/decoupled/camera.h"

namespace orrery {

namespace nn = torch::nn;

namespace {

constexpr const char* kName = "geometry.map";
constexpr int64_t kRays = 2;         // a latent column
constexpr int64_t kRayHidden = 128;  // of rendering, a latent column
constexpr double kLittle = 0.01;     // mass below which a point counts as unseen

at::Tensor Frames(int64_t first, int64_t count) { return at::arange(first, first + count, at::kFloat); }

// The clip's frames against a grid that grows along it.
class MapReader : public MemoryReader {
 public:
  MapReader(const MapMemory& memory, const ClipQuery& clip) : memory_(memory), clip_(clip) {}

  LayerRead Read(int64_t, const LayerActivation&, const at::Tensor&) override { return {}; }
  InputContext Input() override {
    NeedPose(clip_.pose, kName);
    const Parts start = clip_.before ? *clip_.before : memory_.Reset(clip_.batch, clip_.latent.device(), at::kFloat, 0);
    grid_ = start.Get("map").clone();
    origin_ = start.Get("committed").item<int64_t>() > 0 ? start.Get("origin") : memory_.Origin(clip_.pose.select(1, 0));
    const GridPoints points = memory_.Look(clip_.pose, origin_);
    const at::Tensor frame = Frames(clip_.first, clip_.frames).to(clip_.latent.device()), values = memory_.Lift(clip_.latent, frame);
    outside_ = start.Get("outside") + MapMemory::Outside(values.detach(), points).sum(1);
    InputContext out;
    out.features = memory_.Render(ScanGrid(grid_, values, points, memory_.Keep()), frame);
    return out;
  }
  bool Finish(Parts& state) override {
    state.Set("map", grid_);
    state.Set("origin", origin_);
    state.Set("outside", outside_);
    state.Mutable("committed").add_(clip_.frames);
    return true;
  }

 private:
  const MapMemory& memory_;
  ClipQuery clip_;
  at::Tensor grid_, origin_, outside_;
};

}  // namespace

MapMemory::MapMemory(const MapOptions& options, const MemoryGeometry& g) : options_(options), geometry_(g) {
  if (options.size < 2 || options.size > 1024) Fail("{}: size in 2..1024 cells expected, got {}", kName, options.size);
  if (options.features < 1 || options.bins < 1)
    Fail("{}: features and bins >= 1 expected, got {}, {}", kName, options.features, options.bins);
  if (options.cell < 0 || options.range < 0) Fail("{}: cell and range >= 0 expected, got {}, {}", kName, options.cell, options.range);
  if (!(options.keep > 0)) Fail("{}: keep > 0 expected, got {}", kName, options.keep);
  CheckFov(options.fov, kName);
  const int64_t channels = Channels();
  cells_ = register_module("cells", std::make_shared<CellEncoder>(g));
  depth_ = register_module("depth", nn::Linear(CellEncoder::kWidth, options.bins));
  feature_ = register_module("feature", nn::Linear(CellEncoder::kWidth, options.features));
  ray_ = register_module("ray", nn::Linear(options.bins * channels, kRayHidden));
  out_ = register_module("out", nn::Linear(g.patch * kRayHidden, g.rows * g.Dim()));
  const at::NoGradGuard guard;
  out_->weight.zero_();
  out_->bias.zero_();
  cell_ = register_buffer("cell", at::full({}, options.cell > 0 ? options.cell : 1.0));
}

Facts MapMemory::Describe() {
  return {kName,
          "features of what was seen on a map from above, rendered for the coming pose",
          "own; after arXiv 2008.05711, 2503.03751, 2506.05284",
          {{"size", 64, "cells a side of the map"},
           {"cell", 0.0, "side of a cell in units of the pose; 0: the largest power of two within a quarter of the positions' deviation"},
           {"features", 32, "numbers a cell"},
           {"bins", 12, "depths along a ray"},
           {"range", 0.0, "of sight, in units of the pose; 0: a quarter of the map's side"},
           {"fov", 90.0, "degrees"},
           {"keep", 5.0, "how much old evidence a cell keeps against new; a column of an image in one cell weighs 1"}}};
}

std::shared_ptr<Memory> MapMemory::Make(const Json& p, const MemoryGeometry& geometry) {
  MapOptions o;
  o.size = p["size"].get<int64_t>();
  o.cell = p["cell"].get<double>();
  o.features = p["features"].get<int64_t>();
  o.bins = p["bins"].get<int64_t>();
  o.range = p["range"].get<double>();
  o.fov = p["fov"].get<double>();
  o.keep = p["keep"].get<double>();
  return std::make_shared<MapMemory>(o, geometry);
}

MemoryFacts MapMemory::Declared() const { return {.bounded = true, .needs_pose = true, .reach = -1, .ports = "I", .family = "geometry"}; }

std::string MapMemory::Spec() const {
  return FormatSpec(kName, {{"size", options_.size},
                            {"cell", options_.cell},
                            {"features", options_.features},
                            {"bins", options_.bins},
                            {"range", options_.range},
                            {"fov", options_.fov},
                            {"keep", options_.keep}});
}

int64_t MapMemory::Points() const { return LatentColumns() * kRays * options_.bins; }

void MapMemory::AdoptPoses(const at::Tensor&, const at::Tensor& deviation) {
  if (options_.cell > 0) return;
  const at::NoGradGuard guard;
  cell_.fill_(std::exp2(std::floor(std::log2(deviation.mean().clamp_min(1e-3).item<double>() / 4))));
}

at::Tensor MapMemory::Origin(const at::Tensor& pose) const {
  const double cell = Cell();
  return (pose.narrow(1, 0, 2).to(at::kFloat) / cell).round() * cell;
}

GridPoints MapMemory::Look(const at::Tensor& pose, const at::Tensor& origin) const {
  const double cell = Cell(), size = static_cast<double>(options_.size), range = options_.range > 0 ? options_.range : cell * size / 4;
  const at::Tensor slope = RaySlopes(LatentColumns(), kRays, options_.fov), depth = RayDepths(options_.bins, std::min(cell, range), range);
  const at::Tensor seen = RayPoints(pose.to(at::kFloat), slope, depth);
  return LocatePoints((seen - origin.unsqueeze(1).unsqueeze(1)) / cell + (size - 1) / 2, options_.size);
}

at::Tensor MapMemory::Lift(const at::Tensor& latent, const at::Tensor& frame) const {
  nn::Linear depth = depth_, feature = feature_;
  const at::Tensor columns = cells_->Encode(latent.flatten(0, 1)).transpose(1, 2);  // [B T, w, h, ...]
  const at::Tensor hidden = columns.reshape({latent.size(0), latent.size(1), LatentColumns(), LatentRows(), -1});
  const at::Tensor logits = depth(hidden).to(at::kFloat), features = feature(hidden).to(at::kFloat);
  const Autocast exact(latent.device(), false);
  // A column's mass is 1, shared by its rows, their depths and its rays.
  const at::Tensor share = logits.softmax(-1) / static_cast<double>(LatentRows() * kRays);
  const at::Tensor sums = at::matmul(share.transpose(3, 4), features),
                   mass = share.sum(3).unsqueeze(-1);  // [B, T, w, K, f], [B, T, w, K, 1]
  const at::Tensor values = at::cat({sums, mass * frame.view({1, -1, 1, 1, 1}), mass}, -1).unsqueeze(3);
  return values.expand({-1, -1, -1, kRays, -1, -1}).reshape({latent.size(0), latent.size(1), Points(), Channels()});
}

at::Tensor MapMemory::Render(const at::Tensor& sums, const at::Tensor& frame) const {
  const int64_t rows = sums.size(0) * sums.size(1), f = options_.features;
  nn::Linear ray = ray_, out = out_;
  at::Tensor seen;
  {
    const Autocast exact(sums.device(), false);
    const at::Tensor column = sums.view({sums.size(0), sums.size(1), LatentColumns(), kRays, options_.bins, Channels()}).sum(3);
    const at::Tensor mass = column.narrow(-1, f + 1, 1), known = 1 / (mass + kLittle);
    const at::Tensor age = (mass * frame.view({1, -1, 1, 1, 1}) - column.narrow(-1, f, 1)).clamp_min(0) * known;
    seen = at::cat({column.narrow(-1, 0, f) * known, age.log1p() / 4, mass * known}, -1);
  }
  const at::Tensor hidden = at::silu(ray(seen.reshape({rows, LatentColumns(), -1})));
  const at::Tensor tokens = out(hidden.reshape({rows, geometry_.columns, -1}));  // [R, columns, rows * D]
  return tokens.view({rows, geometry_.columns, geometry_.rows, geometry_.Dim()}).transpose(1, 2).reshape({rows, geometry_.Tokens(), -1});
}

at::Tensor MapMemory::Outside(const at::Tensor& values, const GridPoints& points) {
  const at::Tensor beyond = at::where(points.cell < 0, points.weight, 0).sum(-1);  // [B, T, P]
  return (beyond * values.select(-1, values.size(-1) - 1)).sum(-1);
}

Parts MapMemory::Reset(int64_t batch, at::Device device, at::ScalarType, uint64_t) const {
  const at::TensorOptions fp32 = at::TensorOptions(device).dtype(at::kFloat);
  Parts state;
  state.Add("map", "batch cell channel", at::zeros({batch, options_.size * options_.size, Channels()}, fp32));
  state.Add("origin", "batch x,y", at::zeros({batch, 2}, fp32));
  state.Add("outside", "batch", at::zeros({batch}, fp32));
  state.Add("committed", "", at::zeros({}, at::kLong));
  return state;
}

ReadPlan MapMemory::BeginFrame(const Parts& state, const FrameQuery& query) const {
  NeedPose(query.pose, kName);
  const bool begun = state.Get("committed").item<int64_t>() > 0;
  const at::Tensor origin = begun ? state.Get("origin").clone() : Origin(query.pose);
  const GridPoints points = Look(query.pose.unsqueeze(1), origin);
  ReadPlan plan{query, {}};
  plan.selection.Add("origin", "batch x,y", origin);
  plan.selection.Add("cell", "batch frame point corner", points.cell);
  plan.selection.Add("weight", "batch frame point corner", points.weight);
  return plan;
}

InputContext MapMemory::Input(const Parts& state, const ReadPlan& plan) const {
  const GridPoints points{plan.selection.Get("cell"), plan.selection.Get("weight")};
  const at::Tensor& grid = state.Get("map");
  InputContext out;
  out.features = Render(ReadGrid(grid, points), Frames(plan.query.frame, 1).to(grid.device()));
  return out;
}

void MapMemory::Commit(Parts& state, const ReadPlan& plan, const CleanFrame& clean) const {
  const at::NoGradGuard guard;
  const GridPoints points{plan.selection.Get("cell"), plan.selection.Get("weight")};
  at::Tensor& grid = state.Mutable("map");
  const at::Tensor values = Lift(clean.latent.to(at::kFloat).unsqueeze(1), Frames(plan.query.frame, 1).to(grid.device()));
  WriteGrid(grid, values, points, options_.keep);
  state.Mutable("outside").add_(Outside(values, points).sum(1));
  state.Set("origin", plan.selection.Get("origin"));
  state.Mutable("committed").add_(1);
}

std::unique_ptr<MemoryReader> MapMemory::OpenClip(const ClipQuery& clip) const { return std::make_unique<MapReader>(*this, clip); }

size_t MapMemory::StateBytes(int64_t, at::ScalarType) const {
  const auto numbers = static_cast<size_t>(options_.size * options_.size * Channels() + 3);
  return numbers * sizeof(float) + sizeof(int64_t);
}

MemoryCost MapMemory::Cost(int64_t) const {
  const double w = static_cast<double>(LatentColumns()), h = static_cast<double>(LatentRows());
  const double K = static_cast<double>(options_.bins), f = static_cast<double>(options_.features), channels = f + 2;
  const double touch = 4 * static_cast<double>(Points()) * channels;
  const double tokens = static_cast<double>(geometry_.rows * geometry_.Dim());
  return {.select = touch + w * kRayHidden * (K * channels + tokens),
          .write = touch + cells_->Macs() + w * h * (CellEncoder::kWidth * (K + f) + K * f)};
}

Json MapMemory::Audit(const Parts& state, const ReadPlan&) const {
  const at::Tensor mass = state.Get("map")[0].select(1, Channels() - 1);
  return {{"cells", (mass > kLittle).sum().item<int64_t>()},
          {"mass", mass.sum().item<double>()},
          {"outside", state.Get("outside")[0].item<double>()}};
}

}  // namespace orrery
