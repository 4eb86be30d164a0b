// What is geometry.points' own: drawing against a dense re-computation, the depth buffer, rooms drawn from known poses, eviction, and that
// depth is learned from where points land.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/optim/adam.h>

#include <cmath>
#include <numbers>

#include "core/tensor_rng.h"
#include "state/explicit/decoupled/points.h"
#include "state/explicit/decoupled/splat.h"

namespace orrery {
namespace {

// The definition, all points by all cells, in double; visibility as in the definition too.
at::Tensor DenseSplat(const at::Tensor& values, const at::Tensor& place, const at::Tensor& depth, const at::Tensor& share, int64_t rows,
                      int64_t columns, double slack) {
  const auto hat = [](const at::Tensor& x, int64_t n) {
    return (1 - (x.unsqueeze(1) - at::arange(n, at::kDouble).view({1, n, 1})).abs()).clamp_min(0);  // [R, n, Q]
  };
  const at::Tensor weight = (hat(place.select(2, 1), rows).unsqueeze(2) * hat(place.select(2, 0), columns).unsqueeze(1)).flatten(1, 2);
  const at::Tensor there = (depth > 0).unsqueeze(1), far = at::full({}, 1e9, at::kDouble);
  const at::Tensor nearest = at::where(there & (weight > 0.05), depth.unsqueeze(1), far).amin(2, true);
  const at::Tensor seen = (there & (depth.unsqueeze(1) <= nearest * (1 + slack))).detach();
  const at::Tensor counted = weight * share.unsqueeze(1) * seen.to(at::kDouble);
  return at::matmul(counted, at::cat({values, at::ones_like(share).unsqueeze(2)}, 2));
}

struct Scatter {
  at::Tensor values, place, depth, share;
};

Scatter Random(uint64_t seed) {
  Rng rng(seed);
  Scatter s{NormalTensor({2, 40, 3}, rng), UniformTensor({2, 40, 2}, rng) * 6 - 1.5, UniformTensor({2, 40}, rng) * 4 - 0.5,
            UniformTensor({2, 40}, rng) + 0.1};
  return s;
}

TEST(Splat, IsTheDenseDefinitionWithItsGradients) {
  const Scatter s = Random(1);
  std::vector<at::Tensor> fast, dense;
  for (const at::Tensor& t : {s.values, s.place, s.share}) {
    fast.push_back(t.clone().requires_grad_());
    dense.push_back(t.to(at::kDouble).requires_grad_());
  }
  const at::Tensor a = Splat(fast[0], {fast[1], s.depth, fast[2]}, 3, 4, 0.15);
  const at::Tensor b = DenseSplat(dense[0], dense[1], s.depth.to(at::kDouble), dense[2], 3, 4, 0.15);
  EXPECT_TRUE(at::allclose(a.to(at::kDouble), b, 1e-4, 1e-5));
  EXPECT_GT((b.select(2, 3) > 0).sum().item<int64_t>(), 18);
  Rng rng(2);
  const at::Tensor weight = NormalTensor(a.sizes(), rng);
  (a * weight).sum().backward();
  (b * weight.to(at::kDouble)).sum().backward();
  for (size_t i = 0; i < fast.size(); ++i) EXPECT_TRUE(at::allclose(fast[i].grad().to(at::kDouble), dense[i].grad(), 1e-3, 1e-4)) << i;
}

constexpr int64_t kSide = 16;
const MemoryGeometry kGeometry{.layers = 1, .heads = 2, .head_dim = 8, .rows = 8, .columns = 8, .channels = 2, .patch = 2};

std::shared_ptr<PointsMemory> Make(const PointsOptions& options = {.points = 4 * kSide * kSide, .range = 8}) {
  at::manual_seed(2);
  return std::make_shared<PointsMemory>(options, kGeometry);
}

at::Tensor Pose(double x, double y, double angle) { return at::tensor({x, y, angle}, at::kFloat).view({1, 3}); }

// A room of 4 x 4 about the origin, walls without end, each point painted by where it is. What every cell shows from `pose`:
struct View {
  at::Tensor depth, paint;  // [1, 1, n], [1, 1, n, 2]
};

View Look(const at::Tensor& pose) {
  View view{at::empty({1, 1, kSide * kSide}), at::empty({1, 1, kSide * kSide, 2})};
  const double x = pose[0][0].item<double>(), y = pose[0][1].item<double>(), a = pose[0][2].item<double>();
  for (int64_t r = 0; r < kSide; ++r)
    for (int64_t c = 0; c < kSide; ++c) {
      const double left = 1 - (static_cast<double>(c) + 0.5) / 8;  // fov 90: the edge lies at 1
      const double dx = std::cos(a) - left * std::sin(a), dy = std::sin(a) + left * std::cos(a);
      const double depth = std::min((dx > 0 ? 2 - x : -2 - x) / dx, (dy > 0 ? 2 - y : -2 - y) / dy);
      const double px = x + dx * depth, py = y + dy * depth;
      view.depth[0][0][r * kSide + c] = depth;
      view.paint[0][0][r * kSide + c][0] = std::sin(px);
      view.paint[0][0][r * kSide + c][1] = std::cos(py);
    }
  return view;
}

PointsMemory::Cloud Clouds(const PointsMemory& memory, const std::vector<at::Tensor>& poses) {
  PointsMemory::Cloud cloud;
  std::vector<at::Tensor> place, feature;
  for (size_t i = 0; i < poses.size(); ++i) {
    const View view = Look(poses[i]);
    place.push_back(memory.Lift(view.depth, poses[i].unsqueeze(1)));
    feature.push_back(view.paint);
    cloud.frame.push_back(static_cast<int64_t>(i));
  }
  cloud.place = at::cat(place, 1);
  cloud.feature = at::cat(feature, 1);
  return cloud;
}

TEST(Points, APictureFromThePoseJustWrittenIsTheFrame) {
  const at::NoGradGuard guard;
  const auto memory = Make();
  Rng rng(3);
  for (int repeat = 0; repeat < 10; ++repeat) {
    const at::Tensor latent = NormalTensor({1, 1, 2, kSide, kSide}, rng);
    const at::Tensor pose = Pose(rng.Uniform() * 9, rng.Uniform() * 9, rng.Uniform() * 6);
    const at::Tensor picture = memory->Draw(memory->Points(latent, pose.unsqueeze(1), 0), pose, 1);
    const at::Tensor covered = picture.select(2, 4) > 0.5;
    EXPECT_GE(covered.to(at::kFloat).mean().item<double>(), 0.98);
    const at::Tensor error = (picture.narrow(2, 0, 2) - latent[0].flatten(2).transpose(1, 2)).abs().amax(2);
    EXPECT_LT(at::where(covered, error, 0).max().item<double>(), 1e-2);
    EXPECT_LT(at::where(covered, error, 0).mean().item<double>(), 1e-3);
  }
}

TEST(Points, AKnownRoomIsDrawnFromAPoseNeverTaken) {
  const at::NoGradGuard guard;
  const auto memory = Make({.points = 16 * kSide * kSide, .range = 8});
  std::vector<at::Tensor> poses;
  // From where one stands back, so that what lies higher and lower than any other pose within can see has been seen.
  for (int i = 0; i < 16; ++i) {
    const double a = std::numbers::pi / 8 * i;
    poses.push_back(Pose(-0.7 * std::cos(a), -0.7 * std::sin(a), a));
  }
  const PointsMemory::Cloud cloud = Clouds(*memory, poses);
  for (const at::Tensor& pose : {Pose(0.4, -0.2, 0.4), Pose(-0.5, 0.1, 2.1), Pose(0, 0, -1.3)}) {
    const View truth = Look(pose);
    const at::Tensor picture = memory->Draw(cloud, pose, 16), covered = picture.select(2, 4) > 0.05;  // a point within reach of the cell
    EXPECT_GT(covered.to(at::kFloat).mean().item<double>(), 0.95);
    const at::Tensor error = (picture.narrow(2, 0, 2) - truth.paint[0]).abs().amax(2);
    EXPECT_LT((at::where(covered, error, 0).sum() / covered.sum()).item<double>(), 0.05) << "of paint between -1 and 1: interpolation";
    const at::Tensor depth = picture.select(2, 2).exp() * 8;
    EXPECT_LT((at::where(covered, (depth / truth.depth[0] - 1).abs(), 0).sum() / covered.sum()).item<double>(), 0.05);
    // The same cloud from a wrong pose is a wrong picture.
    const at::Tensor wrong = memory->Draw(cloud, pose + 0.5, 16);
    EXPECT_GT((wrong.narrow(2, 0, 2) - truth.paint[0]).abs().mean().item<double>(), 0.1);
  }
}

TEST(Points, WhatIsBehindAWallNeverShows) {
  const at::NoGradGuard guard;
  const auto memory = Make();
  const int64_t n = kSide * kSide;
  const at::Tensor here = Pose(0, 0, 0).unsqueeze(1), none = at::zeros({1, 1, n, 2});
  at::Tensor wall = none.clone(), behind = none.clone();
  wall.select(3, 0).fill_(1);
  behind.select(3, 1).fill_(1);
  const at::Tensor near = memory->Lift(at::full({1, 1, n}, 2.0), here), far = memory->Lift(at::full({1, 1, n}, 5.0), here);
  const PointsMemory::Cloud cloud{at::cat({far, near}, 1), at::cat({behind, wall}, 1), {0, 1}};
  for (const at::Tensor& pose : {Pose(0, 0, 0), Pose(-0.4, 0, 0), Pose(0, 0.3, 0.1)}) {
    const at::Tensor picture = memory->Draw(cloud, pose, 2);
    const at::Tensor inside = picture[0].select(1, 0) > 0.5;  // cells that the wall covers
    EXPECT_GT(inside.sum().item<int64_t>(), n / 2);
    EXPECT_LT(at::where(inside, picture[0].select(1, 1), 0).max().item<double>(), 1e-4);
  }
  EXPECT_GT(memory->Draw(cloud, Pose(3, 0, 0), 2)[0].select(1, 1).max().item<double>(), 0.9) << "past the wall it is seen";
  EXPECT_EQ(memory->Draw(cloud, Pose(0, 0, std::numbers::pi), 2).abs().max().item<double>(), 0) << "nothing lies behind the viewer";
}

TEST(Points, TheNewestFramesAreKept) {
  const at::NoGradGuard guard;
  const auto memory = Make({.points = 3 * kSide * kSide + 7, .range = 8});
  ASSERT_EQ(memory->FramesKept(), 3);
  Parts state = memory->Reset(1, at::kCPU, at::kFloat, 0);
  for (int64_t t = 0; t < 8; ++t) {
    const at::Tensor latent = at::full({1, 2, kSide, kSide}, static_cast<double>(t));
    const FrameQuery query{t, {}, Pose(static_cast<double>(t), 0, 0)};
    memory->Commit(state, memory->BeginFrame(state, query), {query, latent, {}});
    const PointsMemory::Cloud kept = memory->Kept(state);
    ASSERT_EQ(static_cast<int64_t>(kept.frame.size()), std::min<int64_t>(t + 1, 3));
    for (size_t i = 0; i < kept.frame.size(); ++i) {
      EXPECT_EQ(kept.frame[i], t + 1 - static_cast<int64_t>(kept.frame.size()) + static_cast<int64_t>(i));
      EXPECT_TRUE(kept.feature[0][static_cast<int64_t>(i)].eq(static_cast<double>(kept.frame[i])).all().item<bool>());
    }
  }
}

// Boards that fill the view at a distance that channel 0 tells, painted in stripes: a step to the side moves the stripes by the distance.
TEST(Points, DepthIsLearnedFromWherePointsLand) {
  const auto memory = Make({.points = kSide * kSide, .bins = 8, .range = 8});
  torch::optim::Adam adam(memory->parameters(), torch::optim::AdamOptions(0.01));
  Rng rng(4);
  const double step = 0.5;
  const at::Tensor middle = at::arange(4, 12), columns = at::arange(kSide, at::kFloat);
  const auto stripes = [&](const at::Tensor& phase, const at::Tensor& shift) {  // [B, n]
    const at::Tensor row = ((columns.unsqueeze(0) - shift.unsqueeze(1)) * 0.6 + phase.unsqueeze(1)).sin();
    return row.unsqueeze(1).expand({-1, kSide, -1}).flatten(1);
  };
  const auto boards = [&](int64_t count) { return (UniformTensor({count}, rng) * std::log(6.0)).exp(); };  // 1 .. 6
  const auto latents = [&](const at::Tensor& distance, const at::Tensor& phase) {
    const at::Tensor tells = distance.log().unsqueeze(1).expand({-1, kSide * kSide});
    return at::stack({tells, stripes(phase, at::zeros_like(distance))}, 1).view({-1, 1, 2, kSide, kSide});
  };
  double first = 0, last = 0;
  for (int i = 0; i < 250; ++i) {
    const at::Tensor distance = boards(8), phase = UniformTensor({8}, rng) * 6;
    const at::Tensor start = at::zeros({8, 1, 3}), beside = at::tensor({0.0, step, 0.0}, at::kFloat).expand({8, 3});
    const at::Tensor picture = memory->Draw(memory->Points(latents(distance, phase), start, 0), beside, 1);
    // A step to the left moves what is `distance` ahead to the right by step / distance of half the image.
    const at::Tensor truth = stripes(phase, step / distance * (kSide / 2)), drawn = picture.select(2, 1);
    const auto inner = [&](const at::Tensor& x) { return x.view({8, kSide, kSide}).index_select(2, middle); };
    const at::Tensor loss = (inner(drawn) - inner(truth)).square().mean();
    adam.zero_grad();
    loss.backward();
    adam.step();
    (i < 20 ? first : last) = 0.9 * (i < 20 ? first : last) + 0.1 * loss.item<double>();
  }
  EXPECT_LT(last, 0.3 * first);
  const at::NoGradGuard guard;
  const at::Tensor distance = at::tensor({1.2F, 2.0F, 3.5F, 5.5F});
  const at::Tensor depth = memory->Depth(latents(distance, at::zeros({4}))).view({4, -1}).mean(1);
  for (int64_t i = 0; i < 4; ++i) EXPECT_NEAR((depth[i] / distance[i]).item<double>(), 1, 0.25) << distance[i].item<float>();
}

}  // namespace
}  // namespace orrery
