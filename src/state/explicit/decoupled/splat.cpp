#include "state/explicit/decoupled/splat.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <limits>

#include "core/shape.h"

namespace orrery {

namespace {

constexpr float kCovers = 0.05F;  // bilinear weight with which a point hides what is behind it

struct Image {
  int64_t rows, columns, points, channels;
  float slack;
  int64_t Cells() const { return rows * columns; }
};

// The cells that a point falls into: at most four.
struct Corner {
  int64_t cell;
  float weight, by_column, by_row;  // and the weight's derivatives by the point's place
};

template <class Visit>
void ForCorners(const Image& m, const float* place, const Visit& visit) {
  const float x = place[0], y = place[1];
  if (!(x > -1 && y > -1 && x < static_cast<float>(m.columns) && y < static_cast<float>(m.rows))) return;
  const float x0 = std::floor(x), y0 = std::floor(y);
  for (int i = 0; i < 4; ++i) {
    const int64_t column = static_cast<int64_t>(x0) + i % 2, row = static_cast<int64_t>(y0) + i / 2;
    if (column < 0 || row < 0 || column >= m.columns || row >= m.rows) continue;
    const float wx = i % 2 ? x - x0 : 1 - (x - x0), wy = i / 2 ? y - y0 : 1 - (y - y0);
    visit(Corner{row * m.columns + column, wx * wy, i % 2 ? wy : -wy, i / 2 ? wx : -wx});
  }
}

// One image.
struct Points {
  const float *place, *depth, *share, *values;
};

std::vector<float> Nearest(const Image& m, const Points& p) {
  std::vector<float> nearest(static_cast<size_t>(m.Cells()), std::numeric_limits<float>::infinity());
  for (int64_t q = 0; q < m.points; ++q) {
    if (!(p.depth[q] > 0) || !(p.share[q] > 0)) continue;
    ForCorners(m, p.place + 2 * q, [&](const Corner& c) {
      float& cell = nearest[static_cast<size_t>(c.cell)];
      if (c.weight > kCovers) cell = std::min(cell, p.depth[q]);
    });
  }
  return nearest;
}

// visit(point, corner) for all that is seen.
template <class Visit>
void ForSeen(const Image& m, const Points& p, const Visit& visit) {
  const std::vector<float> nearest = Nearest(m, p);
  for (int64_t q = 0; q < m.points; ++q) {
    if (!(p.depth[q] > 0) || !(p.share[q] > 0)) continue;
    ForCorners(m, p.place + 2 * q, [&](const Corner& c) {
      if (p.depth[q] <= nearest[static_cast<size_t>(c.cell)] * (1 + m.slack)) visit(q, c);
    });
  }
}

void Draw(const Image& m, const Points& p, float* out) {
  const int64_t C = m.channels;
  ForSeen(m, p, [&](int64_t q, const Corner& c) {
    const float w = c.weight * p.share[q];
    float* cell = out + c.cell * (C + 1);
    const float* value = p.values + q * C;
    for (int64_t i = 0; i < C; ++i) cell[i] += w * value[i];
    cell[C] += w;
  });
}

struct Gradients {
  float *values, *place, *share;
};

void DrawBackward(const Image& m, const Points& p, const float* grad, const Gradients& g) {
  const int64_t C = m.channels;
  ForSeen(m, p, [&](int64_t q, const Corner& c) {
    const float* cell = grad + c.cell * (C + 1);
    const float w = c.weight * p.share[q];
    float along = cell[C];  // of the weight
    for (int64_t i = 0; i < C; ++i) {
      g.values[q * C + i] += w * cell[i];
      along += p.values[q * C + i] * cell[i];
    }
    g.share[q] += c.weight * along;
    g.place[2 * q] += c.by_column * p.share[q] * along;
    g.place[2 * q + 1] += c.by_row * p.share[q] * along;
  });
}

at::Tensor Host(const at::Tensor& x) { return x.to(at::kCPU).contiguous(); }

struct SplatOp : torch::autograd::Function<SplatOp> {
  static at::Tensor forward(torch::autograd::AutogradContext* ctx, const at::Tensor& values, const at::Tensor& place,
                            const at::Tensor& share, const at::Tensor& depth, int64_t rows, int64_t columns, double slack) {
    ctx->saved_data["rows"] = rows;
    ctx->saved_data["columns"] = columns;
    ctx->saved_data["slack"] = slack;
    const at::Tensor v = Host(values), p = Host(place), s = Host(share), d = Host(depth);
    ctx->save_for_backward({v, p, s, d});
    const Image image = Of(ctx, v);
    at::Tensor out = at::zeros({v.size(0), image.Cells(), image.channels + 1}, at::kFloat);
    float* const to = out.mutable_data_ptr<float>();
    at::parallel_for(0, v.size(0), 1, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) Draw(image, Row(image, v, p, s, d, r), to + r * image.Cells() * (image.channels + 1));
    });
    return out.to(values.device());
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, const torch::autograd::variable_list& grad) {
    const auto saved = ctx->get_saved_variables();
    const at::Tensor &v = saved[0], &p = saved[1], &s = saved[2], &d = saved[3];
    const Image image = Of(ctx, v);
    const at::Tensor g = Host(grad[0]);
    at::Tensor dv = at::zeros_like(v), dp = at::zeros_like(p), ds = at::zeros_like(s);
    const Gradients all{dv.mutable_data_ptr<float>(), dp.mutable_data_ptr<float>(), ds.mutable_data_ptr<float>()};
    const float* const from = g.const_data_ptr<float>();
    at::parallel_for(0, v.size(0), 1, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const int64_t first = r * image.points;
        DrawBackward(image, Row(image, v, p, s, d, r), from + r * image.Cells() * (image.channels + 1),
                     {all.values + first * image.channels, all.place + 2 * first, all.share + first});
      }
    });
    const auto back = [&](const at::Tensor& x) { return x.to(grad[0].device()); };
    return {back(dv), back(dp), back(ds), {}, {}, {}, {}};
  }

 private:
  static Image Of(torch::autograd::AutogradContext* ctx, const at::Tensor& values) {
    return {ctx->saved_data["rows"].toInt(), ctx->saved_data["columns"].toInt(), values.size(1), values.size(2),
            static_cast<float>(ctx->saved_data["slack"].toDouble())};
  }
  static Points Row(const Image& m, const at::Tensor& v, const at::Tensor& p, const at::Tensor& s, const at::Tensor& d, int64_t r) {
    const int64_t first = r * m.points;
    return {p.const_data_ptr<float>() + 2 * first, d.const_data_ptr<float>() + first, s.const_data_ptr<float>() + first,
            v.const_data_ptr<float>() + first * m.channels};
  }
};

}  // namespace

at::Tensor Splat(const at::Tensor& values, const SplatPoints& points, int64_t rows, int64_t columns, double slack) {
  const int64_t R = values.size(0), Q = values.size(1);
  CheckShape(points.place, {R, Q, 2}, "places of points");
  CheckShape(points.depth, {R, Q}, "depths of points");
  CheckShape(points.share, {R, Q}, "shares of points");
  for (const at::Tensor& t : {values, points.place, points.depth, points.share}) CheckDtype(t, at::kFloat, "points");
  return SplatOp::apply(values, points.place, points.share, points.depth.detach(), rows, columns, slack);
}

}  // namespace orrery
