#include "state/explicit/decoupled/grid.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/shape.h"

namespace orrery {

namespace {

constexpr int64_t kCorners = 4;

// One frame of one row of the batch.
struct FrameCorners {
  const int32_t* cell;
  const float* weight;
  int64_t count;  // P * kCorners
};

void AddRow(float* to, const float* from, float weight, int64_t channels) {
  for (int64_t c = 0; c < channels; ++c) to[c] += weight * from[c];
}

// out[p] += sum of the corners.
void Gather(const float* grid, const FrameCorners& f, int64_t channels, float* out) {
  for (int64_t i = 0; i < f.count; ++i)
    if (f.cell[i] >= 0) AddRow(out + i / kCorners * channels, grid + f.cell[i] * channels, f.weight[i], channels);
}

void Scatter(float* grid, const FrameCorners& f, int64_t channels, const float* values) {
  for (int64_t i = 0; i < f.count; ++i)
    if (f.cell[i] >= 0) AddRow(grid + f.cell[i] * channels, values + i / kCorners * channels, f.weight[i], channels);
}

// Scales down the cells that a frame touches; factor[i] is what corner i did to its cell, 1 unless it came first.
void Forget(float* grid, const FrameCorners& f, int64_t channels, float keep, std::vector<int32_t>& touched, int32_t stamp, float* factor) {
  for (int64_t i = 0; i < f.count; ++i) {
    factor[i] = 1;
    const int32_t cell = f.cell[i];
    if (cell < 0 || touched[static_cast<size_t>(cell)] == stamp) continue;
    touched[static_cast<size_t>(cell)] = stamp;
    float* row = grid + cell * channels;
    const float mass = row[channels - 1];
    if (mass <= keep) continue;
    factor[i] = keep / mass;
    for (int64_t c = 0; c < channels; ++c) row[c] *= factor[i];
  }
}

struct Sizes {
  int64_t B, T, P, C, cells;
};

// All on the CPU, contiguous, fp32 (cells: int32).
class Scanner {
 public:
  Scanner(const Sizes& sizes, const at::Tensor& cell, const at::Tensor& weight) : s_(sizes), cell_(cell), weight_(weight) {}

  // `values` undefined: reads only; `out`, `factor` [B, T, P, 4] as they are wanted.
  void Forward(at::Tensor& grid, const at::Tensor& values, float keep, at::Tensor& out, at::Tensor& factor) const {
    float* const rows = grid.mutable_data_ptr<float>();
    at::parallel_for(0, s_.B, 1, [&](int64_t begin, int64_t end) {
      std::vector<int32_t> touched(static_cast<size_t>(s_.cells), -1);
      std::vector<float> unused(static_cast<size_t>(s_.P * kCorners));
      for (int64_t b = begin; b < end; ++b) {
        float* const map = rows + b * s_.cells * s_.C;
        std::fill(touched.begin(), touched.end(), -1);
        for (int64_t t = 0; t < s_.T; ++t) {
          const FrameCorners f = At(b, t);
          if (out.defined()) Gather(map, f, s_.C, Values(out, b, t));
          if (!values.defined()) continue;
          float* const scaled = factor.defined() ? factor.mutable_data_ptr<float>() + Corner(b, t) : unused.data();
          Forget(map, f, s_.C, keep, touched, static_cast<int32_t>(t), scaled);
          Scatter(map, f, s_.C, values.const_data_ptr<float>() + (b * s_.T + t) * s_.P * s_.C);
        }
      }
    });
  }

  // The transpose: gradients of what was read -> of what was written.
  void Backward(const at::Tensor& read, const at::Tensor& factor, at::Tensor& written) const {
    at::parallel_for(0, s_.B, 1, [&](int64_t begin, int64_t end) {
      std::vector<float> map(static_cast<size_t>(s_.cells * s_.C));
      for (int64_t b = begin; b < end; ++b) {
        std::fill(map.begin(), map.end(), 0.0F);
        for (int64_t t = s_.T - 1; t >= 0; --t) {
          const FrameCorners f = At(b, t);
          Gather(map.data(), f, s_.C, Values(written, b, t));
          const float* const scaled = factor.const_data_ptr<float>() + Corner(b, t);
          for (int64_t i = 0; i < f.count; ++i)
            if (scaled[i] != 1)
              for (int64_t c = 0; c < s_.C; ++c) map[static_cast<size_t>(f.cell[i] * s_.C + c)] *= scaled[i];
          Scatter(map.data(), f, s_.C, read.const_data_ptr<float>() + (b * s_.T + t) * s_.P * s_.C);
        }
      }
    });
  }

 private:
  int64_t Corner(int64_t b, int64_t t) const { return (b * s_.T + t) * s_.P * kCorners; }
  FrameCorners At(int64_t b, int64_t t) const {
    return {cell_.const_data_ptr<int32_t>() + Corner(b, t), weight_.const_data_ptr<float>() + Corner(b, t), s_.P * kCorners};
  }
  float* Values(at::Tensor& x, int64_t b, int64_t t) const { return x.mutable_data_ptr<float>() + (b * s_.T + t) * s_.P * s_.C; }

  Sizes s_;
  at::Tensor cell_, weight_;
};

at::Tensor Host(const at::Tensor& x) { return x.to(at::kCPU).contiguous(); }

Scanner MakeScanner(const at::Tensor& grid, const GridPoints& points) {
  CheckShape(points.cell, {grid.size(0), kAny, kAny, kCorners}, "cells of points");
  return {{grid.size(0), points.cell.size(1), points.cell.size(2), grid.size(2), grid.size(1)}, Host(points.cell), Host(points.weight)};
}

struct ScanOp : torch::autograd::Function<ScanOp> {
  static at::Tensor forward(torch::autograd::AutogradContext* ctx, const at::Tensor& values, const at::Tensor& grid, const at::Tensor& cell,
                            const at::Tensor& weight, double keep) {
    const at::Tensor host = Host(values);
    at::Tensor out = at::zeros_like(host), factor = at::empty(cell.sizes(), at::kFloat), map = Host(grid);
    const Scanner scanner = MakeScanner(map, {cell, weight});
    scanner.Forward(map, host, static_cast<float>(keep), out, factor);
    if (!map.is_same(grid)) grid.copy_(map);
    ctx->saved_data["cells"] = grid.size(1);
    ctx->save_for_backward({cell, weight, factor});
    return out.to(values.device());
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, const torch::autograd::variable_list& grad) {
    const auto saved = ctx->get_saved_variables();
    const at::Tensor read = Host(grad[0]);
    at::Tensor written = at::zeros_like(read);
    const Sizes sizes{read.size(0), read.size(1), read.size(2), read.size(3), ctx->saved_data["cells"].toInt()};
    Scanner(sizes, Host(saved[0]), Host(saved[1])).Backward(read, saved[2], written);
    return {written.to(grad[0].device()), {}, {}, {}, {}};
  }
};

}  // namespace

GridPoints LocatePoints(const at::Tensor& place, int64_t size) {
  CheckShape(place, {kAny, kAny, kAny, 2}, "places on a grid");
  const at::Tensor bounded = place.to(at::kFloat).clamp(-2, static_cast<double>(size) + 1);
  const at::Tensor low = bounded.floor(), share = bounded - low, first = low.to(at::kInt);
  std::vector<at::Tensor> cells, weights;
  for (int64_t i = 0; i < kCorners; ++i) {
    const at::Tensor x = first.select(-1, 0) + i % 2, y = first.select(-1, 1) + i / 2;
    const at::Tensor inside = (x >= 0) & (x < size) & (y >= 0) & (y < size);
    cells.push_back(at::where(inside, y * size + x, -1).to(at::kInt));
    const auto part = [&](int64_t axis, bool far) { return far ? share.select(-1, axis) : 1 - share.select(-1, axis); };
    weights.push_back(part(0, i % 2) * part(1, i / 2));
  }
  return {at::stack(cells, -1), at::stack(weights, -1)};
}

at::Tensor ReadGrid(const at::Tensor& grid, const GridPoints& points) {
  at::Tensor map = Host(grid.detach()), none;
  at::Tensor out = at::zeros({grid.size(0), points.cell.size(1), points.cell.size(2), grid.size(2)}, at::kFloat);
  MakeScanner(map, points).Forward(map, {}, 0, out, none);
  return out.to(grid.device());
}

void WriteGrid(at::Tensor& grid, const at::Tensor& values, const GridPoints& points, double keep) {
  at::Tensor map = Host(grid), none;
  MakeScanner(map, points).Forward(map, Host(values.detach()), static_cast<float>(keep), none, none);
  if (!map.is_same(grid)) grid.copy_(map);
}

at::Tensor ScanGrid(at::Tensor& grid, const at::Tensor& values, const GridPoints& points, double keep) {
  CheckDtype(values, at::kFloat, "values of a grid");
  return ScanOp::apply(values, grid, points.cell, points.weight, keep);
}

}  // namespace orrery
