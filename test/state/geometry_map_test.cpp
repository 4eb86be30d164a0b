// What is geometry.map's own: the grid against a plain re-computation, write and read at one pose, rotations, forgetting, limits, and
// that it learns to show again what it has seen.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/optim/adam.h>

#include <cmath>
#include <map>
#include <numbers>

#include "core/tensor_rng.h"
#include "state/explicit/decoupled/camera.h"
#include "state/explicit/decoupled/map.h"

namespace orrery {
namespace {

constexpr double kQuarter = std::numbers::pi / 2;

GridPoints At(const at::Tensor& x_y, int64_t size) { return LocatePoints(x_y.view({1, 1, -1, 2}), size); }

TEST(Grid, APointIsReadWhereItWasWritten) {
  Rng rng(1);
  const int64_t size = 16, channels = 6;
  for (int repeat = 0; repeat < 1000; ++repeat) {
    at::Tensor grid = at::zeros({1, size * size, channels}), value = at::zeros({1, 1, 1, channels});
    const int64_t hot = rng.Below(channels - 1);
    const double mass = rng.Uniform() + 0.1;
    value[0][0][0][hot] = mass;
    value[0][0][0][channels - 1] = mass;
    const at::Tensor place = UniformTensor({2}, rng) * static_cast<double>(size - 1);
    WriteGrid(grid, value, At(place, size), 5);
    const at::Tensor read = ReadGrid(grid, At(place, size))[0][0][0];
    EXPECT_NEAR((read[hot] / read[channels - 1]).item<double>(), 1, 1e-4);
    EXPECT_EQ((read.narrow(0, 0, channels - 1) != 0).sum().item<int64_t>(), 1);
    // Its weight lies in the cell it is in, and all of it is there.
    EXPECT_NEAR(grid.select(2, channels - 1).sum().item<double>(), mass, 1e-5);
    const int64_t cell = static_cast<int64_t>(std::lround(place[1].item<double>())) * size + std::lround(place[0].item<double>());
    EXPECT_EQ(grid[0].select(1, channels - 1).argmax().item<int64_t>(), cell);
  }
}

// The same by one dictionary of cells, point after point, in double.
at::Tensor PlainScan(const at::Tensor& values, const at::Tensor& place, int64_t size, double keep) {
  at::Tensor out = at::zeros(values.sizes(), at::kDouble);
  const int64_t T = values.size(1), P = values.size(2), C = values.size(3);
  for (int64_t b = 0; b < values.size(0); ++b) {
    std::map<std::pair<int64_t, int64_t>, std::vector<double>> cells;
    const auto corners = [&](int64_t t, int64_t p, const auto& each) {
      const double x = place[b][t][p][0].item<double>(), y = place[b][t][p][1].item<double>();
      for (int64_t i = static_cast<int64_t>(std::floor(x)); i <= std::floor(x) + 1; ++i)
        for (int64_t j = static_cast<int64_t>(std::floor(y)); j <= std::floor(y) + 1; ++j)
          if (i >= 0 && i < size && j >= 0 && j < size)
            each(std::pair(i, j), (1 - std::abs(x - static_cast<double>(i))) * (1 - std::abs(y - static_cast<double>(j))));
    };
    for (int64_t t = 0; t < T; ++t) {
      std::map<std::pair<int64_t, int64_t>, bool> touched;
      for (int64_t p = 0; p < P; ++p)
        corners(t, p, [&](auto cell, double w) {
          touched[cell] = true;
          if (!cells.count(cell)) return;
          for (int64_t c = 0; c < C; ++c) out[b][t][p][c] += w * cells[cell][static_cast<size_t>(c)];
        });
      for (const auto& [cell, yes] : touched)
        if (cells.count(cell) && cells[cell].back() > keep) {
          const double factor = keep / cells[cell].back();
          for (double& v : cells[cell]) v *= factor;
        }
      for (int64_t p = 0; p < P; ++p)
        corners(t, p, [&](auto cell, double w) {
          cells[cell].resize(static_cast<size_t>(C));
          for (int64_t c = 0; c < C; ++c) cells[cell][static_cast<size_t>(c)] += w * values[b][t][p][c].item<double>();
        });
    }
  }
  return out;
}

struct Walk {
  at::Tensor values, place;
};

Walk Crowd(uint64_t seed) {  // many points on few cells, some beyond the border
  Rng rng(seed);
  const at::Tensor place = UniformTensor({2, 6, 7, 2}, rng) * 6 - 1;
  at::Tensor values = NormalTensor({2, 6, 7, 4}, rng);
  values.select(3, 3).abs_();
  return {values, place};
}

TEST(Grid, AScanIsReadingBeforeWritingFrameAfterFrame) {
  const auto [values, place] = Crowd(2);
  for (const double keep : {0.7, 100.0}) {
    at::Tensor grid = at::zeros({2, 25, 4});
    const at::Tensor scan = ScanGrid(grid, values, LocatePoints(place, 5), keep);
    EXPECT_TRUE(at::allclose(scan.to(at::kDouble), PlainScan(values, place, 5, keep), 1e-4, 1e-5)) << keep;
    at::Tensor stepped = at::zeros({2, 25, 4});
    for (int64_t t = 0; t < 6; ++t) {
      const GridPoints points = LocatePoints(place.narrow(1, t, 1).contiguous(), 5);
      EXPECT_TRUE(at::allclose(ReadGrid(stepped, points), scan.narrow(1, t, 1), 1e-4, 1e-5)) << t;
      WriteGrid(stepped, values.narrow(1, t, 1), points, keep);
    }
    EXPECT_TRUE(at::allclose(stepped, grid, 1e-4, 1e-5));
  }
}

// Channels other than mass go through linearly, so that finite differences are exact; forgetting is at work.
TEST(Grid, GradientsOfAScanAreTheFiniteDifferences) {
  auto [values, place] = Crowd(3);
  const GridPoints points = LocatePoints(place, 5);
  Rng rng(4);
  const at::Tensor weight = NormalTensor(values.sizes(), rng);
  const auto loss = [&](const at::Tensor& v) {
    at::Tensor grid = at::zeros({2, 25, 4});
    return (ScanGrid(grid, v, points, 0.7) * weight).narrow(3, 0, 3).sum();
  };
  const at::Tensor x = values.clone().requires_grad_();
  loss(x).backward();
  for (int repeat = 0; repeat < 20; ++repeat) {
    const int64_t b = rng.Below(2), t = rng.Below(6), p = rng.Below(7), c = rng.Below(3);
    at::Tensor more = values.clone(), less = values.clone();
    more[b][t][p][c] += 1;
    less[b][t][p][c] -= 1;
    EXPECT_NEAR(x.grad()[b][t][p][c].item<double>(), ((loss(more) - loss(less)) / 2).item<double>(), 2e-3);
  }
}

// A door that shuts: a cell follows what is written now by keep / (keep + m) a frame.
TEST(Grid, OldEvidenceFadesWhenNewIsWritten) {
  const double keep = 5, mass = 2;
  at::Tensor grid = at::zeros({1, 9, 2});
  const GridPoints middle = At(at::ones({2}), 3);
  const auto write = [&](double feature) {
    WriteGrid(grid, at::tensor({feature * mass, mass}, at::kFloat).view({1, 1, 1, 2}), middle, keep);
  };
  const auto mean = [&] { return (grid[0][4][0] / grid[0][4][1]).item<double>(); };
  for (int i = 0; i < 100; ++i) write(1);
  EXPECT_NEAR(mean(), 1, 1e-5);
  double expected = 1;
  for (int i = 0; i < 8; ++i) {
    write(-1);
    expected = (expected * keep - mass) / (keep + mass);
    EXPECT_NEAR(mean(), expected, 1e-4);
  }
  EXPECT_LT(mean(), -0.8);
}

TEST(Camera, RaysAreThoseOfAPinhole) {
  const at::Tensor slope = RaySlopes(4, 2, 90), depth = RayDepths(3, 1, 4);
  ASSERT_EQ(slope.size(0), 8);
  EXPECT_NEAR(slope[0].item<double>(), 0.875, 1e-6) << "the first column is on the left";
  EXPECT_TRUE(at::allclose(depth, at::tensor({1.0F, 2.0F, 4.0F})));
  // Heading +y from (2, 3): forward is +y, left is -x.
  const at::Tensor seen = RayPoints(at::tensor({2.0, 3.0, kQuarter}, at::kFloat), slope, depth);
  EXPECT_TRUE(at::allclose(seen[2], at::tensor({2 - 0.875 * 4, 3 + 4.0}, at::kFloat), 1e-5, 1e-5));
}

const MemoryGeometry kGeometry{.layers = 1, .heads = 2, .head_dim = 8, .rows = 2, .columns = 4, .channels = 4, .patch = 2};

std::shared_ptr<MapMemory> Make(const MapOptions& options) {
  at::manual_seed(2);
  return std::make_shared<MapMemory>(options, kGeometry);
}

at::Tensor Pose(double x, double y, double angle) { return at::tensor({x, y, angle}, at::kFloat).view({1, 3}); }

CleanFrame Seen(int64_t t, const at::Tensor& pose, const at::Tensor& latent) { return {{t, {}, pose}, latent, {}}; }

void Commit(const Memory& memory, Parts& state, int64_t t, const at::Tensor& pose, const at::Tensor& latent) {
  memory.Commit(state, memory.BeginFrame(state, {t, {}, pose}), Seen(t, pose, latent));
}

// Cells much finer than the rays are apart: what is read at the pose just written is what was written there.
TEST(Map, ReadAtThePoseJustWrittenIsWhatWasWritten) {
  const at::NoGradGuard guard;
  const auto memory = Make({.size = 512, .cell = 0.02, .features = 5, .bins = 6, .range = 3});
  Rng rng(5);
  const at::Tensor latent = NormalTensor({1, 1, 4, 4, 8}, rng), frame = at::zeros({1});
  for (int repeat = 0; repeat < 10; ++repeat) {
    const at::Tensor pose = Pose(rng.Uniform() * 2, rng.Uniform() * 2, rng.Uniform() * 6);
    const GridPoints points = memory->Look(pose.unsqueeze(1), memory->Origin(pose));
    const at::Tensor values = memory->Lift(latent, frame).view({-1, 6, memory->Channels()});
    at::Tensor grid = at::zeros({1, 512 * 512, memory->Channels()});
    WriteGrid(grid, values.view({1, 1, -1, memory->Channels()}), points, memory->Keep());
    const at::Tensor read = ReadGrid(grid, points).view(values.sizes());
    const auto mean = [](const at::Tensor& sums) { return sums.narrow(2, 0, 5) / sums.narrow(2, 6, 1); };
    // The nearest points of neighbouring rays share cells; from a depth of 1.1 on they are far more than two cells apart.
    EXPECT_LT((mean(read) - mean(values)).narrow(1, 4, 2).abs().max().item<double>(), 1e-3);
    EXPECT_GT(read.select(2, 6).narrow(1, 4, 2).min().item<double>(), 0) << "all of them are covered";
  }
}

// The whole world turned about the first frame's place by a quarter: the same answer.
TEST(Map, QuarterTurnsOfTheWorldChangeNothing) {
  const at::NoGradGuard guard;
  const auto memory = Make({.size = 32, .cell = 0.5, .features = 6, .bins = 8});
  for (at::Tensor& p : memory->parameters())
    if (p.abs().max().item<double>() == 0) p.normal_(0, 0.2);
  Rng rng(6);
  const at::Tensor latent = NormalTensor({1, 5, 4, 4, 8}, rng);
  const std::vector<std::array<double, 3>> walk{{0, 0, 0.3}, {0.7, 0.4, 0.9}, {1.1, -0.6, 2}, {0.2, -0.3, -1}, {0.5, 0.1, 0.4}};
  const auto answer = [&](int64_t quarters) {
    const double a = kQuarter * static_cast<double>(quarters);
    std::vector<at::Tensor> poses;
    for (const auto& [x, y, h] : walk) poses.push_back(Pose(x * std::cos(a) - y * std::sin(a), x * std::sin(a) + y * std::cos(a), h + a));
    return memory->OpenClip({1, 5, latent, {}, at::stack(poses, 1), {}})->Input().features;
  };
  const at::Tensor upright = answer(0);
  for (const int64_t quarters : {1, 2, 3}) EXPECT_LT((answer(quarters) - upright).abs().max().item<double>(), 1e-3) << quarters;
  EXPECT_GT(upright.std(0).max().item<double>(), 1e-2) << "frames differ";
}

TEST(Map, TheSameFrameAgainDoesNotGrowIt) {
  const at::NoGradGuard guard;
  const auto memory = Make({.size = 32, .cell = 0.25});
  Rng rng(7);
  const at::Tensor latent = NormalTensor({1, 4, 4, 8}, rng), pose = Pose(1.3, 2.2, 0.7);
  Parts state = memory->Reset(1, at::kCPU, at::kFloat, 0);
  const auto cells = [&] { return (state.Get("map").select(2, memory->Channels() - 1) > 0).sum().item<int64_t>(); };
  Commit(*memory, state, 0, pose, latent);
  const int64_t once = cells();
  EXPECT_GT(once, 50);
  for (int64_t t = 1; t < 20; ++t) Commit(*memory, state, t, pose, latent);
  EXPECT_EQ(cells(), once);
  EXPECT_LE(state.Get("map").select(2, memory->Channels() - 1).max().item<double>(), memory->Keep() + 8);
}

TEST(Map, LeavingTheGridIsTold) {
  const at::NoGradGuard guard;
  const auto memory = Make({.size = 16, .cell = 0.5, .range = 3});
  const at::Tensor latent = at::zeros({1, 4, 4, 8});
  Parts state = memory->Reset(1, at::kCPU, at::kFloat, 0);
  const auto audit = [&] { return memory->Audit(state, {}); };
  Commit(*memory, state, 0, Pose(10, 10, 0), latent);
  EXPECT_NEAR(audit()["outside"].get<double>(), 0, 1e-6) << "the grid lies about the first pose";
  EXPECT_NEAR(audit()["mass"].get<double>(), 8, 1e-3) << "a column weighs 1";
  Commit(*memory, state, 1, Pose(30, 10, 0), latent);
  EXPECT_NEAR(audit()["outside"].get<double>(), 8, 1e-3);
  EXPECT_NEAR(audit()["mass"].get<double>(), 8, 1e-3);
}

TEST(Map, ItsCellFitsTheData) {
  const auto memory = Make({});
  memory->AdoptPoses(at::zeros({2}), at::full({2}, 2.9));
  EXPECT_EQ(memory->Cell(), 0.5);
  const auto given = Make({.cell = 0.3});
  given->AdoptPoses(at::zeros({2}), at::full({2}, 2.9));
  EXPECT_NEAR(given->Cell(), 0.3, 1e-6);
}

// A viewer turns on the spot in rooms painted anew for every clip: what a heading shows is known only from an earlier look at it.
struct Rooms {
  at::Tensor latent, pose;  // [B, 12, 4, 4, 8], [B, 12, 3]
};

Rooms Paint(int64_t batch, Rng& rng) {
  const at::Tensor views = NormalTensor({batch, 4, 4, 1, 1}, rng).expand({-1, -1, -1, 4, 8});  // four headings, one colour each
  Rooms rooms{at::zeros({batch, 12, 4, 4, 8}), at::zeros({batch, 12, 3})};
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t t = 0; t < 12; ++t) {
      const int64_t heading = t < 4 ? t : rng.Below(4);
      rooms.latent[b][t].copy_(views[b][heading]);
      rooms.pose[b][t][2] = kQuarter * static_cast<double>(heading);
    }
  return rooms;
}

double LastLoss(bool blind) {
  const auto memory = Make({.size = 32, .cell = 0.5, .features = 8, .bins = 6});
  torch::nn::Linear head(kGeometry.Dim(), 4);
  std::vector<at::Tensor> weights = memory->parameters();
  for (const at::Tensor& p : head->parameters()) weights.push_back(p);
  torch::optim::Adam adam(weights, torch::optim::AdamOptions(0.01));
  Rng rng(8);
  double last = 0;
  for (int step = 0; step < 200; ++step) {
    const Rooms rooms = Paint(8, rng);
    const at::Tensor pose = blind ? at::zeros_like(rooms.pose) : rooms.pose;
    const at::Tensor features = memory->OpenClip({8, 12, rooms.latent, {}, pose, {}})->Input().features;  // [96, 8, 16]
    const at::Tensor guess = head(features.mean(1)).view({8, 12, 4}).narrow(1, 4, 8);
    const at::Tensor loss = (guess - rooms.latent.select(4, 0).select(3, 0).narrow(1, 4, 8)).square().mean();
    adam.zero_grad();
    loss.backward();
    adam.step();
    last = 0.9 * last + 0.1 * loss.item<double>();
  }
  return last;
}

TEST(Map, LearnsToShowAgainWhatItHasSeen) {
  EXPECT_LT(LastLoss(/*blind=*/false), 0.1);
  EXPECT_GT(LastLoss(/*blind=*/true), 0.5) << "without the heading nobody can know";
}

}  // namespace
}  // namespace orrery
